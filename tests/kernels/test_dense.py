"""Matrix products of the native back end: sizes around the tiles, edges of memory, dropout."""

from __future__ import annotations

import mmap

import numpy as np
import pytest
from exact_products import REALS
from programs import output_of

from fastnn import kernels
from fastnn.kernels import native


@pytest.mark.skipif(not hasattr(mmap, "MAP_PRIVATE"), reason="needs mprotect")
@pytest.mark.parametrize("isa", native.available_isas())
def test_products_are_exact_and_stay_inside_their_arrays(isa):
    program = (
        "import exact_products; exact_products.check_products(seed=0, calls=400); print('exact')"
    )
    assert output_of(program, FASTNN_ISA=isa) == "exact"


# Gradients of a few weights over a long batch, around the size up to which the batch is cut.
LONG_SIZES = [(1, 1, 600_001), (2, 10, 100_003), (32, 16, 4096), (57, 9, 4099), (32, 32, 4097),
              (33, 32, 4001), (1, 129, 5000), (3, 128, 5000)]  # fmt: skip


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("sizes", LONG_SIZES)
def test_gradients_over_a_long_batch_are_exact(sizes, dtype):
    inputs, outputs, rows = sizes
    rng = np.random.default_rng(0)
    x = rng.integers(-4, 5, (rows, inputs)).astype(dtype)
    dy = rng.integers(-1, 2, (rows, outputs)).astype(dtype)
    dw, db = np.full((inputs, outputs), np.nan, dtype), np.full(outputs, np.nan, dtype)
    w = np.zeros_like(dw)
    native.dense_bwd(None, dw, db, dy, dy.copy(), x, w, "identity")
    np.testing.assert_array_equal(dw, x.T @ dy)
    np.testing.assert_array_equal(db, dy.sum(0))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("sizes", [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0)])
def test_products_of_nothing(backend, sizes, dtype):
    rows, inputs, outputs = sizes
    x, w, b, dy = (
        np.ones(shape, dtype)
        for shape in ((rows, inputs), (inputs, outputs), outputs, (rows, outputs))
    )
    y, dx, dw, db = (np.full(a.shape, np.nan, dtype) for a in (dy, x, w, b))
    kernels.dense_fwd(y, x, w, b, "relu")
    np.testing.assert_array_equal(y, np.ones((rows, outputs)) + inputs)
    kernels.dense_bwd(dx, dw, db, dy, y, x, w, "relu")
    np.testing.assert_array_equal(dw, np.full((inputs, outputs), rows))
    np.testing.assert_array_equal(dx, np.full((rows, inputs), outputs))
    np.testing.assert_array_equal(db, np.full(outputs, rows))


# Rows and columns around the number of rows that are summed as one, and of tasks.
SLOPE_SIZES = [(1, 1), (7, 3), (33, 2), (32, 32), (200, 10), (200, 100), (130, 65), (1023, 9),
               (5, 511), (9, 512), (40, 513), (70, 1100), (4100, 5)]  # fmt: skip


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("activation", ["identity", "relu", "gelu"])
@pytest.mark.parametrize("sizes", SLOPE_SIZES)
def test_slopes_and_gradients_of_the_bias(sizes, activation, dtype):
    rows, outputs = sizes
    rng = np.random.default_rng(0)
    z = rng.integers(-4, 5, sizes).astype(dtype)
    y, dy = np.empty_like(z), rng.integers(-3, 4, sizes).astype(dtype)
    native.activation_fwd(y, z, activation)
    expected = np.empty_like(dy)
    native.activation_bwd(expected, dy, y, z, activation)
    db, x, w = (
        np.full(outputs, np.nan, dtype),
        np.ones((rows, 1), dtype),
        np.ones((1, outputs), dtype),
    )
    native.dense_bwd(None, None, db, dy, y, x, w, activation, z)
    np.testing.assert_array_equal(dy, expected)
    exact = expected.sum(0, dtype=np.float64)
    if activation == "gelu":
        np.testing.assert_allclose(db, exact, rtol=1e-5, atol=2e-6 * rows)
    else:
        np.testing.assert_array_equal(db, exact)


FUSED_SIZES = [(1, 3, 1), (5, 7, 3), (33, 20, 10), (64, 300, 2), (40, 17, 37), (300, 64, 100)]


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("activation", ["identity", "relu", "gelu", "tanh"])
@pytest.mark.parametrize("sizes", FUSED_SIZES)
def test_fused_dropout_draws_and_drops_as_the_separate_kernel(backend, sizes, activation, dtype):
    """Bits are equal, also for rows that end inside a byte of the mask."""
    rows, inputs, outputs = sizes
    rng = np.random.default_rng(0)
    x, w, b = (
        rng.normal(size=shape).astype(dtype)
        for shape in ((rows, inputs), (inputs, outputs), outputs)
    )
    draw = {"rate": 0.3, "seed": 7, "offset": 1 << 48}
    fused, apart, pre = (np.full((rows, outputs), np.nan, dtype) for _ in range(3))
    masks = [np.zeros((rows * outputs + 7) // 8, np.uint8) for _ in range(2)]
    kernels.dense_dropout_fwd(fused, masks[0], x, w, b, activation, **draw, z=pre)
    kernels.dense_fwd(apart, x, w, b, activation)
    kernels.dropout_fwd(apart, masks[1], apart, **draw)
    assert masks[0].tobytes() == masks[1].tobytes()
    assert fused.tobytes() == apart.tobytes()

    dy = rng.normal(size=(rows, outputs)).astype(dtype)
    gradients = []
    for kernel in ("fused", "apart"):
        dx, dw, db, dz = np.empty_like(x), np.empty_like(w), np.empty_like(b), dy.copy()
        if kernel == "fused":
            kernels.dense_dropout_bwd(
                dx, dw, db, dz, fused, masks[0], x, w, activation, draw["rate"], pre
            )
        else:
            kernels.dropout_bwd(dz, masks[0], dz, draw["rate"])
            undropped = fused / dtype(kernels.reference.dropout.dropout_scale(draw["rate"]))
            kernels.dense_bwd(dx, dw, db, dz, undropped, x, w, activation, pre)
        gradients.append([a.tobytes() for a in (dx, dw, db, dz)])
    assert gradients[0] == gradients[1]
