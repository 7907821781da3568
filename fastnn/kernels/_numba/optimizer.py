"""Optimizers: the reference's own text, compiled."""

from __future__ import annotations

from .. import reference
from .compiling import compiled, flat


def sgd_step(p, dp, lr, weight_decay, l1=0.0, l2=0.0, scale=1.0):
    compiled(reference.sgd_step)(flat(p), flat(dp), lr, weight_decay, l1, l2, scale)


def momentum_step(p, dp, v, lr, momentum, nesterov, weight_decay, l1=0.0, l2=0.0, scale=1.0):
    step = compiled(reference.momentum_step)
    rates = lr, momentum, nesterov, weight_decay
    step(flat(p), flat(dp), flat(v), *rates, l1, l2, scale)


def rmsprop_step(p, dp, s, lr, rho, eps, weight_decay, l1=0.0, l2=0.0, scale=1.0):
    step = compiled(reference.rmsprop_step)
    step(flat(p), flat(dp), flat(s), lr, rho, eps, weight_decay, l1, l2, scale)


def adam_step(p, dp, m, v, lr, beta1, beta2, eps, t, weight_decay, l1=0.0, l2=0.0, scale=1.0):
    step = compiled(reference.adam_step)
    # t as a float: an integer power is a product of t factors, with t rounding errors
    rates = lr, beta1, beta2, eps, float(t), weight_decay
    step(flat(p), flat(dp), flat(m), flat(v), *rates, l1, l2, scale)
