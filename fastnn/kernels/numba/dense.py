"""Fully connected layers: NumPy's matrix products beside compiled activations."""

from __future__ import annotations

from ..reference.dense import affine_bwd, affine_fwd
from ..reference.dropout import dropout_scale
from .activation import activation_bwd, activation_fwd
from .dropout import dropout_bwd, dropout_fwd


def dense_fwd(y, x, w, b, activation, z=None):
    """Compute `reference.dense_fwd`."""
    pre = y if z is None else z
    affine_fwd(pre, x, w, b)
    activation_fwd(y, pre, activation)


def dense_bwd(dx, dw, db, dy, y, x, w, activation, z=None):
    """Compute `reference.dense_bwd`."""
    activation_bwd(dy, dy, y, z, activation)
    affine_bwd(dx, dw, db, dy, x, w)


def dense_dropout_fwd(y, mask, x, w, b, activation, rate, seed, offset, z=None):
    """Compute `reference.dense_dropout_fwd`."""
    dense_fwd(y, x, w, b, activation, z)
    dropout_fwd(y, mask, y, rate, seed, offset)


def dense_dropout_bwd(dx, dw, db, dy, y, mask, x, w, activation, rate, z=None):
    """Compute `reference.dense_dropout_bwd`."""
    dropout_bwd(dy, mask, dy, rate)
    undropped = y / y.dtype.type(dropout_scale(rate))
    dense_bwd(dx, dw, db, dy, undropped, x, w, activation, z)
