"""Optimizers: the reference's own text, compiled."""

from __future__ import annotations

import math

from .. import reference
from .compiling import compiled, flat


def sgd_step(p, dp, lr, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf):
    compiled(reference.sgd_step)(flat(p), flat(dp), lr, weight_decay, l1, l2, scale, clip)


def momentum_step(
    p, dp, v, lr, momentum, nesterov, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf
):
    step = compiled(reference.momentum_step)
    rates = lr, momentum, nesterov, weight_decay
    step(flat(p), flat(dp), flat(v), *rates, l1, l2, scale, clip)


def adagrad_step(p, dp, s, lr, eps, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf):
    step = compiled(reference.adagrad_step)
    step(flat(p), flat(dp), flat(s), lr, eps, weight_decay, l1, l2, scale, clip)


def rmsprop_step(
    p, dp, s, mean, v, lr, rho, momentum, eps, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):  # fmt: skip
    step = compiled(reference.rmsprop_step)
    slots = (None if slot is None else flat(slot) for slot in (s, mean, v))
    rates = lr, rho, momentum, eps, weight_decay
    step(flat(p), flat(dp), *slots, *rates, l1, l2, scale, clip)


def lion_step(p, dp, m, lr, beta1, beta2, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf):
    step = compiled(reference.lion_step)
    step(flat(p), flat(dp), flat(m), lr, beta1, beta2, weight_decay, l1, l2, scale, clip)
