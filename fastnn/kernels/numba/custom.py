"""Activations and losses of the user: the loops that Numba makes of their functions."""

from __future__ import annotations

import numpy as np

from ..reference.loss import row_factors
from .compiling import flat


def custom_activation_fwd(y, z, function):
    """Compute `reference.custom_activation_fwd`."""
    function.compiled(z.dtype).loop(flat(y), flat(z), flat(z))


def custom_activation_bwd(dz, dy, y, z, derivative):
    """Compute `reference.custom_activation_bwd`."""
    slope = np.empty_like(z)
    derivative.compiled(z.dtype).loop(flat(slope), flat(z), flat(y))
    np.multiply(dy, slope, out=dz)


def custom_loss(dy, y, target, weight, row_loss, row_gradient) -> float:
    """Compute `reference.custom_loss`."""
    factor = row_factors(weight, len(y))
    losses = np.empty((len(y), 1))
    row_loss.compiled(y.dtype).loop(losses, y, target)
    if dy is not None:
        dy[...] = 0
        row_gradient.compiled(y.dtype).loop(dy, y, target)
        dy *= factor.astype(dy.dtype)
    return float(np.sum(losses * factor))
