"""Known answers of the kernels that arrange, repeat and merge numbers, and drop channels."""

import numpy as np
import pytest

from fastnn import kernels

pytestmark = pytest.mark.usefixtures("backend")


def test_permute_puts_axes_into_any_order():
    x = np.random.default_rng(0).normal(size=(3, 2, 5, 4))
    for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
        want = x.transpose(0, *(axis + 1 for axis in order))
        y = np.full(want.shape, np.nan)
        kernels.permute(y, x, *order)
        np.testing.assert_array_equal(y, want)


def test_upsample_repeats_lines_and_columns_and_its_gradient_adds_them():
    x = np.arange(24.0).reshape(2, 2, 3, 2)
    y = np.empty((2, 6, 6, 2))
    kernels.upsample_fwd(y, x, 3, 2)
    np.testing.assert_array_equal(y, x.repeat(3, axis=1).repeat(2, axis=2))
    dx = np.empty_like(x)
    kernels.upsample_bwd(dx, y, 3, 2)
    np.testing.assert_array_equal(dx, 6 * x)


def test_columns_are_put_and_taken():
    y, x = np.zeros((2, 5)), np.arange(1.0, 5).reshape(2, 2)
    kernels.put_columns(y, x, 3)
    np.testing.assert_array_equal(y, [[0, 0, 0, 1, 2], [0, 0, 0, 3, 4]])
    taken = np.empty((2, 3))
    kernels.take_columns(taken, y, 1)
    np.testing.assert_array_equal(taken, [[0, 0, 1], [0, 0, 3]])


def test_maximum_keeps_nan_and_gives_the_gradient_to_the_first_of_equals():
    a = np.array([1.0, 2.0, 3.0, np.nan, 1.0, -np.inf])
    b = np.array([2.0, 2.0, 1.0, 1.0, np.nan, -np.inf])
    y, da, db = np.empty(6), np.empty(6), np.empty(6)
    kernels.maximum_fwd(y, a, b)
    np.testing.assert_array_equal(y, [2, 2, 3, np.nan, np.nan, -np.inf])
    dy = np.arange(1.0, 7)
    kernels.maximum_bwd(da, db, dy, a, b)
    np.testing.assert_array_equal(da, [0, 2, 3, 4, 0, 6])
    np.testing.assert_array_equal(db, [1, 0, 0, 0, 5, 0])


def test_spatial_dropout_drops_whole_channels_of_a_row():
    x = np.ones((40, 6, 25))
    y, mask = np.empty_like(x), np.empty(40 * 25 // 8, np.uint8)
    kernels.spatial_dropout_fwd(y, mask, x, 0.25, seed=3, offset=0)
    kept = np.unpackbits(mask, bitorder="little").reshape(40, 1, 25)
    np.testing.assert_array_equal(y, np.broadcast_to(kept / 0.75, x.shape))
    assert abs(kept.mean() - 0.75) < 5 * np.sqrt(0.25 * 0.75 / kept.size)
    dx = np.empty_like(x)
    kernels.spatial_dropout_bwd(dx, mask, x, 0.25)
    np.testing.assert_array_equal(dx, y)
