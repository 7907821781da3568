"""Arguments that the native back end refuses by itself, for the safety of memory."""

import numpy as np
import pytest

from fastnn.errors import ArgumentError, ArgumentTypeError, FastnnError
from fastnn.kernels import KERNELS, native
from fastnn.testing.drawing import draw, letters

EVERY_ARRAY = pytest.mark.parametrize(
    ("kernel", "name"),
    [
        pytest.param(kernel, name, id=f"{kernel.name}-{name}")
        for kernel in KERNELS.values()
        for name in kernel.arrays
    ],
)


def arguments_of(kernel):
    shapes = dict.fromkeys(letters(kernel), 9) | {"*": (9,)}
    drawn = draw(kernel, shapes, np.float64, kernel.scalars[0], np.random.default_rng(0))
    for name, row in kernel.arrays.items():
        if row.access == "w":
            drawn[name].fill(7)
    return drawn


def misaligned(array):
    raw = np.zeros(array.nbytes + 1, np.uint8)[1:]
    return raw.view(array.dtype).reshape(array.shape)


def every_second(array):
    return np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)[..., ::2]


FAULTS = {
    "a list": np.ndarray.tolist,
    "another dtype": lambda a: a.astype(np.int16),
    "complex": lambda a: a.astype(np.complex128),
    "swapped bytes": lambda a: a.astype(a.dtype.newbyteorder()),
    "not aligned": misaligned,
    "strided": every_second,
    "objects": lambda a: a.astype(object),
}
NO_FAULT = {"swapped bytes", "not aligned"}  # for items of one byte


def check_refused(kernel, arguments, name=None):
    before = {n: a.tobytes() for n, a in arguments.items() if isinstance(a, np.ndarray)}
    with pytest.raises((ArgumentError, ArgumentTypeError)) as caught:
        getattr(native, kernel.name)(*arguments.values())
    assert name is None or name in str(caught.value)
    assert all(arguments[n].tobytes() == content for n, content in before.items())


@EVERY_ARRAY
@pytest.mark.parametrize("fault", FAULTS)
def test_arrays_of_another_kind_are_refused(kernel, name, fault):
    arguments = arguments_of(kernel)
    if kernel.arrays[name].dtype == "uint8" and fault in NO_FAULT:
        pytest.skip("bytes have neither order nor alignment")
    arguments[name] = FAULTS[fault](arguments[name])
    check_refused(kernel, arguments, name)


@EVERY_ARRAY
def test_mixed_precision_is_refused(kernel, name):
    if kernel.arrays[name].dtype not in ("real", "target") or len(kernel.arrays) == 1:
        pytest.skip("the only real array sets the precision")
    arguments = arguments_of(kernel)
    if sum(a.dtype == np.float64 for a in arguments.values() if isinstance(a, np.ndarray)) == 1:
        pytest.skip("the only real array sets the precision")
    arguments[name] = arguments[name].astype(np.float32)
    check_refused(kernel, arguments)


def settled_elsewhere(kernel, name, letter):
    """Return whether another array has the dimension too, so that a wrong size can be noticed."""
    others = (row.shape for other, row in kernel.arrays.items() if other != name)
    return "(" in letter or any(letter in shape for shape in others)


@EVERY_ARRAY
def test_arrays_of_another_shape_are_refused(kernel, name):
    if len(kernel.arrays) == 1:
        pytest.skip("any length is right")
    letters = kernel.arrays[name].shape.split()
    wrongs = [lambda a: np.zeros((1, *a.shape), a.dtype)]
    if settled_elsewhere(kernel, name, letters[-1]):
        wrongs.append(lambda a: np.zeros((*a.shape[:-1], a.shape[-1] + 1), a.dtype))
    if settled_elsewhere(kernel, name, letters[0]):
        wrongs.append(lambda a: np.zeros((a.shape[0] - 1, *a.shape[1:]), a.dtype))
    for wrong in wrongs:
        arguments = arguments_of(kernel)
        arguments[name] = wrong(arguments[name])
        check_refused(kernel, arguments)


@EVERY_ARRAY
def test_read_only_outputs_and_missing_arrays_are_refused(kernel, name):
    arguments = arguments_of(kernel)
    if kernel.arrays[name].written:
        arguments[name].flags.writeable = False
        check_refused(kernel, arguments, name)
    if not kernel.arrays[name].optional:
        arguments[name] = None
        check_refused(kernel, arguments, name)


@pytest.mark.parametrize("labels", [[-1, 0], [0, 3], [2**62, 0]])
def test_labels_out_of_range_are_refused(labels):
    dz, z = np.full((2, 3), 7.0), np.zeros((2, 3))
    with pytest.raises(ArgumentError, match="target must hold class numbers from 0 to 2"):
        native.softmax_cross_entropy(dz, z, np.array(labels), None, 0.0)
    assert (dz == 7).all()


@pytest.mark.parametrize("activation", ["gelu", "silu"])
def test_missing_pre_activation_is_refused(activation):
    dz = np.ones(3)
    with pytest.raises(ArgumentError, match="z must be given"):
        native.activation_bwd(dz, dz, dz, None, activation)
    x = np.ones((3, 3))
    with pytest.raises(ArgumentError, match="z must be given"):
        native.dense_bwd(None, x.copy(), None, x.copy(), x, x, x, activation)


@pytest.mark.parametrize("activation", ["rellu", None, ["relu"], 3])
def test_unknown_activations_are_refused(activation):
    y = np.ones(3)
    with pytest.raises(FastnnError, match="relu"):
        native.activation_fwd(y, y, activation)
    assert (y == 1).all()


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_out_of_range_are_refused(seed):
    words = np.zeros(4, np.uint32)
    with pytest.raises(OverflowError):
        native.philox(words, seed, 0)
    assert not words.any()


@pytest.mark.parametrize("shape", [(0, 3, 2), (2, 0, 3), (2, 3, 0)])
def test_empty_dimensions(shape):
    """An empty sum is zero, and there is nothing to write where nothing is."""
    B, I, O = shape  # noqa: E741
    x, w, b = np.ones((B, I)), np.ones((I, O)), np.full(O, 2.0)
    y = np.full((B, O), np.nan)
    native.dense_fwd(y, x, w, b, "identity")
    np.testing.assert_array_equal(y, x @ w + b)
    dx, dw, db = np.full((B, I), np.nan), np.full((I, O), np.nan), np.full(O, np.nan)
    native.dense_bwd(dx, dw, db, y.copy(), y, x, w, "identity")
    np.testing.assert_array_equal(dx, y @ w.T)
    np.testing.assert_array_equal(dw, x.T @ y)
    np.testing.assert_array_equal(db, y.sum(axis=0))
