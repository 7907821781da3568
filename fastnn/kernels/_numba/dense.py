"""Fully connected layers: NumPy's matrix products beside compiled activations."""

from __future__ import annotations

from ..reference.dense import affine_bwd, affine_fwd
from .activation import activation_bwd, activation_fwd


def dense_fwd(y, x, w, b, activation, z=None):
    pre = y if z is None else z
    affine_fwd(pre, x, w, b)
    activation_fwd(y, pre, activation)


def dense_bwd(dx, dw, db, dy, y, x, w, activation, z=None):
    activation_bwd(dy, dy, y, z, activation)
    affine_bwd(dx, dw, db, dy, x, w)
