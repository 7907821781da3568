"""Fused and folded plans compute what the plain plan of the same network does, for any layers."""

import dataclasses
import itertools

import numpy as np
import pytest
from custom_functions import CUBIC

from fastnn import (
    SGD,
    Activation,
    AlphaDropout,
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    Layer,
    LayerNorm,
    Network,
    Normalization,
)
from fastnn.compiler.lowering import compile_plan
from fastnn.data.data_set import DataSet
from fastnn.execution.batches import BatchPass, BatchRange
from fastnn.execution.python_executor import PythonExecutor
from fastnn.ir.builder import PlanMode

FEATURES, ROWS = 5, 12
rng = np.random.default_rng(0)
X, Y = rng.normal(2.0, 1.0, (ROWS, FEATURES)), rng.normal(size=(ROWS, 2))


def negated(y, x):
    np.negative(x, out=y)


@dataclasses.dataclass(frozen=True)
class Negation(Layer):
    """A layer in Python whose forward op works on a copy and whose backward op is in place."""

    name: str | None = None

    def lower(self, builder, x, parameters, index):
        y = builder.activation(x.shape)
        builder.emit("forward", negated, y, x)
        return y, builder.pullback_in_place(negated, lambda dy: (dy, dy))


LAYERS = {
    "linear": Dense(FEATURES, l2=0.1),
    "relu": Dense(FEATURES, "relu", l1=0.01, use_bias=False),
    "gelu": Dense(FEATURES, "gelu", max_norm=1.5),
    "frozen": Dense(FEATURES, "tanh", trainable=False),
    "custom": Dense(FEATURES, CUBIC),
    "activation": Activation("silu"),
    "dropout": Dropout(0.4),
    "alpha dropout": AlphaDropout(0.3),
    "noise": GaussianNoise(0.1),
    "batch norm": BatchNorm(momentum=0.5),
    "layer norm": LayerNorm(),
    "flatten": Flatten(),
    "python": Negation(),
}


def network(*names):
    layers = [LAYERS[name] for name in names]
    options = {
        "loss": "mean_squared_error",
        "optimizer": SGD(0.05, momentum=0.5),
        "dtype": "float64",
    }
    return Network([*layers, Dense(2)], seed=0, **options).build(FEATURES)


def trained(net, fused):
    """Losses of three steps, and what they leave of parameters and buffers."""
    plan = compile_plan(net._model.architecture, ROWS, PlanMode(training=True, fused=fused))
    executor, batches = PythonExecutor(plan, net._model.arena), BatchPass(DataSet(X, Y), ROWS)
    losses = []
    for _ in range(3):
        executor.run(BatchRange(batches, 0, 1, net.state, np.array([0.05])))
        losses.append(batches.losses[0])
    return np.concatenate([losses, net._model.arena.parameters, net._model.arena.buffers])


def predicted(net, *, noise, joined):
    mode = PlanMode(fused=joined, folded=joined, noise=noise)
    plan = compile_plan(net._model.architecture, ROWS, mode)
    batches = BatchPass(DataSet(X), ROWS, predictions=np.empty_like(Y), scored=False)
    PythonExecutor(plan, net._model.arena).run(BatchRange(batches, 0, 1, net.state))
    return batches.predictions


def check(*names):
    plain, fused = network(*names), network(*names)
    np.testing.assert_allclose(trained(fused, True), trained(plain, False), rtol=1e-8, atol=1e-10)
    for noise in (False, True):
        joined = predicted(plain, noise=noise, joined=True)
        apart = predicted(plain, noise=noise, joined=False)
        np.testing.assert_allclose(joined, apart, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("first", LAYERS)
def test_three_layers_in_any_order_train_and_predict_alike_fused_and_plain(first):
    for names in itertools.product([first], LAYERS, LAYERS):
        try:
            check(*names)
        except Exception as error:
            error.add_note(f"layers: {', '.join(names)}")
            raise


@pytest.mark.parametrize("second", LAYERS)
def test_a_normalisation_at_the_input_is_folded_into_any_layers(second):
    mean, variance = X.mean(axis=0).tolist(), X.var(axis=0).tolist()
    given = Normalization(mean=mean, variance=variance)
    LAYERS["normalization"] = given
    try:
        for third in LAYERS:
            if third != "normalization":
                check("normalization", second, third)
    finally:
        del LAYERS["normalization"]


def test_noise_between_a_dense_layer_and_its_dropout_keeps_them_apart():
    net = network("relu", "noise", "dropout")
    history = net.fit(X, Y, epochs=30, verbose=0)
    assert history["loss"][-1] < history["loss"][0]
    plan = net._model.executors.plan(ROWS, training=True, labels=False)
    forward = [op.kernel for op in plan.stages["forward"]]
    assert forward == ["dense_fwd", "gaussian_noise_fwd", "dropout_fwd", "dense_fwd"]


def test_an_output_that_another_op_reads_is_not_fused_away():
    """A layer that keeps what it was given for its backward pass, and passes it on as it is."""
    seen = []

    def look(dy, x):
        seen.append(x.copy())

    @dataclasses.dataclass(frozen=True)
    class Looking(Layer):
        name: str | None = None

        def lower(self, builder, x, parameters, index):
            def pullback(dy, wanted):
                builder.emit("backward", look, dy, x)
                return dy

            return x, pullback

    layers = [Dense(FEATURES, "sigmoid"), Looking(), Dropout(0.5), Dense(2)]
    net = Network(layers, loss="mean_squared_error", seed=0, dtype="float64").build(FEATURES)
    w, b, *_ = net.get_weights()
    net.fit(X, Y, batch_size=ROWS, epochs=1, shuffle=False, verbose=0)
    np.testing.assert_allclose(seen[0], 1 / (1 + np.exp(-(X @ w + b))), rtol=1e-10)
