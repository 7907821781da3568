"""Columns of numbers that lie too close together for the network's dtype.

A float32 has 24 bits: seconds since 1970 are rounded to multiples of 128 before any layer sees
them. Where that takes a good part of what tells the rows apart, training is refused.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..errors import ArgumentError
from .moments import Moments

#: The share of a column's standard deviation that rounding may take, as a root mean square.
LARGEST_SHARE = 1 / 256

#: Standard deviation beside the largest number up to which a column is constant but for rounding.
#: Float64 columns are often results of other arithmetic, and its noise is wider than one rounding.
NOISE = {np.dtype(np.float64): 2.0**-40, np.dtype(np.float32): 2.0**-21}


def is_constant(deviation: np.ndarray, size: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return which columns are constant but for the rounding of numbers of a dtype.

    Parameters
    ----------
    deviation, size : ndarray, shape (columns,)
        Standard deviation and magnitude.
    dtype : dtype
        Of the user's numbers; integers are exact.

    Returns
    -------
    ndarray of bool, shape (columns,)
    """
    return deviation <= NOISE.get(dtype, 0.0) * np.abs(size)


def check_resolution(
    argument: str, pieces: Iterable[np.ndarray], columns: int, source: np.dtype, dtype: np.dtype
) -> None:
    """Refuse columns whose rows `dtype` cannot tell apart.

    Parameters
    ----------
    argument : str
        What the user calls the numbers.
    pieces : iterable of ndarray
        Rows, finite and within the range of `dtype`; reshaped to (-1, columns).
    source : dtype
        Of the user's numbers.
    dtype : dtype
        Of the network.

    Raises
    ------
    ArgumentError
        Rounding changes a column by more than 1/256 of its standard deviation.
    """
    if np.can_cast(source, dtype):
        return
    moments, lost = Moments(columns), np.zeros(columns)
    for piece in pieces:
        rows = piece.reshape(-1, columns)
        moments.add(rows)
        errors = rows - rows.astype(dtype).astype(np.float64)
        lost += np.einsum("ij,ij->j", errors, errors)
    deviation, error = np.sqrt(moments.variance), np.sqrt(lost / moments.count)
    bad = error > LARGEST_SHARE * deviation
    bad &= ~is_constant(deviation, moments.mean, source)
    if bad.any():
        column = int(np.argmax(bad))
        where = f" in column {column}" if columns > 1 else ""
        raise ArgumentError(
            f"{argument} has values around {moments.mean[column]:.6g} that differ by "
            f"{deviation[column]:.2g}{where}, which {dtype} cannot tell apart; subtract a constant "
            "from them, or use dtype='float64'"
        )
