"""Activations and losses of the user, and layers that only Python knows."""

import copy
import dataclasses
import math
import os
import pickle
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import joblib
import numba
import numpy as np
import pytest
from custom_functions import (
    CUBIC,
    LOOKS_UP,
    SOFT,
    SQUARED,
    soft,
    squared,
    squared_gradient,
    trained,
    unbuilt_network,
)

import fastnn
from fastnn import (
    Activation,
    ArgumentError,
    ArgumentTypeError,
    CustomFunctionError,
    Dense,
    Dropout,
    Layer,
    Network,
    kernels,
)
from fastnn.kernels.functions import ElementFunction, RowGradient, RowLoss, SlopeFunction
from fastnn.native_executor import NativeExecutor

SIZES = (1, 2, 7, 8, 9, 15, 16, 17, 33)  # around the widths of vectors


def hard_swish(x):
    return x * min(max(x + 3.0, 0.0), 6.0) / 6.0


def hard_swish_slope(x, y):
    if x <= -3.0:
        return 0.0
    return 1.0 if x >= 3.0 else (2.0 * x + 3.0) / 6.0


def rectify(x):
    return x if x > 0 else 0.0


def rectify_slope(x, y):
    return 1.0 if y > 0 else 0.0


def cross_entropy(output, target):
    top = output.max()
    return np.log(np.exp(output - top).sum()) - (target * (output - top)).sum()


def cross_entropy_gradient(output, target, out):
    e = np.exp(output - output.max())
    out[:] = e / e.sum() - target


HARD_SWISH = fastnn.activation(hard_swish, hard_swish_slope, kinks=(-3, 3))
RECTIFY = fastnn.activation(
    numba.njit(rectify), rectify_slope, kinks=[0], initializer="he_normal", name="rectify"
)
CROSS_ENTROPY = fastnn.loss(
    cross_entropy, cross_entropy_gradient, task="multiclass", link="softmax", outputs=3
)

# The same in NumPy, for whole arrays.
TWINS = {
    HARD_SWISH: lambda z: z * np.clip(z + 3, 0, 6) / 6,
    CUBIC: lambda z: np.clip(z, -1.5, 1.5) - np.clip(z, -1.5, 1.5) ** 3 * 4 / 27,
    SOFT: lambda z: np.logaddexp(z, 0),
    RECTIFY: lambda z: np.maximum(z, 0),
}
ACTIVATIONS = pytest.mark.parametrize("activation", TWINS, ids=str)
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 6)), RNG.normal(size=(50, 3))
WEIGHT = RNG.uniform(0, 2, 50) * (RNG.uniform(size=50) > 0.2)


def network(*layers, loss=SQUARED, **options):
    return Network(layers, loss=loss, **({"seed": 3, "dtype": "float64"} | options))


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@ACTIVATIONS
def test_predictions_are_those_of_numpy(backend, activation, dtype):
    for units in SIZES:
        net = network(Dense(units, activation), Activation(activation), Dense(2), dtype=dtype)
        net.build(6)
        w1, b1, w2, b2 = (array.astype(np.float64) for array in net.get_weights())
        f = TWINS[activation]
        x = X.astype(dtype).astype(np.float64)
        np.testing.assert_allclose(
            net.predict(X), f(f(x @ w1 + b1)) @ w2 + b2, rtol=0, atol=64 * np.finfo(dtype).eps
        )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_is_that_of_the_built_in_twins(backend, dtype):
    """Of activation, loss and gradient, with weights; a last batch of two rows."""
    nets = [
        network(Dense(9, relu), Dropout(0.3), Activation(relu), Dense(3), loss=loss, dtype=dtype)
        for relu, loss in ((RECTIFY, SQUARED), ("relu", "mean_squared_error"))
    ]
    for net in nets:
        net.fit(X, Y, batch_size=16, epochs=3, sample_weight=WEIGHT, verbose=0)
    own, built_in = nets
    tolerance = {"rtol": 0, "atol": 1000 * np.finfo(dtype).eps}
    np.testing.assert_allclose(own.parameters, built_in.parameters, **tolerance)
    np.testing.assert_allclose(own.history["loss"], built_in.history["loss"], **tolerance)
    ours, theirs = (net.evaluate(X, Y, sample_weight=WEIGHT)["loss"] for net in nets)
    assert ours == pytest.approx(theirs, rel=float(100 * np.finfo(dtype).eps))


