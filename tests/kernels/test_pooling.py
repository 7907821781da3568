"""Kernels of pooling: plain loops as oracle, ties, NaN, infinities and padding."""

import itertools

import numpy as np
import pytest
from convolution_oracle import average_pool, max_pool

from fastnn import kernels
from fastnn.errors import ArgumentError

# pool, stride, pad, (OH, OW) of images (7, 8)
CASES = {
    "2 x 2": ((2, 2), (2, 2), (0, 0), (3, 4)),
    "overlapping, padded": ((3, 3), (2, 2), (1, 1), (4, 4)),
    "odd cell after": ((3, 2), (1, 1), (1, 0), (7, 8)),
    "cells left over": ((2, 3), (3, 4), (0, 1), (2, 2)),
    "all of it": ((7, 8), (1, 1), (0, 0), (1, 1)),
}
ORACLES = {"max": max_pool, "average": average_pool}


def run(kind, x, dy, case):
    """Values and gradient of a pooling kernel."""
    size, stride, pad, out = case
    numbers = (*size, *stride, *pad)
    y, dx = np.empty((len(x), *out, x.shape[-1])), np.full_like(x, np.nan)
    if kind == "average":
        kernels.average_pool_fwd(y, x, *numbers)
        kernels.average_pool_bwd(dx, dy, *numbers)
    else:
        index = np.empty(y.shape, np.uint8)
        kernels.max_pool_fwd(y, index, x, *numbers)
        kernels.max_pool_bwd(dx, dy, index, *numbers)
    return y, dx


@pytest.mark.parametrize("kind", ORACLES)
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_plain_loops(backend, name, kind):
    size, stride, pad, out = CASES[name]
    rng = np.random.default_rng(0)
    x = rng.integers(-2, 3, (2, 7, 8, 5)).astype(float)  # with many ties
    dy = rng.normal(size=(2, *out, 5))
    y, dx = run(kind, x, dy, CASES[name])
    want = [ORACLES[kind](image, g, size, stride, pad) for image, g in zip(x, dy, strict=True)]
    np.testing.assert_allclose(y, [one for one, _ in want], rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(dx, [one for _, one in want], rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("bad", [np.nan, -np.inf, np.inf])
def test_nan_and_infinities_pass(backend, bad):
    x = np.zeros((1, 4, 4, 1))
    x[0, :2, :2] = bad
    x[0, 3, 3] = bad
    y, dx = run("max", x, np.ones((1, 2, 2, 1)), ((2, 2), (2, 2), (0, 0), (2, 2)))
    want = x.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(2, 2, 4).max(axis=2)
    np.testing.assert_array_equal(y[0, ..., 0], want)
    assert dx.sum() == 4
    assert dx[0, 0, 0, 0] == 1


def test_padding_never_wins_over_minus_infinity(backend):
    x = np.full((1, 2, 2, 1), -np.inf)
    y, dx = run("max", x, np.ones((1, 1, 1, 1)), ((3, 3), (2, 2), (1, 1), (1, 1)))
    assert y.item() == -np.inf
    np.testing.assert_array_equal(dx.ravel(), [1, 0, 0, 0])


def test_whole_images(backend):
    rng = np.random.default_rng(3)
    x = rng.integers(0, 3, (4, 7, 5)).astype(float)
    x[0, 2:4, 1] = np.nan
    y, mean = np.empty((4, 5)), np.empty((4, 5))
    index, dy, dx = np.empty((4, 5), np.uint32), rng.normal(size=(4, 5)), np.empty_like(x)
    kernels.global_max_fwd(y, index, x)
    kernels.global_max_bwd(dx, dy, index)
    for row, channel in itertools.product(range(4), range(5)):
        column = x[row, :, channel].tolist()
        missing = [k for k, value in enumerate(column) if value != value]
        winner = missing[0] if missing else column.index(max(column))
        assert index[row, channel] == winner
        np.testing.assert_equal(y[row, channel], column[winner])
        want = np.zeros(7)
        want[winner] = dy[row, channel]
        np.testing.assert_array_equal(dx[row, :, channel], want)
    kernels.global_average_fwd(mean, x)
    np.testing.assert_allclose(mean, x.sum(axis=1) / 7, rtol=1e-14)
    kernels.global_average_bwd(dx, dy)
    np.testing.assert_allclose(dx, np.repeat(dy[:, None], 7, axis=1) / 7, rtol=1e-15)


def test_winners_outside_the_image_get_nothing(backend):
    dx, dy = np.empty((1, 2, 2, 1)), np.ones((1, 1, 1, 1))
    for cell in (0, 5, 255):
        index = np.full((1, 1, 1, 1), cell, np.uint8)
        kernels.max_pool_bwd(dx, dy, index, 3, 3, 1, 1, 1, 1)
        assert dx.sum() == (cell == 5)


@pytest.mark.parametrize(
    ("numbers", "match"),
    [
        ((17, 16, 1, 1, 0, 0), "pool_h pool_w must be at most 256, got 272"),
        ((2, 2, 1, 1, 2, 0), "pad_h must be below 2, the reach of a window, got 2"),
        ((2, 2, 4, 1, 0, 0), "OH must be at most 1, the windows that begin in x, got 2"),
    ],
)
def test_windows_that_do_not_fit_are_refused(numbers, match):
    y, index = np.zeros((1, 2, 2, 1)), np.zeros((1, 2, 2, 1), np.uint8)
    with pytest.raises(ArgumentError, match=match):
        kernels.max_pool_fwd(y, index, np.ones((1, 4, 4, 1)), *numbers)
    assert not y.any()
