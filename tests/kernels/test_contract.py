"""Arguments that a kernel refuses: a named error, before anything is written."""

import os
import subprocess
import sys

import numpy as np
import pytest

from fastnn import kernels
from fastnn.errors import ArgumentError, ArgumentTypeError, BackendError
from fastnn.kernels import KERNELS
from fastnn.testing.drawing import draw, letters

SIZES = {"D": 2, "K": 2, "N": 6, "B": 6, "I": 5, "O": 4, "C": 3, "*": (12,), "n": 6}
SIZES |= {"H": 4, "W": 5, "OH": 3, "OW": 2, "KH": 3, "KW": 2, "G": 2, "P": 4, "Q": 3, "R": 2}


def arguments(name, dtype=np.float64, **settings):
    kernel = KERNELS[name]
    setting = kernel.scalars[0] | settings
    shapes = {letter: SIZES[letter] for letter in letters(kernel)}
    return draw(kernel, shapes, dtype, setting, np.random.default_rng(0))


def refuse(name, error, match, changes, **settings):
    """The call with some arguments changed raises, and leaves every array as it was."""
    call = arguments(name, **settings) | changes
    before = {n: a.tobytes() for n, a in call.items() if isinstance(a, np.ndarray)}
    with pytest.raises(error, match=match):
        getattr(kernels, name)(**call)
    assert before == {n: a.tobytes() for n, a in call.items() if isinstance(a, np.ndarray)}


def misaligned(array):
    raw = np.zeros(array.nbytes + 1, np.uint8)
    return raw[1:].view(array.dtype).reshape(array.shape)


SPOILT = {
    "a list": (lambda a: a.tolist(), ArgumentTypeError, "must be a numpy.ndarray, got list"),
    "masked": (np.ma.masked_array, ArgumentTypeError, "must be a numpy.ndarray, got MaskedArray"),
    "objects": (lambda a: a.astype(object), ArgumentTypeError, "must have dtype .*, got object"),
    "int16": (lambda a: a.astype(np.int16), ArgumentTypeError, "must have dtype .*, got int16"),
    "byte-swapped": (
        lambda a: a.astype(a.dtype.newbyteorder()) if a.itemsize > 1 else a.astype(">i2"),
        ArgumentTypeError,
        "must have dtype .*, got >",
    ),
    "strided": (
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
        ArgumentError,
        "must be C-contiguous",
    ),
}


ARRAYS = [(row.name, array) for row in KERNELS.values() for array in row.arrays]


@pytest.mark.parametrize("spoil", SPOILT)
@pytest.mark.parametrize(("name", "array"), ARRAYS)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_arrays_of_the_wrong_kind(name, array, spoil):
    change, error, match = SPOILT[spoil]
    refuse(name, error, f"^{array} {match}", {array: change(arguments(name)[array])})


ANY_SHAPE = {"count_nonfinite", "scale", "sum_of_squares"}  # a single array, of whatever shape


@pytest.mark.parametrize(("name", "array"), [a for a in ARRAYS if a[0] not in ANY_SHAPE])
def test_arrays_with_a_dimension_too_many(name, array):
    refuse(name, ArgumentError, "has shape", {array: arguments(name)[array][..., None]})


@pytest.mark.parametrize(("name", "array"), ARRAYS)
def test_arrays_that_may_not_be_none_read_only_or_misaligned(name, array):
    row = KERNELS[name].arrays[array]
    if not row.optional:
        refuse(name, ArgumentTypeError, f"^{array} must be an array, got None", {array: None})
    good = arguments(name)[array]
    if row.written:
        good.flags.writeable = False
        refuse(name, ArgumentError, f"^{array} is written", {array: good})
    if good.itemsize > 1:
        refuse(name, ArgumentError, f"^{array} must be aligned", {array: misaligned(good)})


def test_real_arrays_share_one_dtype():
    x = arguments("dense_fwd", np.float32)["x"]
    match = "x has dtype float32, but y has float64"
    refuse("dense_fwd", ArgumentTypeError, match, {"x": x})


@pytest.mark.parametrize(
    ("name", "changes", "match"),
    [
        ("dense_fwd", {"w": (3, 4)}, r"w has shape \(3, 4\), expected \(I, O\) = \(5, 4\)"),
        ("dense_fwd", {"w": (4, 5)}, r"w has shape \(4, 5\), expected \(I, O\) = \(5, 4\)"),
        ("dense_fwd", {"b": (5,)}, r"b has shape \(5,\), expected \(O,\) = \(4,\)"),
        ("dense_fwd", {"x": (6,)}, r"x has shape \(6,\), expected \(B, I\) = \(6, I\)"),
        ("dense_bwd", {"dy": (5, 4)}, r"dy has shape \(5, 4\), expected \(B, O\) = \(6, 4\)"),
        ("huber", {"weight": (4,)}, r"weight has shape \(4,\), expected \(B,\) = \(6,\)"),
        ("adam_step", {"v": (5,)}, r"v has shape \(5,\), expected \(12,\)"),
        ("adam_step", {"p": (3, 4)}, r"dp has shape \(12,\), expected \(3, 4\)"),
        ("softmax", {"y": (6, 0), "z": (6, 0)}, "at least one class"),
    ],
)
def test_shapes_that_do_not_fit(name, changes, match):
    refuse(name, ArgumentError, match, {n: np.ones(shape) for n, shape in changes.items()})


