"""Columns of numbers that lie too close together for the network's dtype.

A float32 has 24 bits: seconds since 1970 are rounded to multiples of 128 before any layer sees
them. Where that is a good part of the differences between rows, training raises an error.
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
        Dtype of the user's numbers; integers are exact.

    Returns
    -------
    ndarray of bool, shape (columns,)
    """
    return deviation <= NOISE.get(dtype, 0.0) * np.abs(size)


def check_resolution(
    argument: str, pieces: Iterable[np.ndarray], columns: int, source: np.dtype, dtype: np.dtype
) -> None:
    """Raise `ArgumentError` for columns whose values `dtype` cannot distinguish.

    Parameters
    ----------
    argument : str
        Name of the numbers in messages.
    pieces : iterable of ndarray
        Rows, finite and within the range of `dtype`; reshaped to (-1, columns).
    source : dtype
        Dtype of the user's numbers.
    dtype : dtype
        Dtype of the network.

    Raises
    ------
    ArgumentError
        Rounding changes a column by more than 1/256 of its standard deviation.
    """
    if np.can_cast(source, dtype):
        return
    moments, lost = Moments(columns), np.zeros(columns)
    for piece in pieces:
        values = piece.reshape(-1, columns)
        moments.add(values)
        errors = values - values.astype(dtype).astype(np.float64)
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
