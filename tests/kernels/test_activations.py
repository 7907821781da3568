"""Activations against closed forms elsewhere, and slopes against differences."""

import numpy as np
import pytest
from scipy import special

from fastnn import kernels

# The field's definitions, through scipy.special where it has them.
ORACLES = {
    "identity": lambda z: z,
    "relu": lambda z: z.clip(0),
    "leaky_relu": lambda z: z.clip(0) + 0.01 * z.clip(None, 0),
    "elu": lambda z: z.clip(0) + special.expm1(z.clip(None, 0)),
    "selu": lambda z: (
        1.0507009873554804934193349852946
        * (z.clip(0) + 1.6732632423543772848170429916717 * special.expm1(z.clip(None, 0)))
    ),
    "gelu": lambda z: 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    "silu": lambda z: z * special.expit(z),
    "softplus": lambda z: np.logaddexp(0, z),
    "sigmoid": special.expit,
    "tanh": lambda z: 1 - 2 * special.expit(-2 * z),
    "exp": np.exp,
}


def forward(z, activation):
    y = np.empty_like(z)
    kernels.activation_fwd(y, z, activation)
    return y


@pytest.mark.parametrize("activation", kernels.ACTIVATIONS)
def test_values(backend, activation):
    z = np.linspace(-9, 9, 1001)
    oracle = ORACLES[activation](z)
    np.testing.assert_allclose(forward(z, activation), oracle, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("activation", kernels.ACTIVATIONS)
def test_slopes_are_derivatives(backend, activation):
    z = np.linspace(-5, 5, 1000)  # 0, where some have a kink, is not among them
    h = 1e-5
    difference = (ORACLES[activation](z + h) - ORACLES[activation](z - h)) / (2 * h)
    dz, dy = np.empty_like(z), np.full_like(z, -2.0)
    kernels.activation_bwd(dz, dy, forward(z, activation), z, activation)
    np.testing.assert_allclose(dz, -2 * difference, rtol=1e-7, atol=1e-9)


def test_gelu_is_close_to_the_exact_form(backend):
    """The tanh form differs from z Φ(z) by less than 0.0005 (Hendrycks, Gimpel, 2016)."""
    z = np.linspace(-6, 6, 1001)
    assert 1e-4 < np.max(np.abs(forward(z, "gelu") - z * special.ndtr(z))) < 5e-4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["gelu", "silu", "softplus", "sigmoid", "elu", "exp"])
def test_small_values_keep_their_digits(backend, activation, dtype):
    z = np.linspace(-6, -4, 101, dtype=dtype)
    wide = z.astype(np.longdouble)
    gate = {"gelu": 2 * np.sqrt(2 / np.longdouble(np.pi)) * (wide + 0.044715 * wide**3)}
    exact = {
        "gelu": lambda: wide / (1 + np.exp(-gate["gelu"])),
        "silu": lambda: wide / (1 + np.exp(-wide)),
        "softplus": lambda: np.log1p(np.exp(wide)),
        "sigmoid": lambda: 1 / (1 + np.exp(-wide)),
        "elu": lambda: np.expm1(wide),
        "exp": lambda: np.exp(wide),
    }[activation]()
    error = np.abs(forward(z, activation) - exact) / np.abs(exact)
    assert error.max() <= 32 * np.finfo(dtype).eps


@pytest.mark.parametrize("with_z", [True, False])
def test_dense_is_affine_then_activation(backend, with_z):
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(7, 5)), rng.normal(size=(5, 3)), rng.normal(size=3)
    y, z = np.empty((7, 3)), np.empty((7, 3)) if with_z else None
    kernels.dense_fwd(y, x, w, b, "gelu", z)
    pre = np.einsum("bi,io->bo", x, w) + b
    np.testing.assert_allclose(y, ORACLES["gelu"](pre), rtol=1e-12, atol=1e-13)
    if with_z:
        np.testing.assert_allclose(z, pre, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("activation", kernels.ACTIVATIONS)
def test_dense_gradients_are_derivatives(backend, activation):
    """Gradients of Σ c y equal central differences of the oracle in every weight and input."""
    rng = np.random.default_rng(1)
    arrays = {"x": rng.normal(size=(4, 3)), "w": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}
    c = rng.normal(size=(4, 2))

    def total():
        pre = np.einsum("bi,io->bo", arrays["x"], arrays["w"]) + arrays["b"]
        return np.sum(c * ORACLES[activation](pre))

    y, z = np.empty((4, 2)), np.empty((4, 2))
    kernels.dense_fwd(y, arrays["x"], arrays["w"], arrays["b"], activation, z)
    dx, dw, db = (np.empty_like(a) for a in arrays.values())
    kernels.dense_bwd(dx, dw, db, c.copy(), y, arrays["x"], arrays["w"], activation, z)
    for name, gradient in {"x": dx, "w": dw, "b": db}.items():
        for index in np.ndindex(gradient.shape):
            value, h = arrays[name][index], 1e-5
            arrays[name][index] = value + h
            above = total()
            arrays[name][index] = value - h
            below = total()
            arrays[name][index] = value
            expected = (above - below) / (2 * h)
            np.testing.assert_allclose(gradient[index], expected, rtol=1e-6, atol=1e-8)