@pytest.mark.parametrize("size", [1, 3])
def test_masks_of_the_wrong_size(size):
    match = rf"mask has shape \({size},\), expected \(2,\)"
    refuse("dropout_bwd", ArgumentError, match, {"mask": np.zeros(size, np.uint8)})


@pytest.mark.parametrize("label", [-1, 3, 2**62])
def test_class_numbers_outside_the_range(label):
    target = np.array([0, 1, 2, 0, label, 1])
    match = rf"target must hold class numbers in \[0, 3\), got {label} in row 4"
    refuse("softmax_cross_entropy", ArgumentError, match, {"target": target})
    short = target.astype(np.int32)
    match = "target must have dtype int64, got int32"
    refuse("softmax_cross_entropy", ArgumentTypeError, match, {"target": short})


OUTSIDE = {
    "beta1": (-0.1, 1.0),
    "beta2": (-0.1, 1.0),
    "delta": (0.0, -1.0),
    "eps": (-1e-9,),
    "l1": (-0.1,),
    "l2": (-0.1,),
    "label_smoothing": (-0.1, 1.1),
    "limit": (0.0, -1.0),
    "lr": (),
    "momentum": (-0.1, 1.1),
    "momentum_decay": (-0.1,),
    "rate": (-0.1, 1.0, 2),
    "rho": (-0.1, 1.0),
    "scale": (-0.1,),
    "weight_decay": (-0.1,),
}
SCALARS = [(r.name, s) for r in KERNELS.values() for s in r.scalars[0]]


@pytest.mark.parametrize(("name", "scalar"), [case for case in SCALARS if case[1] in OUTSIDE])
def test_numbers_outside_their_range(name, scalar):
    for value in (*OUTSIDE[scalar], np.nan, np.inf, -np.inf):
        refuse(name, ArgumentError, f"^{scalar} must be .*, got ", {scalar: value})
    for value in ("0.5", None, True, 0.5j, np.ones(1)):
        refuse(name, ArgumentTypeError, f"^{scalar} must be .*, got ", {scalar: value})


@pytest.mark.parametrize("name", [name for name, scalar in SCALARS if scalar == "clip"])
def test_a_limit_of_gradients_is_positive_and_may_be_infinite(name):
    getattr(kernels, name)(**arguments(name, clip=np.inf))
    for value in (0.0, -1.0, -np.inf, np.nan):
        refuse(name, ArgumentError, "^clip must be a finite number > 0, got ", {"clip": value})
    refuse(name, ArgumentTypeError, "^clip must be a finite number", {"clip": None})


@pytest.mark.parametrize(
    ("name", "scalar"), [case for case in SCALARS if case[1] in ("seed", "offset", "t")]
)
def test_integers_outside_their_range(name, scalar):
    for value in (-1, 2**64) if scalar != "t" else (0, -1):
        refuse(name, ArgumentError, f"^{scalar} must be an integer .*, got ", {scalar: value})
    for value in (1.0, "1", None, True):
        refuse(name, ArgumentTypeError, f"^{scalar} must be an integer", {scalar: value})


def test_other_settings():
    near = "unknown activation 'rleu': did you mean 'relu'?"
    refuse("dense_fwd", ArgumentError, near, {"activation": "rleu"})
    refuse(
        "activation_fwd", ArgumentTypeError, "activation must be one of", {"activation": ["relu"]}
    )
    refuse("momentum_step", ArgumentTypeError, "nesterov must be True or False", {"nesterov": 1})


@pytest.mark.parametrize("name", ["dense_bwd", "activation_bwd"])
@pytest.mark.parametrize("activation", ["gelu", "silu"])
def test_backward_passes_that_need_z(name, activation):
    match = f"z must be an array for activation '{activation}', got None"
    refuse(name, ArgumentTypeError, match, {"z": None}, activation=activation)


def overlapping_pairs():
    for row in KERNELS.values():
        names = list(row.arrays)
        for i, first in enumerate(names):
            for second in names[i + 1 :]:
                if row.arrays[first].written or row.arrays[second].written:
                    yield row.name, first, second


