"""Rows of a table that numbers of the input select, and the gradients of such a table."""

from __future__ import annotations

import numpy as np

from ..table import Array, kernel, per

_COLUMNS = ({"column": 0, "at": 2}, {"column": 0, "at": 0})


@kernel(
    arrays={"y": Array("B O", "rw"), "x": Array("B I", values="codes"), "w": Array("N D")},
    flops=per("B D", 1),
    scalars=_COLUMNS,
    tolerance=lambda d: 0,
)
def embedding_fwd(y, x, w, column, at):
    """Look up a row of a table for each row of the input: y[i, at : at + D] = w[x[i, column]].

    Parameters
    ----------
    y : ndarray, shape (B, O), real
        Columns from `at` on are written, as many as there are.
    x : ndarray, shape (B, I), real
        The column holds whole numbers in [0, N).
    w : ndarray, shape (N, D), real
    column, at : int
        Not negative.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, w = np.zeros((2, 3)), np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> fastnn.kernels.embedding_fwd(y, np.array([[1.0], [0.0]]), w, column=0, at=1); y
    array([[0., 3., 4.],
           [0., 1., 2.]])
    """
    y[:, at : at + w.shape[1]] = w[codes(x, column), : max(y.shape[1] - at, 0)]


def codes(x, column):
    """Return a column of whole numbers as indices."""
    return x[:, column].astype(np.int64)


@kernel(
    arrays={"dw": Array("N D", "w"), "dy": Array("B O"), "x": Array("B I", values="codes")},
    flops=per("B D", 1),
    scalars=_COLUMNS,
    tolerance=lambda d: 8 + d["B"],
    relative_to="array",
)
def embedding_bwd(dw, dy, x, column, at):
    """Gradient of `embedding_fwd`: row n of dw sums dy[i, at : at + D] over the i with that code.

    Parameters
    ----------
    dw : ndarray, shape (N, D), real
        Written. Summed in the order of the rows.
    dy : ndarray, shape (B, O), real
    x : ndarray, shape (B, I), real
    column, at : int
        As for `embedding_fwd`.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> dw, x = np.empty((3, 1)), np.array([[2.0], [0.0], [2.0]])
    >>> fastnn.kernels.embedding_bwd(dw, np.array([[1.0], [2.0], [4.0]]), x, 0, 0); dw.T
    array([[2., 0., 5.]])
    """
    dw[...] = 0
    part = dy[:, at : at + dw.shape[1]]
    np.add.at(dw[:, : part.shape[1]], codes(x, column), part)


@kernel(
    arrays={
        "dw": Array("B D", "w"),
        "rows": Array("B", "w", dtype="int64", values="any"),
        "order": Array("B", "w", dtype="int64", values="any"),
        "dy": Array("B O"),
        "x": Array("B I", values="codes"),
    },
    flops=per("B D", 1),
    scalars=tuple({"count": n} | setting for setting in _COLUMNS for n in (40, 300, 70_000)),
    tolerance=lambda d: 8 + d["B"],
    relative_to="array",
)
def embedding_sparse_bwd(dw, rows, order, dy, x, count, column, at):
    """Compute the gradient of `embedding_fwd` for the rows of the table that occur alone.

    The codes are sorted, equal ones in the order of their rows. Where a code first stands in that
    order, `rows` has it and dw the sum of its gradients; where it is repeated, −1 and zeros.

    Parameters
    ----------
    dw : ndarray, shape (B, D), real
        Written.
    rows : ndarray, shape (B,), int64
        Written.
    order : ndarray, shape (B,), int64
        Written: the rows of x by code.
    dy : ndarray, shape (B, O), real
    x : ndarray, shape (B, I), real
    count : int
        Rows of the table, at most 2³¹.
    column, at : int
        As for `embedding_fwd`.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> dw, rows, order = np.empty((3, 1)), np.empty(3, int), np.empty(3, int)
    >>> x, dy = np.array([[7.0], [0.0], [7.0]]), np.array([[1.0], [2.0], [4.0]])
    >>> fastnn.kernels.embedding_sparse_bwd(dw, rows, order, dy, x, 9, 0, 0)
    >>> rows, dw.T
    (array([ 0,  7, -1]), array([[2., 5., 0.]]))
    """
    order[...] = np.argsort(codes(x, column), kind="stable")
    ordered = codes(x, column)[order]
    first = np.diff(ordered, prepend=-1) > 0
    rows[...] = np.where(first, ordered, -1)
    dw[...] = 0
    part = dy[order, at : at + dw.shape[1]]
    groups = np.flatnonzero(first)[np.cumsum(first) - 1]
    np.add.at(dw[:, : part.shape[1]], groups, part)


@kernel(
    arrays={
        "values": Array("B D", "w"),
        "table": Array("N D"),
        "rows": Array("B", dtype="int64", values="rows"),
    },
    flops=per("B D", 1),
    tolerance=lambda d: 0,
)
def gather_rows(values, table, rows):
    """Rows of a table side by side: values[i] = table[rows[i]], or zeros where rows[i] is −1.

    Parameters
    ----------
    values : ndarray, shape (B, D), real
        Written.
    table : ndarray, shape (N, D), real
    rows : ndarray, shape (B,), int64
        In [−1, N).

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> values, table = np.empty((2, 1)), np.array([[1.0], [2.0]])
    >>> fastnn.kernels.gather_rows(values, table, np.array([1, -1])); values.T
    array([[2., 0.]])
    """
    values[...] = 0
    values[rows >= 0] = table[rows[rows >= 0]]


@kernel(
    arrays={
        "table": Array("N D", "rw"),
        "values": Array("B D"),
        "rows": Array("B", dtype="int64", values="rows"),
    },
    flops=per("B D", 1),
    tolerance=lambda d: 0,
)
def scatter_rows(table, values, rows):
    """Invert `gather_rows`: table[rows[i]] = values[i], except where rows[i] is −1.

    Parameters
    ----------
    table : ndarray, shape (N, D), real
        Updated.
    values : ndarray, shape (B, D), real
    rows : ndarray, shape (B,), int64
        In [−1, N), none of them twice but −1.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> table = np.array([[1.0], [2.0]])
    >>> fastnn.kernels.scatter_rows(table, np.array([[5.0], [6.0]]), np.array([1, -1])); table.T
    array([[1., 5.]])
    """
    table[rows[rows >= 0]] = values[rows >= 0]


@kernel(
    arrays={
        "y": Array("B O", "rw"),
        "x": Array("B I"),
        "mean": Array("K"),
        "variance": Array("K", values="positive"),
    },
    flops=per("B K", 2),
    scalars=({"column": 1, "at": 2}, {"column": 0, "at": 0}),
    relative_to="array",
)
def standardize_columns_fwd(y, x, mean, variance, column, at):
    """Normalise some columns of x into others of y.

    y[:, at : at + K] = (x[:, column : column + K] − mean) / √variance, as many of the K as there
    are in both.

    Parameters
    ----------
    y : ndarray, shape (B, O), real
        Written in part.
    x : ndarray, shape (B, I), real
    mean, variance : ndarray, shape (K,), real
    column, at : int
        Not negative.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, x = np.zeros((1, 2)), np.array([[3.0]])
    >>> fastnn.kernels.standardize_columns_fwd(y, x, np.ones(1), np.full(1, 4.0), 0, 1); y
    array([[0., 1.]])
    """
    width = min(len(mean), max(x.shape[1] - column, 0), max(y.shape[1] - at, 0))
    centred = x[:, column : column + width] - mean[:width]
    y[:, at : at + width] = centred / np.sqrt(variance[:width].astype(np.float64))
