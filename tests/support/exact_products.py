"""Matrix products of whole numbers on fenced memory, for a process of each instruction set."""

from __future__ import annotations

import ctypes
import mmap

import numpy as np

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
