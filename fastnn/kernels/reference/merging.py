"""Two arrays of one shape made into one: where branches of a network meet."""

from __future__ import annotations

import numpy as np

from ..table import Array, kernel, per
from .quiet import quiet


@kernel(
    arrays={"y": Array("*", "w"), "a": Array("*"), "b": Array("*")},
    flops=per("*", 1),
    scalars=({"factor": 1.0}, {"factor": 0.25}),
    tolerance=lambda d: 4,
    relative_to="array",
    in_place=(("y", "a"),),
)
@quiet
def add(y, a, b, factor):
    """Sum of two arrays, scaled: y = factor (a + b).

    Parameters
    ----------
    y : ndarray, shape (*), real
        Written. May be `a` itself.
    a, b : ndarray, shape (*), real
    factor : float

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y = np.array([1.0, 2.0])
    >>> fastnn.kernels.add(y, y, np.array([3.0, 5.0]), 0.5); y
    array([2. , 3.5])
    """
    y[...] = factor * (a + b)


@kernel(
    arrays={"y": Array("*", "w"), "a": Array("*"), "b": Array("*")},
    flops=per("*", 1),
    tolerance=lambda d: 0,
)
@quiet
def maximum_fwd(y, a, b):
    """Larger of two arrays, element by element; NaN where either is.

    Parameters
    ----------
    y : ndarray, shape (*), real
        Written.
    a, b : ndarray, shape (*), real

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y = np.empty(2)
    >>> fastnn.kernels.maximum_fwd(y, np.array([1.0, 2.0]), np.array([3.0, 0.0])); y
    array([3., 2.])
    """
    y[...] = np.maximum(a, b)


@kernel(
    arrays={
        "da": Array("*", "w"),
        "db": Array("*", "w"),
        "dy": Array("*"),
        "a": Array("*"),
        "b": Array("*"),
    },
    flops=per("*", 2),
    tolerance=lambda d: 0,
    in_place=(("da", "dy"),),
)
@quiet
def maximum_bwd(da, db, dy, a, b):
    """Gradient of `maximum_fwd`: dy goes to a where a ≥ b or a is NaN, else to b.

    Parameters
    ----------
    da : ndarray, shape (*), real
        Written. May be `dy` itself.
    db : ndarray, shape (*), real
        Written.
    dy, a, b : ndarray, shape (*), real

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> da, db = np.empty(2), np.empty(2)
    >>> fastnn.kernels.maximum_bwd(da, db, np.ones(2), np.array([1.0, 2.0]), np.array([3.0, 2.0]))
    >>> da, db
    (array([0., 1.]), array([1., 0.]))
    """
    second = b > a
    second |= np.isnan(b) & ~np.isnan(a)
    db[...] = np.where(second, dy, 0)
    da[...] = np.where(second, 0, dy)
