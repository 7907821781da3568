"""Activations: y = value(z), dz = dy * slope(y, z)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import where

from ..table import Array, kernel, per
from .quiet import quiet

# Written with ufuncs and `where` alone, so that one text serves whole arrays here and single
# elements in the Numba back end. Every value passes NaN on: a network that diverged must not look
# healthy.

LEAKY_RELU_SLOPE = 0.01
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
GELU_CUBIC = 0.044715
GELU_FACTOR = 0.7978845608028654  # sqrt(2 / pi)
GELU_SATURATION = 20.0  # beyond it the slope is 0 or 1, and z * z might overflow


def _identity(z):
    return z


def _identity_slope(y, z):
    return 1.0


def _relu(z):
    return np.maximum(z, 0)


def _relu_slope(y, z):
    return where(y > 0, 1.0, 0.0)


def _leaky_relu(z):
    return where(z < 0, LEAKY_RELU_SLOPE * z, z)


def _leaky_relu_slope(y, z):
    return where(y > 0, 1.0, LEAKY_RELU_SLOPE)


def _elu(z):
    return where(z > 0, z, np.expm1(np.minimum(z, 0)))


def _elu_slope(y, z):
    return where(y > 0, 1.0, y + 1)


def _selu(z):
    return SELU_SCALE * where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0)))


def _selu_slope(y, z):
    return where(y > 0, SELU_SCALE, y + SELU_SCALE * SELU_ALPHA)


def _sigmoid(z):
    e = np.exp(-np.abs(z))  # never overflows
    return where(z < 0, e, 1.0) / (1 + e)


def _sigmoid_slope(y, z):
    return y * (1 - y)


def _gelu_gate(z):
    """Compute (1 + tanh u) / 2 as sigmoid(2 u), which keeps its digits where tanh is near -1."""
    return _sigmoid(2 * GELU_FACTOR * (z + GELU_CUBIC * z * z * z))


def _gelu(z):
    return z * _gelu_gate(z)


def _gelu_slope(y, z):
    s = _gelu_gate(z)
    c = np.minimum(np.maximum(z, -GELU_SATURATION), GELU_SATURATION)
    return s * (1 + c * (1 - s) * 2 * GELU_FACTOR * (1 + 3 * GELU_CUBIC * c * c))


def _silu(z):
    return z * _sigmoid(z)


def _silu_slope(y, z):
    s = _sigmoid(z)
    return s * (1 + z * (1 - s))


def _softplus(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def _softplus_slope(y, z):
    return -np.expm1(-y)


def _tanh(z):
    return np.tanh(z)


def _tanh_slope(y, z):
    return 1 - y * y


def _exp(z):
    return np.exp(z)


def _exp_slope(y, z):
    return y


class ActivationFormula(NamedTuple):
    """A row of the activations.

    Attributes
    ----------
    value, slope : callable
        ``value(z)`` and ``slope(y, z)``.
    needs_z : bool
        Whether the slope needs z, because y does not determine it.
    kink : bool
        Whether the slope jumps at 0: a finite difference across it is meaningless.
    initializer : str
        The weight initializer that keeps the variance of the signal.
    """

    value: Callable
    slope: Callable
    needs_z: bool = False
    kink: bool = False
    initializer: str = "glorot_uniform"


def _rectified(value: Callable, slope: Callable, **facts: bool) -> ActivationFormula:
    """Return the row of an activation that lets half of the signal through."""
    return ActivationFormula(value, slope, initializer="he_normal", **facts)


#: leaky_relu has slope 0.01, elu alpha 1, gelu is the tanh form; selu is Klambauer et al., 2017,
#: whose self-normalization has LeCun's initializer for its premise.
ACTIVATIONS: dict[str, ActivationFormula] = {
    "identity": ActivationFormula(_identity, _identity_slope),
    "relu": _rectified(_relu, _relu_slope, kink=True),
    "leaky_relu": _rectified(_leaky_relu, _leaky_relu_slope, kink=True),
    "elu": _rectified(_elu, _elu_slope, kink=True),
    "selu": ActivationFormula(_selu, _selu_slope, kink=True, initializer="lecun_normal"),
    "gelu": _rectified(_gelu, _gelu_slope, needs_z=True),
    "silu": _rectified(_silu, _silu_slope, needs_z=True),
    "softplus": _rectified(_softplus, _softplus_slope),
    "sigmoid": ActivationFormula(_sigmoid, _sigmoid_slope),
    "tanh": ActivationFormula(_tanh, _tanh_slope),
    "exp": ActivationFormula(_exp, _exp_slope),
}

#: Settings of a kernel whose only one is the activation.
EVERY_ACTIVATION = tuple({"activation": name} for name in ACTIVATIONS)


@kernel(
    arrays={"y": Array("*", "w"), "z": Array("*")},
    flops=per("*", 2),
    scalars=EVERY_ACTIVATION,
    tolerance=lambda d: 16,  # gelu's tail: exp magnifies the rounding of its argument
    in_place=(("y", "z"),),
)
@quiet
def activation_fwd(y, z, activation):
    """Apply an activation to every element: y = activation(z).

    Parameters
    ----------
    y : ndarray, shape (*), real
        Written. May be `z` itself.
    z : ndarray, shape (*), real
    activation : str
        A name of `fastnn.kernels.ACTIVATIONS`.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> z = np.array([-1.0, 0.0, 2.0])
    >>> fastnn.kernels.activation_fwd(z, z, "relu"); z
    array([0., 0., 2.])
    """
    y[...] = ACTIVATIONS[activation].value(z)


@kernel(
    arrays={
        "dz": Array("*", "w"),
        "dy": Array("*"),
        "y": Array("*"),
        "z": Array("*", optional=True),
    },
    flops=per("*", 3),
    scalars=EVERY_ACTIVATION,
    tolerance=lambda d: 32,
    relative_to="dy",  # a slope of order 1 is a difference of numbers of order 1
    in_place=(("dz", "dy"),),
)
@quiet
def activation_bwd(dz, dy, y, z, activation):
    """Gradient of an activation: dz = dy * activation'(z).

    Parameters
    ----------
    dz : ndarray, shape (*), real
        Written. May be `dy` itself.
    dy, y : ndarray, shape (*), real
        Gradient at the output, and the output itself.
    z : ndarray, shape (*), real, or None
        The input; only gelu and silu need it.
    activation : str
        A name of `fastnn.kernels.ACTIVATIONS`.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, dz = np.array([0.0, 2.0]), np.ones(2)
    >>> fastnn.kernels.activation_bwd(dz, dz, y, None, "relu"); dz
    array([0., 1.])
    """
    dz[...] = dy * ACTIVATIONS[activation].slope(y, z)
