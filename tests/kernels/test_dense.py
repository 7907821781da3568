"""Matrix products of the native back end: sizes around the tiles, edges of memory, dropout."""

import ctypes
import mmap

import numpy as np
import pytest
from programs import output_of

from fastnn import kernels
from fastnn.kernels import native

REALS = [np.float32, np.float64]
PROT_NONE = 0


class FencedMemory:
    """Pages between two that nobody may touch; arrays start or end exactly at a fence."""

    def __init__(self, nbytes):
        page = mmap.PAGESIZE
        self._start, self._stop = page, page + -(-nbytes // page) * page
        self._map = mmap.mmap(-1, self._stop + page)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        libc = ctypes.CDLL(None, use_errno=True)
        for fence in (0, self._stop):
            assert libc.mprotect(ctypes.c_void_p(address + fence), page, PROT_NONE) == 0

    def array(self, values, at_end):
        offset = self._stop - values.nbytes if at_end else self._start
        place = np.frombuffer(self._map, np.uint8, values.nbytes, offset)
        array = place.view(values.dtype).reshape(values.shape)
        array[...] = values
        return array


def random_sizes(rng):
    """Mostly around the tiles; now and then one that takes several depth blocks or bands."""
    sizes = rng.integers(1, 71, 3)
    if rng.random() < 0.2:
        sizes[rng.integers(3)] = rng.integers(250, 700)
    return (int(n) for n in sizes)


def check_products(seed, calls):
    """Small whole numbers: every sum is exact in any order, so results must be equal."""
    rng = np.random.default_rng(seed)
    memory = [FencedMemory(1 << 19) for _ in range(10)]
    for _ in range(calls):
        rows, inputs, outputs = random_sizes(rng)
        dtype, at_end = REALS[rng.integers(2)], bool(rng.integers(2))
        place = iter(memory)

        def fenced(values, place=place, dtype=dtype, at_end=at_end):
            return next(place).array(values.astype(dtype), at_end)

        x, w, b, dy = (
            rng.integers(-4, 5, shape)
            for shape in ((rows, inputs), (inputs, outputs), outputs, (rows, outputs))
        )
        X, W, bias, dY = fenced(x), fenced(w), fenced(b), fenced(dy)
        Y, Z = fenced(np.full((rows, outputs), np.nan)), fenced(np.full((rows, outputs), np.nan))
        dX, dW, db = (
            fenced(np.full(shape, np.nan)) for shape in ((rows, inputs), (inputs, outputs), outputs)
        )
        native.dense_fwd(Y, X, W, bias, "relu", Z if rng.integers(2) else None)
        pre = x @ w + b
        np.testing.assert_array_equal(Y, np.maximum(pre, 0), str((rows, inputs, outputs)))
        native.dense_fwd(Z, X, W, None, "identity")
        np.testing.assert_array_equal(Z, x @ w, str((rows, inputs, outputs)))
        native.dense_bwd(dX, dW, db, dY, Y, X, W, "relu")
        dz = dy * (pre > 0)
        np.testing.assert_array_equal(dY, dz)
        np.testing.assert_array_equal(dX, dz @ w.T, str((rows, inputs, outputs)))
        np.testing.assert_array_equal(dW, x.T @ dz, str((rows, inputs, outputs)))
        np.testing.assert_array_equal(db, dz.sum(0), str((rows, inputs, outputs)))
        for array in (X, W, bias):
            assert np.isfinite(array).all()


@pytest.mark.skipif(not hasattr(mmap, "MAP_PRIVATE"), reason="needs mprotect")
@pytest.mark.parametrize("isa", native.available_isas())
def test_products_are_exact_and_stay_inside_their_arrays(isa):
    program = "import test_dense; test_dense.check_products(seed=0, calls=400); print('exact')"
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


FUSED_SIZES = [(1, 3, 1), (5, 7, 3), (33, 20, 10), (64, 300, 2), (40, 17, 37), (300, 64, 100)]


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("activation", ["identity", "relu", "gelu", "tanh"])
@pytest.mark.parametrize("sizes", FUSED_SIZES)
def test_fused_dropout_draws_and_drops_as_the_separate_kernel(backend, sizes, activation, dtype):
    """To the bit, for rows that end inside a byte of the mask too."""
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
