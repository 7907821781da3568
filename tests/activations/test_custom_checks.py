"""Functions of the user that are refused, and their exceptions."""

import math

import numba
import numpy as np
import pytest
from custom_functions import (
    CUBIC,
    LOOKS_UP,
    SQUARED,
    X,
    Y,
    hard_swish,
    hard_swish_slope,
    network,
    rectify_slope,
    soft,
    squared,
    squared_gradient,
)

import fastnn
from fastnn import Activation, ArgumentError, ArgumentTypeError, CustomFunctionError, Dense, kernels

# --- what is refused ------------------------------------------------------------------------------


def returns_nothing(x):
    pass


def raises(x):
    raise KeyError("no")


@numba.njit
def noise():
    return 1e-12 * np.random.random()  # noqa: NPY002 - what Numba knows


BAD_ACTIVATIONS = {
    "derivative is wrong at x = -30": (hard_swish, lambda x, y: 1.0),
    "derivative is wrong at x = .*: differences of the function give": (
        soft,
        lambda x, y: 1.0001 * (1.0 - math.exp(-y)),
    ),
    "function must be finite, got inf at x = 0": (lambda x: 1 / x, lambda x, y: -y * y),
    "derivative must be finite, got nan at x = 0": (lambda x: abs(x), lambda x, y: y / x),
    r"function raised KeyError\('no'\) at x = -30": (raises, rectify_slope),
    "derivative raised TypeError.* takes 1 positional": (hard_swish, lambda x: 1.0),
    "function must return a number, got None at x": (returns_nothing, rectify_slope),
    r"function must return a number, got array\(0": (lambda x: np.where(x, 0, 0), rectify_slope),
    "function must return a number, got 'a'": (lambda x: "a", rectify_slope),
    "function must return a number, got .*j": (lambda x: x * 1j, rectify_slope),
    "function must be a function written in Python": (np.tanh, rectify_slope),
    "derivative must be a function written in Python.*, got 3": (hard_swish, 3),
    "function 'f' cannot be compiled by Numba for float64: ": (
        lambda x: float(str(x)),
        lambda x, y: 1.0,
    ),
    "function must give the same for the same arguments": (lambda x: x + noise(), lambda x, y: 1.0),
}


@pytest.mark.parametrize("match", BAD_ACTIVATIONS)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_bad_functions_of_an_activation(match):
    function, derivative = BAD_ACTIVATIONS[match]
    if getattr(function, "__name__", "") == "<lambda>":
        function.__name__ = "f"
    with pytest.raises((ArgumentError, ArgumentTypeError), match=f"^{match}"):
        fastnn.activation(function, derivative, name="custom")


def test_what_compiles_otherwise_than_python_reads_it_is_refused():
    """Integers wrap around in compiled code."""

    def wraps(x):
        n = 2**62
        return x if n * 4 > 0 else 2 * x

    with pytest.raises(ArgumentError, match=r"gives -30 in Python, but -60 when compiled"):
        fastnn.activation(wraps, lambda x, y: 1.0)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"name": "tanh"}, "name 'tanh' is that of a built-in activation"),
        ({"name": ""}, "name must be printable and not empty"),
        ({"name": 3}, "name must be a string, got 3"),
        ({"kinks": 3.0}, "kinks must be a sequence of numbers, got 3.0"),
        ({"kinks": ["0"]}, "kinks must be a finite number, got '0'"),
        ({"kinks": [np.inf]}, "kinks must be a finite number"),
        ({"initializer": "xavier"}, "unknown initializer 'xavier'"),
    ],
)
def test_bad_options_of_an_activation(options, match):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=match):
        fastnn.activation(hard_swish, hard_swish_slope, **options)


def test_functions_without_a_name_need_one():
    with pytest.raises(ArgumentError, match="name must be given: the function is called '<lambda>"):
        fastnn.activation(lambda x: x, lambda x, y: 1.0)


def forgets(output, target, out):
    out[0] = 2 * (output[0] - target[0]) / len(output)


def changes_output(output, target):
    output[0] = 0.0
    return 0.0


BAD_LOSSES = {
    r"gradient is wrong at out\[1\] for output_row = \[.*: differences": (squared, forgets),
    "function raised ValueError.*read-only": (changes_output, squared_gradient),
    "gradient must write to out and return None, got array": (squared, lambda o, t, out: o - t),
    "function must return a number, got array": (lambda o, t: o - t, squared_gradient),
    "function must be finite, got nan": (lambda o, t: np.log(o - 9).sum(), squared_gradient),
    "gradient must be finite": (squared, lambda o, t, out: out.fill(np.inf)),
    "gradient raised TypeError": (squared, lambda o, t: None),
}


