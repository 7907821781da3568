"""Every row of the kernel table, on every back end, against the reference in float64."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from fastnn import kernels
from fastnn.kernels import KERNELS, contract, reference
from fastnn.testing.closeness import check_close
from fastnn.testing.drawing import (
    IMAGE_SIDES,
    LONGEST_SIDE,
    copied,
    draw,
    equal_shapes,
    guards_of,
    letters,
    swept_shapes,
    widened,
)

SETTINGS = [
    pytest.param(row, setting, id="-".join([row.name, *map(str, setting.values())]))
    for row in KERNELS.values()
    for setting in row.scalars
]
EVERY_KERNEL = [pytest.param(row, id=row.name) for row in KERNELS.values()]
REALS = (np.float32, np.float64)


def check_call(backend, kernel, shapes, dtype, arguments):
    """Results, bands around the arrays, inputs and returned value of one call."""
    oracle = widened(arguments)
    expected = getattr(reference, kernel.name)(**oracle)
    given_arguments = copied(arguments)
    bands = {n: guards_of(a) for n, a in given_arguments.items() if isinstance(a, np.ndarray)}
    returned = getattr(kernels.implementation(backend), kernel.name)(*given_arguments.values())
    for name, band in bands.items():
        array = given_arguments[name]
        assert guards_of(array) == band, f"{name} for {shapes}: written outside the array"
        if kernel.arrays[name].written:
            check_close(kernel, shapes, dtype, arguments, name, array, oracle[name])
        else:
            assert array.tobytes() == arguments[name].tobytes(), f"{name} is an input, but changed"
    if kernel.returns_value:
        assert type(returned) is float
        values = map(np.float64, (returned, expected))
        check_close(kernel, shapes, dtype, arguments, "value", *values)
    else:
        assert returned is None


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize(("kernel", "setting"), SETTINGS)
def test_agrees_with_reference_at_every_size(backend, kernel, setting, dtype):
    rng = np.random.default_rng(0)
    for shapes in swept_shapes(kernel):
        for optional in (True, False):
            labels = not optional
            drawn = draw(kernel, shapes, dtype, setting, rng, optional=optional, labels=labels)
            check_call(backend, kernel, shapes, dtype, drawn)


def largest(letter):
    return LONGEST_SIDE if letter in IMAGE_SIDES else 40


@pytest.mark.parametrize("name", KERNELS)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_agrees_with_reference_for_any_arguments(name, data):
    kernel = KERNELS[name]
    shapes = {
        letter: data.draw(st.integers(1 if letter in "IOCN" else 0, largest(letter)), letter)
        for letter in letters(kernel)
    }
    if "*" in shapes:
        shapes["*"] = data.draw(st.lists(st.integers(0, 9), max_size=3).map(tuple), "*")
    dtype = data.draw(st.sampled_from(REALS))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), "seed"))
    setting = data.draw(st.sampled_from(kernel.scalars))
    flags = {flag: data.draw(st.booleans(), flag) for flag in ("optional", "labels")}
    drawn = draw(kernel, shapes, dtype, setting, rng, **flags)
    for backend in kernels.BACKENDS:
        check_call(backend, kernel, shapes, dtype, drawn)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize(
    ("kernel", "setting"), [case for case in SETTINGS if case.values[0].in_place]
)
def test_in_place_gives_the_same_bits(backend, kernel, setting, dtype):
    function = getattr(kernels, kernel.name)
    for shapes in swept_shapes(kernel):
        apart = draw(kernel, shapes, dtype, setting, np.random.default_rng(1))
        ((written, read),) = kernel.in_place
        together = copied(apart)
        together[written] = together[read]
        assert function(**apart) == function(**together)
        assert apart[written].tobytes() == together[written].tobytes()


@pytest.mark.parametrize("kernel", EVERY_KERNEL)
def test_read_only_inputs_are_taken(backend, kernel):
    shapes = equal_shapes(kernel, 9) | {"*": (9,)}
    drawn = draw(kernel, shapes, np.float64, kernel.scalars[0], np.random.default_rng(2))
    frozen = copied(drawn)
    for name, row in kernel.arrays.items():
        frozen[name].flags.writeable = row.written
    function = getattr(kernels, kernel.name)
    assert function(**drawn) == function(**frozen)
    assert all(drawn[name].tobytes() == frozen[name].tobytes() for name in kernel.arrays)


@pytest.mark.parametrize("kernel", EVERY_KERNEL)
def test_updated_arrays_change(backend, kernel):
    """What the table calls written is written; `check_call` sees that nothing else is."""
    shapes = equal_shapes(kernel, 33) | {"*": (33,)}
    setting = kernel.scalars[-1]
    drawn = draw(kernel, shapes, np.float64, setting, np.random.default_rng(3))
    before = copied(drawn)
    getattr(kernels, kernel.name)(**drawn)
    for name, row in kernel.arrays.items():
        assert row.written == (drawn[name].tobytes() != before[name].tobytes()), name


SPECIAL = (0.0, -0.0, np.inf, -np.inf, np.nan, 1e-310, -1e-310, 1e-40, -1e-40, 1e-6, -1e-6)
LARGE = (10.0, 20.0, 50.0, 87.0, 89.0, 104.0, 710.0, 1e4, 1e10, 3e38)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("activation", kernels.ACTIVATIONS)
def test_activations_of_special_values(backend, activation, dtype):
    z = np.array([*SPECIAL, *LARGE, *(-x for x in LARGE), 0.5], dtype)
    results = []
    for functions in (reference, kernels.implementation(backend)):
        y, dz = np.empty_like(z), np.empty_like(z)
        functions.activation_fwd(y, z, activation)
        functions.activation_bwd(
            dz, np.ones_like(z), results[0][0] if results else y, z, activation
        )
        results.append((y, dz))
    (want_y, want_dz), (got_y, got_dz) = results
    limit = np.finfo(dtype)
    # Far below 0, gelu is exact relative to z alone: exp magnifies the rounding of its argument.
    size = np.maximum(np.abs(want_y), np.abs(z)) if activation == "gelu" else np.abs(want_y)
    finite = np.isfinite(want_y)
    np.testing.assert_array_equal(got_y[~finite], want_y[~finite])
    error = np.abs(got_y[finite] - want_y[finite])
    assert np.all(error <= 8 * limit.eps * size[finite] + limit.tiny)
    np.testing.assert_allclose(got_dz, want_dz, rtol=32 * limit.eps, atol=32 * limit.eps)
    assert np.isnan(got_y[np.isnan(z)]).all()


@pytest.mark.parametrize("kernel", EVERY_KERNEL)
def test_signatures_agree(backend, kernel):
    function = getattr(kernels.implementation(backend), kernel.name)
    for other in (function, getattr(kernels, kernel.name)):
        parameters = inspect.signature(other).parameters.values()
        assert [(p.name, p.default) for p in parameters] == [
            (p.name, p.default) for p in kernel.signature.parameters.values()
        ]


def test_back_ends_have_the_kernels_of_the_table(backend):
    functions = kernels.implementation(backend)
    names = functions.kernel_names() if backend == "native" else functions.__all__
    assert set(names) - {"ACTIVATIONS"} == set(KERNELS)
    assert all(callable(getattr(functions, name)) for name in KERNELS)
    assert set(kernels.__all__) > set(KERNELS)


@pytest.mark.parametrize("kernel", EVERY_KERNEL)
def test_rows_describe_their_signatures(kernel):
    parameters = set(kernel.signature.parameters)
    assert kernel.arrays.keys() <= parameters
    for setting in kernel.scalars:
        assert kernel.arrays.keys() | setting.keys() == parameters
        assert setting.keys() <= contract.SCALARS.keys()
    for letter in letters(kernel):
        assert any(letter in row.shape for row in kernel.arrays.values())
    dims = dict.fromkeys(letters(kernel), 10)
    assert kernel.flops(dims) > 0
    assert kernel.bytes_moved(dims, 4) > 0
    assert kernel.tolerance(dims) * np.finfo(np.float32).eps < 1e-3