def test_a_loss_of_classes(backend):
    labels = np.arange(50) % 3
    nets = [
        network(Dense(3), loss=loss, metrics=["accuracy"])
        for loss in (CROSS_ENTROPY, "softmax_cross_entropy")
    ]
    for net in nets:
        net.fit(X, labels, epochs=5, class_weight="balanced", verbose=0)
    own, built_in = nets
    np.testing.assert_allclose(own.parameters, built_in.parameters, atol=1e-12)
    np.testing.assert_allclose(own.predict(X).sum(axis=1), 1)
    assert own.evaluate(X, labels) == pytest.approx(built_in.evaluate(X, labels))
    own.train_on_batch(X, np.eye(3)[labels])


def test_a_link(backend):
    loss = dataclasses.replace(SQUARED, task="binary", link="sigmoid")
    net = network(Dense(1), loss=loss, metrics=["accuracy"])
    net.fit(X, Y[:, 0] > 0, verbose=0)
    plain = network(Dense(1)).build(6)
    plain.set_weights(net.get_weights())
    np.testing.assert_allclose(net.predict(X), 1 / (1 + np.exp(-plain.predict(X))))


@pytest.mark.parametrize("weight", [None, [0.0, 0.0]])
def test_a_loss_of_no_rows_or_no_weight(backend, weight):
    rows = 0 if weight is None else 2
    dy, y = np.full((rows, 3), np.nan), np.ones((rows, 3))
    weight = None if weight is None else np.array(weight)
    functions = SQUARED.function, SQUARED.gradient
    assert kernels.custom_loss(dy, y, np.zeros_like(y), weight, *functions) == 0
    assert not dy.any()


# --- gradients ------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, WEIGHT[:9]], ids=["even", "weighted"])
@ACTIVATIONS
def test_gradients_are_right(backend, activation, weight):
    layers = Dense(5, activation, l2=0.1), Dropout(0.3), Activation(activation), Dense(3)
    for loss in (SQUARED, CROSS_ENTROPY, "huber"):
        y = np.eye(3)[np.arange(9) % 3] if loss is CROSS_ENTROPY else Y[:9]
        net = network(*layers, loss=loss)
        check = fastnn.gradient_check(net, X[:9], y, sample_weight=weight, verbose=0)
        assert check.max_relative_error < 1e-7


def test_a_wrong_gradient_would_be_found():
    wrong = dataclasses.replace(CUBIC, derivative=SlopeFunction(lambda x, y: 1.0))
    check = fastnn.gradient_check(network(Dense(4, wrong), Dense(3)), X, Y, verbose=0)
    assert check.relative_errors["dense_1/weights"] > 1e-2
    assert check.relative_errors["dense_2/weights"] < 1e-7


def test_kinks_are_where_they_are_said_to_be():
    """Inputs of ±3, the kinks: only the declared ones are left out of the comparison."""
    layers = Dense(1, HARD_SWISH, use_bias=False, initializer="constant"), Dense(1)
    smooth = dataclasses.replace(HARD_SWISH, function=ElementFunction(hard_swish))
    for activation, kinks in ((HARD_SWISH, 1), (smooth, 0)):
        net = network(dataclasses.replace(layers[0], activation=activation), layers[1])
        net.build(1).parameters[0] = 1.0
        check = fastnn.gradient_check(net, [[3.0], [1.0]], [0.0, 1.0], verbose=0)
        assert check.kinks["dense_1/weights"] == kinks


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


# --- files and copies -----------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_a_file_names_them_and_load_brings_them(path):
    net = network(Dense(4, HARD_SWISH), Activation(CUBIC), Dense(3))
    net.fit(X, Y, verbose=0)
    net.save(path, optimizer=True)
    assert b"lambda" not in path.read_bytes()
    objects = {"hard_swish": HARD_SWISH, "clipped_cubic": CUBIC, "squared": SQUARED}
    loaded = Network.load(path, custom_objects=objects)
    assert loaded.layers == net.layers
    assert loaded.loss == net.loss
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))
    for other in (net, loaded):
        other.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(loaded.parameters, net.parameters)


