"""Adam and its descendants: the reference's own text, compiled."""

from __future__ import annotations

import math

from .. import reference
from .compiling import compiled, flat

# t goes in as a float: an integer power is a product of t factors, with t rounding errors.


def adam_step(
    p, dp, m, v, lr, beta1, beta2, eps, t, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):  # fmt: skip
    step = compiled(reference.adam_step)
    rates = lr, beta1, beta2, eps, float(t), weight_decay
    step(flat(p), flat(dp), flat(m), flat(v), *rates, l1, l2, scale, clip)


def amsgrad_step(
    p, dp, m, v, largest, lr, beta1, beta2, eps, t, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):  # fmt: skip
    step = compiled(reference.amsgrad_step)
    rates = lr, beta1, beta2, eps, float(t), weight_decay
    step(flat(p), flat(dp), flat(m), flat(v), flat(largest), *rates, l1, l2, scale, clip)


def nadam_step(
    p, dp, m, v, lr, beta1, beta2, momentum_decay, eps, t, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):  # fmt: skip
    step = compiled(reference.nadam_step)
    rates = lr, beta1, beta2, momentum_decay, eps, float(t), weight_decay
    step(flat(p), flat(dp), flat(m), flat(v), *rates, l1, l2, scale, clip)


def radam_step(
    p, dp, m, v, lr, beta1, beta2, eps, t, weight_decay,
    l1=0.0, l2=0.0, scale=1.0, clip=math.inf,
):  # fmt: skip
    step = compiled(reference.radam_step)
    rates = lr, beta1, beta2, eps, float(t), weight_decay
    step(flat(p), flat(dp), flat(m), flat(v), *rates, l1, l2, scale, clip)
