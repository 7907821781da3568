"""Activations and losses of the user: values, gradients, executors."""

import dataclasses
import os
import subprocess
import sys
import textwrap

import numpy as np
import programs
import pytest
from custom_functions import (
    CROSS_ENTROPY,
    CUBIC,
    HARD_SWISH,
    RECTIFY,
    SOFT,
    SQUARED,
    TWINS,
    WEIGHT,
    X,
    Y,
    hard_swish,
    network,
    squared,
)

import fastnn
from fastnn import Activation, Dense, Dropout, kernels
from fastnn.execution.native_executor import NativeExecutor
from fastnn.kernels.functions import ElementFunction, RowGradient, RowLoss, SlopeFunction

SIZES = (1, 2, 7, 8, 9, 15, 16, 17, 33)  # around the widths of vectors
ACTIVATIONS = pytest.mark.parametrize("activation", TWINS, ids=str)


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
    """Check activation, loss and gradient, with weights and a last batch of two rows."""
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


# --- names ----------------------------------------------------------------------------------------


def test_function_objects_say_what_they_are():
    assert repr(HARD_SWISH) == "CustomActivation('hard_swish')"
    assert repr(SQUARED) == "CustomLoss('squared')"
    assert str(RowLoss(squared)) == "squared"
    assert RowLoss(squared) == RowLoss(squared) != RowGradient(squared)
    assert "activation=CustomActivation('hard_swish')" in repr(Dense(3, HARD_SWISH))


# --- executors ------------------------------------------------------------------------------------


def test_they_run_in_c():
    net = network(Dense(4, HARD_SWISH), Activation(SOFT), Dense(3)).build(6)
    assert isinstance(net._model.executors.training(8, labels=False), NativeExecutor)


SAME_BITS = textwrap.dedent(
    """
    import hashlib, os, sys
    import numpy as np
    import fastnn
    from fastnn import Activation, Dense, Dropout, Network
    from fastnn.kernels import native
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
            assert native.last_team() == threads
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
            assert native.last_team() == 7
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


@pytest.mark.slow
def test_bits_do_not_depend_on_threads_nor_on_a_fork():
    paths = [str(programs.HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    result = subprocess.run(
        [sys.executable, "-c", SAME_BITS],
        env=os.environ | {"FASTNN_TEAM": "force", "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.stdout.strip() == "same bits", result.stderr