@pytest.mark.parametrize(
    ("objects", "error", "match"),
    [
        (None, fastnn.ModelFileError, "custom activation 'hard_swish'; .* custom_objects="),
        ({"hard_swish": HARD_SWISH}, fastnn.ModelFileError, "custom loss 'squared'"),
        ({"hard_swish": SQUARED}, fastnn.ModelFileError, "but got CustomLoss..squared.. for it"),
        ({"hard_swish": HARD_SWISH, "squared": squared}, ArgumentTypeError, "custom_objects\\['s"),
        ([HARD_SWISH, SQUARED], ArgumentTypeError, "custom_objects must be a dict .*, got list"),
        (
            {"hard_swish": HARD_SWISH, "squared": SQUARED, "cubic": CUBIC},
            ArgumentError,
            "custom_objects has 'cubic', but the network uses 'hard_swish', 'squared'",
        ),
    ],
)
def test_custom_objects_that_do_not_fit_a_file(path, objects, error, match):
    network(Dense(4, HARD_SWISH), Dense(3)).build(6).save(path)
    with pytest.raises(error, match=match):
        Network.load(path, custom_objects=objects)


def test_objects_for_a_file_that_needs_none(path):
    network(Dense(3), loss="huber").build(6).save(path)
    with pytest.raises(ArgumentError, match="has 'squared', but the network uses no custom"):
        Network.load(path, custom_objects={"squared": SQUARED})


def test_two_objects_of_one_name_are_not_saved(path):
    other = dataclasses.replace(CUBIC, name="hard_swish")
    net = network(Dense(4, HARD_SWISH), Dense(3, other)).build(6)
    with pytest.raises(ArgumentError, match="two custom objects of the name 'hard_swish'"):
        net.save(path)
    assert not path.exists()


def test_pickles_and_copies_train_alike():
    net = unbuilt_network()
    clones = [pickle.loads(pickle.dumps(net)), copy.deepcopy(net), copy.copy(net.layers[0])]
    assert clones[0].layers == clones[1].layers == net.layers
    assert clones[2].activation == CUBIC
    assert hash(clones[0].layers[0].activation) == hash(CUBIC)
    expected = trained(net)
    assert trained(clones[0]) == trained(clones[1]) == expected
    assert pickle.loads(pickle.dumps(net)).predict(X).tobytes() == net.predict(X).tobytes()


def test_workers_of_joblib_train_alike():
    expected = trained(unbuilt_network())
    jobs = joblib.Parallel(n_jobs=2)(joblib.delayed(trained)(unbuilt_network()) for _ in range(2))
    assert jobs == [expected] * 2


def test_threads_may_compile_at_once():
    made = fastnn.activation(hard_swish, hard_swish_slope, name="fresh")
    nets = [network(Dense(4, made), Dense(3), dtype="float32") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(trained, nets))) == 1


# --- executors ------------------------------------------------------------------------------------


def test_they_run_in_c():
    net = network(Dense(4, HARD_SWISH), Activation(SOFT), Dense(3)).build(6)
    assert isinstance(net.executors.training(8, labels=False), NativeExecutor)


