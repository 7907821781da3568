"""The kernels of BatchNorm and LayerNorm lose no digits, whatever the size of numbers."""

import numpy as np
import pytest
from layer_networks import normalized

from fastnn import kernels


@pytest.mark.parametrize("rows", [1, 2, 15, 16, 17, 33, 300])
@pytest.mark.parametrize("columns", [1, 3, 40, 65])
def test_a_mean_far_from_zero_costs_no_digits(rows, columns):
    rng = np.random.default_rng(rows)
    x = (1e6 + rng.normal(size=(rows, columns))).astype(np.float32)
    x[0] += 1000  # what numbers are taken relative to may be an outlier
    y, mean, variance = np.empty_like(x), *np.empty((2, columns), np.float32)
    kernels.batch_norm_fwd(y, mean, variance, x, None, None, 1e-3)
    wide = x.astype(float)
    np.testing.assert_allclose(variance, wide.var(axis=0), rtol=1e-5)
    np.testing.assert_allclose(y, normalized(wide, 0), atol=2e-5 * np.sqrt(rows))


ROWS_TO_NORMALISE = {
    "shifted": (1e6, 0.1),
    "shifted far": (3e7, 100.0),
    "large": (1e30, 1e29),
    "near the largest": (0.0, 5e37),
    "small": (0.0, 1e-3),
}


@pytest.mark.parametrize("columns", [2, 5, 16, 67, 3000])
@pytest.mark.parametrize("kind", ROWS_TO_NORMALISE)
def test_rows_of_any_size_are_normalised(backend, kind, columns):
    mean, deviation = ROWS_TO_NORMALISE[kind]
    rng = np.random.default_rng(columns)
    x = np.clip(mean + deviation * rng.normal(size=(4, columns)), -3.4e38, 3.4e38)
    x = x.astype(np.float32)
    y, centre, rstd = np.empty_like(x), *np.empty((2, 4), np.float32)
    kernels.layer_norm_fwd(y, centre, rstd, x, None, None, 1e-9)
    wide = x.astype(float)
    np.testing.assert_allclose(y, normalized(wide, 1, 1e-9), atol=1e-5)
    np.testing.assert_allclose(centre, wide.mean(axis=1), rtol=1e-6, atol=1e-6 * deviation)
    np.testing.assert_allclose(rstd, 1 / np.sqrt(wide.var(axis=1) + 1e-9), rtol=2e-3)


def test_rows_of_any_size_are_normalised_in_float64(backend):
    x = 1e300 * np.random.default_rng(0).normal(size=(3, 9))
    y, rstd = np.empty_like(x), np.empty(3)
    kernels.layer_norm_fwd(y, None, rstd, x, None, None, 1e-3)
    np.testing.assert_allclose(y, normalized(x / 1e300, 1, 0), rtol=1e-12)
    np.testing.assert_allclose(rstd * 1e300, 1 / (x / 1e300).std(axis=1), rtol=1e-12)
    y = np.empty_like(x)
    kernels.layer_norm_fwd(y, None, None, np.full_like(x, 1e300), None, None, 1e-3)
    np.testing.assert_array_equal(y, 0)


def test_gradients_of_large_rows_are_those_of_small_ones(backend):
    """LayerNorm does not see the size of a row: dx shrinks as x grows."""
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 3, 20)).astype(np.float32)
    found = []
    for size in (1.0, 2.0**80):
        y, dx, mean, rstd = np.empty_like(x), np.empty_like(x), *np.empty((2, 3), np.float32)
        large = x * np.float32(size)
        kernels.layer_norm_fwd(y, mean, rstd, large, None, None, 1e-12)
        kernels.layer_norm_bwd(dx, None, None, dy, large, mean, rstd, None)
        found.append(dx * np.float32(size))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-4, atol=1e-6)


def test_variances_that_float32_holds_do_not_overflow_on_the_way(backend):
    x = (1.2e19 * np.random.default_rng(0).normal(size=(40, 3))).astype(np.float32)
    y, mean, variance = np.empty_like(x), *np.empty((2, 3), np.float32)
    kernels.batch_norm_fwd(y, mean, variance, x, None, None, 1e-3)
    np.testing.assert_allclose(variance, x.astype(float).var(axis=0), rtol=1e-5)
    np.testing.assert_allclose(y, normalized(x.astype(float), 0), atol=1e-5)
