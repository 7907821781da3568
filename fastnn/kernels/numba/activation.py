# ruff: noqa: F821 - `specialise` sets the two names declared below
"""Activations: the reference's formulas, element by element."""

from __future__ import annotations

import functools
from collections.abc import Callable

from ..reference import ACTIVATIONS
from .compiling import compiled, flat, specialise

value: Callable
slope: Callable


def _forward_loop(y, z):
    for i in range(z.size):
        y[i] = value(z[i])


def _backward_loop(dz, dy, y, z):
    for i in range(y.size):
        dz[i] = dy[i] * slope(y[i], z[i])


@functools.cache
def _forward(activation):
    value = compiled(ACTIVATIONS[activation].value)
    return specialise(_forward_loop, f"{activation}_fwd", value=value)


@functools.cache
def _backward(activation):
    slope = compiled(ACTIVATIONS[activation].slope)
    return specialise(_backward_loop, f"{activation}_bwd", slope=slope)


def activation_fwd(y, z, activation):
    """Compute `reference.activation_fwd`."""
    _forward(activation)(flat(y), flat(z))


def activation_bwd(dz, dy, y, z, activation):
    """Compute `reference.activation_bwd`."""
    if z is None:
        z = y  # a slope that does not look at z
    _backward(activation)(flat(dz), flat(dy), flat(y), flat(z))