SAME_BITS = textwrap.dedent(
    """
    import hashlib, os, sys
    import numpy as np
    import fastnn
    from fastnn import Activation, Dense, Dropout, Network
    from fastnn.kernels import _native
    from custom_functions import CUBIC, LOOKS_UP, SOFT, SQUARED

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(700, 50)), rng.normal(size=(700, 37))
    weight = rng.uniform(size=700)

    def train(dtype):
        layers = [Dense(130, CUBIC), Dropout(0.3), Activation(SOFT), Dense(37)]
        net = Network(layers, loss=SQUARED, seed=5, dtype=dtype)
        net.fit(X, y, batch_size=300, epochs=2, sample_weight=weight, verbose=0)
        digest = hashlib.sha256(net.parameters.tobytes() + net.predict(X).tobytes())
        return digest.hexdigest() + str(net.history["loss"])

    for dtype in ("float32", "float64"):
        expected = None
        for threads in (1, 2, 3, 7):
            fastnn.set_num_threads(threads)
            got = train(dtype)
            assert _native.last_team() == threads
            assert expected in (None, got), (dtype, threads)
            expected = got

    net = Network([Dense(130), Activation(LOOKS_UP), Dense(37)], loss=SQUARED, seed=5).build(50)
    before = net.parameters.copy()
    far = X.copy()
    far[500] *= 1e6  # one of the members meets a row whose index is out of bounds
    for call in (lambda: net.fit(far, y, batch_size=700, verbose=0), lambda: net.predict(far)):
        try:
            call()
        except fastnn.CustomFunctionError:
            assert _native.last_team() == 7
        else:
            raise AssertionError("the exception was lost")
    assert (net.parameters == before).all()

    child = os.fork()
    if not child:
        os._exit(0 if train("float64") == expected else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    print("same bits")
    """
)


def test_bits_do_not_depend_on_threads_nor_on_a_fork():
    here = os.path.dirname(__file__)
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    result = subprocess.run(
        [sys.executable, "-c", SAME_BITS],
        env=os.environ | {"FASTNN_TEAM": "force", "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.stdout.strip() == "same bits", result.stderr


# --- layers that only Python knows ----------------------------------------------------------------


def sine(y, x, frequency):
    np.sin(frequency * x, out=y)


def sine_gradient(dx, dy, x, frequency):
    np.multiply(dy, frequency * np.cos(frequency * x), out=dx)


@dataclasses.dataclass(frozen=True)
class Sine(Layer):
    frequency: float = 1.0
    name: str | None = None

    def lower(self, builder, x, parameters, index):
        y = builder.activation(x.shape)
        builder.emit("forward", sine, y, x, self.frequency)

        def pullback(dy, wanted):
            if wanted:
                builder.emit("backward", sine_gradient, dy, dy, x, self.frequency)
            return dy if wanted else None

        return y, pullback


def test_a_layer_in_python_trains_on_every_back_end(backend, path):
    net = network(Dense(8), Sine(2.0), Dense(3), loss="mean_squared_error")
    assert fastnn.gradient_check(net, X[:9], Y[:9], verbose=0).max_relative_error < 1e-7
    w1, b1, w2, b2 = net.get_weights()
    np.testing.assert_allclose(net.predict(X), np.sin(2 * (X @ w1 + b1)) @ w2 + b2, atol=1e-12)
    history = net.fit(X, Y, epochs=20, sample_weight=WEIGHT, verbose=0)
    assert history["loss"][-1] < history["loss"][0]
    net.save(path)
    np.testing.assert_array_equal(Network.load(path).predict(X), net.predict(X))
    assert trained(pickle.loads(pickle.dumps(net))) == trained(net)


def test_the_summary_says_which_executor_runs(backend, capsys):
    native = network(Dense(4, HARD_SWISH), Dense(3)).build(6)
    native.summary()
    shown = capsys.readouterr().out
    other = f"runs in the Python executor, {backend} back end"
    assert shown.endswith(("runs in the native executor" if backend == "native" else other) + "\n")
    assert "Dense (hard_swish)" in shown
    assert "loss squared" in shown
    network(Dense(4), Sine(), Dense(3)).build(6).summary()
    shown = capsys.readouterr().out
    assert shown.endswith("runs in the Python executor: layer 'sine_1' is Python's own\n")
    network(Sine(), Dense(4), Sine(name="wave"), Dense(3)).build(6).summary()
    assert "layers 'sine_1', 'wave' are Python's own" in capsys.readouterr().out


def test_function_objects_say_what_they_are():
    assert repr(HARD_SWISH) == "CustomActivation('hard_swish')"
    assert repr(SQUARED) == "CustomLoss('squared')"
    assert str(RowLoss(squared)) == "squared"
    assert RowLoss(squared) == RowLoss(squared) != RowGradient(squared)
    assert "activation=CustomActivation('hard_swish')" in repr(Dense(3, HARD_SWISH))
