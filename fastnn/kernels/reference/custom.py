"""Activations and losses of the user: Python functions, called for each element or row."""

from __future__ import annotations

import numpy as np

from ..functions import ElementFunction, RowGradient, RowLoss, SlopeFunction
from ..table import Array, kernel, per
from .loss import row_factors
from .quiet import quiet

# Functions of a user for tests and benchmarks.


def _softsign(x):
    return x / (1 + abs(x))


def _softsign_slope(x, y):
    return (1 + y * y) / (1 + abs(x))


def _squared_distance(output, target):
    total = 0.0
    for i in range(output.size):
        total += (output[i] - target[i]) ** 2
    return total


def _squared_distance_gradient(output, target, out):
    for i in range(output.size):
        out[i] = 2 * (output[i] - target[i])


_DISTANCE = {
    "row_loss": RowLoss(_squared_distance),
    "row_gradient": RowGradient(_squared_distance_gradient),
}


@kernel(
    arrays={"y": Array("*", "w"), "z": Array("*")},
    flops=per("*", 3),
    scalars=({"function": ElementFunction(_softsign)},),
)
@quiet
def custom_activation_fwd(y, z, function):
    """Apply a function of the user to every element: y = function(z).

    Parameters
    ----------
    y : ndarray, shape (*), real
        Written.
    z : ndarray, shape (*), real
    function : fastnn.kernels.functions.ElementFunction
        Of single numbers: called with NumPy's float64.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> from fastnn.kernels.functions import ElementFunction
    >>> y = np.empty(2)
    >>> square = ElementFunction(lambda x: x * x)
    >>> fastnn.kernels.custom_activation_fwd(y, np.array([2.0, 3.0]), square); y
    array([4., 9.])
    """
    y.reshape(-1)[:] = [function.python(x) for x in z.astype(np.float64).flat]


@kernel(
    arrays={"dz": Array("*", "w"), "dy": Array("*"), "y": Array("*"), "z": Array("*")},
    flops=per("*", 6),
    scalars=({"derivative": SlopeFunction(_softsign_slope)},),
    relative_to="dy",
    in_place=(("dz", "dy"),),
)
@quiet
def custom_activation_bwd(dz, dy, y, z, derivative):
    """Gradient of a function of the user: dz = dy * derivative(z, y).

    Parameters
    ----------
    dz : ndarray, shape (*), real
        Written. May be `dy` itself.
    dy, y, z : ndarray, shape (*), real
        Gradient at the output, the output, and the input.
    derivative : fastnn.kernels.functions.SlopeFunction

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> from fastnn.kernels.functions import SlopeFunction
    >>> z, dz = np.array([2.0, 3.0]), np.ones(2)
    >>> slope = SlopeFunction(lambda x, y: 2 * x)
    >>> fastnn.kernels.custom_activation_bwd(dz, dz, z * z, z, slope); dz
    array([4., 6.])
    """
    pairs = zip(z.astype(np.float64).flat, y.astype(np.float64).flat, strict=True)
    slopes = [derivative.python(x, value) for x, value in pairs]
    dz[...] = dy * np.array(slopes, dtype=np.float64).reshape(dy.shape)


@kernel(
    arrays={
        "dy": Array("B O", "w", optional=True),
        "y": Array("B O"),
        "target": Array("B O"),
        "weight": Array("B", optional=True, values="positive"),
    },
    flops=per("B O", 5),
    scalars=(_DISTANCE,),
    tolerance=lambda d: 8 + d["O"],
    relative_to="array",
)
@quiet
def custom_loss(dy, y, target, weight, row_loss, row_gradient) -> float:
    """Loss of the user: the weighted mean over rows of row_loss(output, target).

    Parameters
    ----------
    dy : ndarray, shape (B, O), real, or None
        Written.
    y, target : ndarray, shape (B, O), real
    weight : ndarray, shape (B,), real, or None
        Sample weights, not negative.
    row_loss : fastnn.kernels.functions.RowLoss
        Takes two arrays of shape (O,), which it must not change.
    row_gradient : fastnn.kernels.functions.RowGradient
        Takes a third one, full of zeros, for the gradient.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> from fastnn.kernels.functions import RowGradient, RowLoss
    >>> def distance(output, target):
    ...     return np.abs(output - target).sum()
    >>> def direction(output, target, out):
    ...     out[:] = np.sign(output - target)
    >>> y, target = np.zeros((2, 2)), np.array([[1.0, 1.0], [3.0, 3.0]])
    >>> fastnn.kernels.custom_loss(
    ...     None, y, target, None, RowLoss(distance), RowGradient(direction))
    4.0
    """
    factor = row_factors(weight, len(y))
    y, target = _read_only(y), _read_only(target)
    losses = [row_loss.python(*row) for row in zip(y, target, strict=True)]
    if dy is not None:
        gradient = np.zeros_like(y)
        for row in zip(y, target, gradient, strict=True):
            row_gradient.python(*row)
        dy[...] = gradient * factor
    return float(np.array(losses, dtype=np.float64) @ factor[:, 0])


def _read_only(array):
    view = array.view()
    view.flags.writeable = False
    return view
