"""Public calls on the native back end, whose checks pass nothing that the contract refuses."""

import inspect
import sys

import numpy as np
import pytest

from fastnn import kernels
from fastnn.errors import ArgumentError
from fastnn.kernels import KERNELS, contract, native
from fastnn.testing.drawing import draw, letters

EVERY_KERNEL = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
CALLS = 120  # random ones of each kernel

pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in cast")

ARRAY_CHANGES = {
    "none": lambda rng, a: None,
    "list": lambda rng, a: a.tolist(),
    "subclass": lambda rng, a: a.view(np.memmap),
    "matrix": lambda rng, a: a.view(np.recarray),
    "dtype": lambda rng, a: np.ones(a.shape, rng.choice(["f4", "f8", "i4", "i8", ">f8", "u1"])),
    "same integers": lambda rng, a: np.zeros(a.shape, np.longlong),
    "labels": lambda rng, a: rng.integers(-1, 5, a.shape[:1]),
    "shape": lambda rng, a: np.ones(rng.choice([0, 1, 3, 6], rng.integers(4)), a.dtype),
    "dimension": lambda rng, a: a[None],
    "strided": lambda rng, a: np.repeat(a, 2, axis=-1)[..., ::2],
    "read-only": lambda rng, a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "values": lambda rng, a: rng.choice([-1, 0, 1, 2, 7, 0.5, np.nan], a.shape).astype(a.dtype),
}
SCALAR_VALUES = (
    *(0, 1, 2, -1, 2**31, 2**63 - 1, 2**63, 2**64, 10**400, True, False, np.True_, None, "1", 0.5j),
    *(0.0, -0.0, 1.0, 0.5, -0.5, 5e-324, 1 - 2**-53, 1.8e308, np.inf, -np.inf, np.nan),
    *(np.float64(0.5), np.float64(1), np.float32(0.25), np.int64(2), np.uint8(1), np.ones(1)),
    *("relu", "identity", "gelu", "rleu", ["relu"], np.str_("relu"), len),
)
SIZES = {"D": 2, "K": 2, "N": 6, "B": 6, "I": 5, "O": 4, "C": 3, "*": (3, 2), "n": 6}


@pytest.fixture(autouse=True)
def on_the_native_back_end():
    with kernels.use("native"):
        yield


def valid_call(kernel, rng):
    shapes = {letter: SIZES[letter] for letter in letters(kernel)}
    settings = kernel.scalars[rng.integers(len(kernel.scalars))]
    options = {"optional": bool(rng.integers(2)), "labels": bool(rng.integers(2))}
    dtype = (np.float32, np.float64)[rng.integers(2)]
    return draw(kernel, shapes, dtype, settings, rng, **options)


def random_call(kernel, seed):
    """A valid call with up to two changes; the same for the same seed."""
    rng = np.random.default_rng(seed)
    call = valid_call(kernel, rng)
    for name in rng.choice(list(call), rng.integers(3)):
        if name not in kernel.arrays:
            call[name] = SCALAR_VALUES[rng.integers(len(SCALAR_VALUES))]
            continue
        arrays = [a for a in call.values() if type(a) is np.ndarray]
        if rng.integers(3) and type(call[name]) is np.ndarray:
            change = list(ARRAY_CHANGES)[rng.integers(len(ARRAY_CHANGES))]
            if call[name].size:
                call[name] = ARRAY_CHANGES[change](rng, call[name])
        elif arrays:
            other = arrays[rng.integers(len(arrays))]  # the same memory, or one byte of it
            call[name] = other if rng.integers(2) else other.reshape(-1)[-1:]
    return call


def random_split(call, rng):
    """Positional and named arguments: all but defaults, or too few, unknown, or given twice."""
    given = rng.integers(len(call) + 1)
    missing = 0.5 if rng.integers(3) == 0 else 0.0
    named = {n: v for n, v in list(call.items())[given:] if rng.uniform() >= missing}
    twice_or_unknown = ({}, {}, {}, {next(iter(call)): None}, {"other": 1})[rng.integers(5)]
    return list(call.values())[:given], named | twice_or_unknown


def outcome(function, arrays, arguments, named):
    """What a call returns or raises, and the content of arrays afterwards."""
    try:
        result = function(*arguments, **named)
    except Exception as error:
        result = type(error), str(error)
    return repr(result), [a.tobytes() for a in arrays if isinstance(a, np.ndarray)]


def checked_in_python(kernel):
    """Return the public function, with the binding of Python and the checks of the contract."""

    def function(*arguments, **named):
        try:
            bound = inspect.signature(kernel.function).bind(*arguments, **named)
        except TypeError as error:
            raise TypeError(f"{kernel.name}() {error}") from None
        bound.apply_defaults()
        return getattr(native, kernel.name)(*contract.check(kernel, bound.args))

    return function


@EVERY_KERNEL
def test_random_calls_end_as_after_the_checks_of_the_contract(kernel):
    refused = 0
    for seed in range(CALLS):
        calls = random_call(kernel, seed), random_call(kernel, seed)
        functions = checked_in_python(kernel), getattr(kernels, kernel.name)
        expected, got = (
            outcome(function, call.values(), call.values(), {})
            for function, call in zip(functions, calls, strict=True)
        )
        assert got == expected, f"seed {seed}"
        refused += "Error" in expected[0]
    assert 0 < refused < CALLS


@EVERY_KERNEL
def test_calls_are_bound_as_python_binds_them(kernel):
    failed = 0
    for seed in range(CALLS // 2):
        outcomes = []
        for function in (checked_in_python(kernel), getattr(kernels, kernel.name)):
            rng = np.random.default_rng(seed)
            call = valid_call(kernel, rng)
            arguments, named = random_split(call, rng)
            outcomes.append(outcome(function, call.values(), arguments, named))
        assert outcomes[0] == outcomes[1], f"seed {seed}"
        failed += "TypeError" in outcomes[0][0]
    assert 0 < failed < CALLS // 2


@EVERY_KERNEL
def test_valid_calls_are_not_checked_in_python(kernel, monkeypatch):
    monkeypatch.setattr(contract, "check", None)
    rng = np.random.default_rng(0)
    for _ in range(20):
        getattr(kernels, kernel.name)(**valid_call(kernel, rng))


def test_calls_keep_no_references():
    arrays = [np.ones(3) for _ in range(4)]
    scalars = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.9, "eps": 1e-8, "t": 10**6}
    weight_decay = np.float64(0.5)

    def call_and_be_refused():
        kernels.adam_step(*arrays, **scalars, weight_decay=weight_decay)
        with pytest.raises(ArgumentError):
            kernels.adam_step(*arrays, **scalars, weight_decay=-weight_decay)

    call_and_be_refused()
    values = [*arrays, *scalars.values(), weight_decay]
    before = [sys.getrefcount(value) for value in values]
    for _ in range(10):
        call_and_be_refused()
    assert [sys.getrefcount(value) for value in values] == before
