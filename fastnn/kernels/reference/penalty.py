"""Weight penalties and limits; the health of an array, and its multiples."""

from __future__ import annotations

import numpy as np

from ..table import Array, kernel, per
from .quiet import quiet


@kernel(
    arrays={"dp": Array("*", "rw", optional=True), "p": Array("*")},
    flops=per("*", 8),
    scalars=({"l1": 0.0, "l2": 0.01}, {"l1": 0.001, "l2": 0.0}, {"l1": 0.5, "l2": 2.0}),
    tolerance=lambda d: 8 + 0.2 * d["*"] ** 0.5,  # Numba adds one after the other
    relative_to="array",
)
@quiet
def penalty(dp, p, l1, l2) -> float:
    """Weight penalty l1 Σ|p| + ½ l2 Σp²; its gradient l1 sign(p) + l2 p is added to dp.

    Parameters
    ----------
    dp : ndarray, shape (*), real, or None
        Added to.
    p : ndarray, shape (*), real
    l1, l2 : float
        Strengths, not negative.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> fastnn.kernels.penalty(None, np.array([3.0, -4.0]), l1=1.0, l2=2.0)
    32.0
    """
    if dp is not None:
        dp += l1 * np.sign(p) + l2 * p
    wide = p.astype(np.float64)
    return float(l1 * np.abs(wide).sum() + 0.5 * l2 * np.square(wide).sum())


@kernel(
    arrays={"p": Array("I O", "rw")}, flops=per("I O", 3), scalars=({"limit": 1.0}, {"limit": 5.0})
)
@quiet
def max_norm(p, limit):
    """Columns of p that are longer than `limit` are scaled down to that length.

    Parameters
    ----------
    p : ndarray, shape (I, O), real
        Updated. Column j holds what unit j makes of its inputs.
    limit : float
        Positive.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: Dropout. JMLR 15, 2014. Columns within
    the limit keep their bits: no ε is added to norms.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p = np.array([[3.0, 0.1], [4.0, 0.2]])
    >>> fastnn.kernels.max_norm(p, 2.5); p
    array([[1.5, 0.1],
           [2. , 0.2]])
    """
    norm = np.sqrt(np.square(p.astype(np.float64)).sum(axis=0))
    p *= np.where(norm > limit, limit / norm, 1)


@kernel(
    arrays={"x": Array("*", "rw")}, flops=per("*", 1), scalars=({"factor": 0.5}, {"factor": 3.0})
)
@quiet
def scale(x, factor):
    """Multiply in place: x ← factor · x.

    Parameters
    ----------
    x : ndarray, shape (*), real
        Updated.
    factor : float

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> x = np.array([1.0, -2.0])
    >>> fastnn.kernels.scale(x, 0.5); x
    array([ 0.5, -1. ])
    """
    x *= factor


@kernel(arrays={"x": Array("*")}, flops=per("*", 2), relative_to="array")
def sum_of_squares(x) -> float:
    """Σ x², the square of the norm by which gradients are clipped.

    Parameters
    ----------
    x : ndarray, shape (*), real

    Returns
    -------
    float

    References
    ----------
    Pascanu, Mikolov, Bengio: On the difficulty of training recurrent neural networks. ICML 2013.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> fastnn.kernels.sum_of_squares(np.array([3.0, 4.0]))
    25.0
    """
    return float(np.square(x.astype(np.float64)).sum())


@kernel(arrays={"x": Array("*")}, flops=per("*", 1), tolerance=lambda d: 0)
def count_nonfinite(x) -> float:
    """Count the elements that are NaN or infinite.

    Parameters
    ----------
    x : ndarray, shape (*), real

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> fastnn.kernels.count_nonfinite(np.array([1.0, np.nan, np.inf]))
    2.0
    """
    return float(x.size - np.count_nonzero(np.isfinite(x)))