@pytest.mark.parametrize(("name", "first", "second"), list(overlapping_pairs()))
def test_arrays_that_overlap(name, first, second):
    call = arguments(name)
    a, b = call[first], call[second]
    room = np.zeros(a.nbytes + b.nbytes, np.uint8)
    shift = a.nbytes - min(a.itemsize, b.itemsize)  # the last item of one is the first of the other
    shift -= shift % b.itemsize
    changes = {
        first: room[: a.nbytes].view(a.dtype).reshape(a.shape),
        second: room[shift : shift + b.nbytes].view(b.dtype).reshape(b.shape),
    }
    refuse(name, ArgumentError, f"^{first} and {second} overlap", changes)
    same_kind = a.shape == b.shape and a.dtype == b.dtype
    if same_kind and (first, second) not in KERNELS[name].in_place:
        refuse(
            name, ArgumentError, f"^{first} and {second} overlap in memory", {first: b, second: b}
        )


def test_inputs_may_be_one_and_the_same_array(backend):
    x = np.full((4, 4), 0.5)
    y = np.empty((4, 4))
    kernels.dense_fwd(y, x, x, None, "identity")
    np.testing.assert_array_equal(y, 1.0)


def test_neighbours_do_not_overlap(backend):
    both = np.arange(8.0)
    kernels.sgd_step(both[:4], both[4:], 1.0, 0.0)
    np.testing.assert_array_equal(both, [-4, -4, -4, -4, 4, 5, 6, 7])


def test_numpy_scalars_keywords_and_defaults(backend):
    plain, other = arguments("adam_step"), arguments("adam_step")
    scalars = {n: np.asarray(v)[()] for n, v in other.items() if not isinstance(v, np.ndarray)}
    kernels.adam_step(*plain.values())
    kernels.adam_step(**dict(reversed((other | scalars).items())))
    for name in ("p", "m", "v"):
        np.testing.assert_array_equal(plain[name], other[name])
    y = np.empty((1, 1))
    kernels.dense_fwd(y, np.ones((1, 2)), np.ones((2, 1)), b=None, activation="relu")
    assert y == 2


def test_calls_that_do_not_match_the_signature():
    with pytest.raises(TypeError, match=r"sgd_step\(\) missing a required argument: 'lr'"):
        kernels.sgd_step(np.ones(1), np.ones(1))
    with pytest.raises(TypeError, match=r"softmax\(\) .*unexpected keyword argument 'axis'"):
        kernels.softmax(np.ones((1, 1)), np.ones((1, 1)), axis=0)
    with pytest.raises(AttributeError, match="no attribute 'adan_step'"):
        kernels.adan_step  # noqa: B018


def test_use_restores_the_previous_back_end():
    with kernels.use("numba"):
        with kernels.use("reference"):
            assert kernels.active_backend() == "reference"
            assert kernels.implementation().__name__ == "fastnn.kernels.reference"
        assert kernels.active_backend() == "numba"
        with pytest.raises(KeyError), kernels.use("reference"):
            raise KeyError
        assert kernels.active_backend() == "numba"


def test_use_refuses_unknown_names_and_keeps_the_choice():
    before = kernels.active_backend()
    with pytest.raises(ArgumentError, match=r"unknown backend 'nunba': did you mean 'numba'\?"):
        kernels.use("nunba")
    with pytest.raises(ArgumentTypeError, match="backend must be one of"):
        kernels.use(["numba"])
    assert kernels.active_backend() == before


def test_use_says_why_a_back_end_cannot_be_used(monkeypatch):
    monkeypatch.setattr(kernels, "_loaded", {})
    monkeypatch.setitem(sys.modules, "fastnn.kernels.numba", None)
    before = kernels.active_backend()
    with pytest.raises(BackendError, match=r"the 'numba' back end cannot be used: .*numba"):
        kernels.use("numba")
    assert kernels.active_backend() == before


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_environment_chooses_the_first_back_end():
    code = "from fastnn import kernels; print(kernels.active_backend())"
    assert run(code, FASTNN_BACKEND="reference").stdout.strip() == "reference"
    refused = run(code, FASTNN_BACKEND="numpy")
    assert "unknown FASTNN_BACKEND 'numpy'" in refused.stderr


def test_import_loads_no_back_end():
    code = """
import sys
from fastnn import kernels
kernels.adam_step
print({"numba", "scipy", "fastnn.kernels.native", "fastnn.kernels.numba"} & {*sys.modules})
"""
    assert run(code).stdout.strip() == "set()"


@pytest.mark.parametrize("writable", [True, False])
def test_numba_cache(tmp_path, writable):
    """The second process compiles nothing; without a place to write, each compiles for itself."""
    (tmp_path / "file").touch()
    environment = {
        "NUMBA_CACHE_DIR": str(tmp_path / ("cache" if writable else "file/cache")),
        "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator",
    }
    code = """
import numpy as np
from fastnn import kernels
from fastnn.kernels.numba.activation import _forward
z = np.array([-1.0, 2.0])
with kernels.use("numba"):
    kernels.activation_fwd(z, z, "relu")
print(z, sum(_forward("relu").stats.cache_hits.values()))
"""
    first, second = run(code, **environment), run(code, **environment)
    assert first.stderr == second.stderr == ""
    assert first.stdout.strip() == "[0. 2.] 0"
    assert second.stdout.strip() == f"[0. 2.] {int(writable)}"