@pytest.mark.parametrize("match", BAD_LOSSES)
def test_bad_functions_of_a_loss(match):
    function, gradient = BAD_LOSSES[match]
    with pytest.raises((ArgumentError, ArgumentTypeError), match=f"^{match}"):
        fastnn.loss(function, gradient, name="custom")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"name": "huber"}, "name 'huber' is that of a built-in loss"),
        ({"task": "regresion"}, "unknown task 'regresion': did you mean 'regression'"),
        ({"link": "softplu"}, "unknown link 'softplu': did you mean 'softplus'"),
        ({"outputs": 0}, "outputs must be an integer >= 1, got 0"),
        ({"examples": 3}, "examples must be a pair of arrays of numbers"),
        ({"examples": (np.ones((2, 3)), np.ones(2))}, r"examples must be two arrays of shape \(n,"),
        ({"examples": (np.ones((2, 3)),) * 2, "outputs": 2}, r"of shape \(n, 2\), got .*\(2, 3\)"),
    ],
)
def test_bad_options_of_a_loss(options, match):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=match):
        fastnn.loss(squared, squared_gradient, **options)


def test_examples_for_a_loss_that_is_not_defined_everywhere():
    def gamma(output, target):
        return np.log(output[0]) + target[0] / output[0]

    def gamma_gradient(output, target, out):
        out[0] = 1 / output[0] - target[0] / output[0] ** 2

    with pytest.raises(ArgumentError, match="function must be finite"):
        fastnn.loss(gamma, gamma_gradient, outputs=1)
    rows = np.array([[0.5], [2.0]])
    loss = fastnn.loss(gamma, gamma_gradient, outputs=1, examples=(rows, rows[::-1]))
    net = network(Dense(1, "softplus"), loss=loss)
    net.fit(X, np.exp(X[:, 0]), epochs=2, verbose=0)
    with pytest.raises(ArgumentError, match=r"'gamma' is made for 1 output.* gives 2"):
        network(Dense(2), loss=loss).build(6)


@pytest.mark.parametrize("value", [0, 140_000_000, None, math.sin, CUBIC, CUBIC.derivative])
def test_kernels_take_no_addresses(backend, value):
    """Neither the checked kernels nor, where it would be dangerous, the native ones."""
    y, z = np.zeros(3), np.ones(3)
    modules = [kernels, *([kernels.implementation()] if backend == "native" else [])]
    for module in modules:
        with pytest.raises(ArgumentTypeError, match="function must be a ElementFunction, got"):
            module.custom_activation_fwd(y, z, value)
        with pytest.raises(ArgumentTypeError, match="row_loss must be a RowLoss, got"):
            module.custom_loss(None, y[None], z[None], None, value, SQUARED.gradient)
    assert not y.any()


# --- exceptions in compiled code ------------------------------------------------------------------


def refuses(output, target):
    if abs(output[0]) > 100:
        raise ValueError("too large")
    return (output[0] - target[0]) ** 2


def refuses_gradient(output, target, out):
    if abs(output[0]) > 10:
        raise ValueError("too steep")
    out[0] = 2 * (output[0] - target[0])


REFUSES = fastnn.loss(
    refuses, refuses_gradient, outputs=1, examples=(np.array([[1.0], [-2.0]]), np.zeros((2, 1)))
)


@pytest.mark.parametrize("rows", [1, 3000])
def test_a_wrong_index_is_an_error(backend, rows):
    error = CustomFunctionError if backend == "native" else IndexError
    net = network(Activation(LOOKS_UP), Dense(1)).build(2)
    x = np.ones((rows, 2))
    net.predict(x)
    x[-1, -1] = 1e6
    with pytest.raises(error):
        net.predict(x)
    with pytest.raises(error):
        kernels.custom_activation_fwd(np.zeros_like(x), x, LOOKS_UP.function)


@pytest.mark.parametrize("output", [20.0, 200.0])
def test_a_batch_whose_functions_raise_changes_nothing(backend, output):
    """20 raises in the gradient, 200 in the loss as well; in the second batch of two."""
    error = CustomFunctionError if backend == "native" else ValueError
    net = network(Dense(1, initializer="constant", use_bias=False), loss=REFUSES, optimizer="sgd")
    net.build(1).parameters[0] = 1.0
    x, y = np.ones((300, 1)), np.ones(300)
    x[-1] = output
    with pytest.raises(error):
        net.fit(x, y, batch_size=150, shuffle=False, verbose=0)
    assert net.parameters[0] == 1.0  # the first batch had nothing to learn
    assert net.state.step == 1
    if output == 20.0:
        assert net.evaluate(x, y)["loss"] == pytest.approx(19**2 / 300)
    else:
        with pytest.raises(error):
            net.evaluate(x, y)
    net.fit(np.ones((4, 1)), np.ones(4), verbose=0)


def test_a_loss_that_is_nan_is_a_divergence(backend):
    root = fastnn.loss(
        lambda o, t: np.sqrt(o[0] - 5),
        root_gradient,
        name="root",
        examples=(np.array([[6.0], [9.0]]), np.zeros((2, 1))),
    )
    net = network(Dense(1), loss=root).build(6)
    with pytest.raises(fastnn.DivergenceError):
        net.fit(X, Y[:, 0], verbose=0)


def root_gradient(output, target, out):
    out[0] = 0.5 / np.sqrt(output[0] - 5)
