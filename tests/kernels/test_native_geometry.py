"""Dimensions and settings that do not fit each other, which C refuses for the safety of memory."""

import numpy as np
import pytest

from fastnn.errors import ArgumentError
from fastnn.kernels import KERNELS, native
from fastnn.testing.drawing import letters

RELATED = pytest.mark.parametrize(
    "kernel", [pytest.param(k, id=k.name) for k in KERNELS.values() if k.relation is not None]
)
SMALL = (1, 2, 3, 4, 6, 9)
LARGE = 2**31 - 1


def drawn(kernel, rng):
    """Return random dimensions and settings that fit, with at most two of them changed."""
    sizes = {name: int(rng.choice(SMALL)) for name in letters(kernel)}
    settings = dict(kernel.scalars[rng.integers(len(kernel.scalars))])
    sizes = dict(kernel.relation.fit(sizes, settings))
    for _ in range(rng.integers(3)):
        if rng.random() < 0.5:
            sizes[str(rng.choice(sorted(sizes)))] = int(rng.integers(0, 12))
        elif integers := [name for name, value in settings.items() if type(value) is int]:
            name = str(rng.choice(integers))
            least = 0 if name in ("at", "first", "second", "third") or "pad" in name else 1
            settings[name] = int(rng.choice((least, least + 1, 5, 300, LARGE)))
            settings[name] = (
                min(settings[name], 2) if name in ("first", "second", "third") else settings[name]
            )
    return sizes, settings


def arguments_of(kernel, sizes, settings):
    arguments = {}
    for name in kernel.signature.parameters:
        if name in kernel.arrays:
            row = kernel.arrays[name]
            dtype = np.float64 if row.dtype == "real" else row.dtype
            arguments[name] = np.full([sizes[d] for d in row.dimensions], 7, dtype)
        else:
            arguments[name] = settings[name]
    return arguments


@RELATED
def test_what_does_not_fit_is_refused_and_all_else_is_not(kernel):
    rng, refused = np.random.default_rng(0), 0
    for _ in range(300):
        sizes, settings = drawn(kernel, rng)
        arguments = arguments_of(kernel, sizes, settings)
        if kernel.relation.violation(sizes, settings) is None:
            getattr(native, kernel.name)(**arguments)
            continue
        refused += 1
        with pytest.raises(ArgumentError, match="fit"):
            getattr(native, kernel.name)(**arguments)
        written = [a for n, a in arguments.items() if n in kernel.arrays]
        assert all(np.all(a == 7) for a in written)
    assert refused


@pytest.mark.parametrize("shift", [(2**31, 0), (0, -(2**31)), (-(2**62), 2**62)])
def test_shifts_beyond_any_image_are_refused(shift):
    y, x = np.full((1, 2, 2, 1), 7.0), np.ones((1, 2, 2, 1))
    with pytest.raises(ArgumentError, match="fit"):
        native.shift_window(y, x, *shift)
    assert np.all(y == 7)
