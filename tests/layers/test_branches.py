"""Residual and Parallel: gradients, values, memory, random numbers, files and refusals."""

import numpy as np
import pytest
from layer_networks import network

import fastnn
from fastnn import (
    Activation,
    BatchNorm,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    MaxPooling2D,
    Network,
    Normalization,
    Parallel,
    Residual,
)
from fastnn.errors import ArgumentError, ArgumentTypeError
from fastnn.ir.program import Batch

RNG = np.random.default_rng(0)
X, IMAGES, SERIES = (RNG.normal(size=(5, *shape)) for shape in ((6,), (4, 5, 3), (9, 3)))
CLASSES = np.array([0, 2, 1, 1, 0])


def same(filters, size=3, activation="identity", **options):
    return Conv2D(filters, size, activation, padding="same", **options)


RESNET = [
    same(4),
    Residual([same(4, 3, "relu"), BatchNorm(), same(4)]),
    Activation("relu"),
    Residual([same(6, 3, "gelu", strides=2), BatchNorm()], shortcut=[Conv2D(6, 1, strides=2)]),
    GlobalAveragePooling2D(),
]
SMALL_POOL = MaxPooling2D(3, strides=1, padding="same")
INCEPTION = [
    Parallel([[same(2, 1)], [same(2, 1, "relu"), same(3)], [SMALL_POOL]]),
    Flatten(),
]
WORDS = [[Conv1D(2, size, "tanh"), GlobalMaxPooling1D()] for size in (2, 3, 5)]
NESTED = Parallel([[Dense(3)], [Residual([Dropout(0.3), Dense(6)]), Dense(3)]])
NETWORKS = {
    "resnet": (RESNET, IMAGES),
    "inception": (INCEPTION, IMAGES),
    "textcnn": (
        [Parallel(WORDS)],
        SERIES,
    ),
    "dense skips": ([Parallel([[], [Dense(3, "relu")]]), Parallel([[], [Dense(2, "tanh")]])], X),
    "wide and deep": ([Parallel([[], [Dense(8, "relu"), Dense(4, "relu")]])], X),
    "sum": ([Parallel([[Dense(4)], [Dense(4, "tanh")], [Dense(4, "gelu")]], "add")], X),
    "mean": ([Parallel([[Dense(6)], [], [Dense(6, "gelu")]], "mean")], X),
    "maxout": ([Parallel([[Dense(4)], [Dense(4)], [Dense(4)]], "max")], X),
    "nested": ([Residual([NESTED]), Dropout(0.2)], X),
    "frozen inside": ([Dense(4), Residual([Dense(4, "relu", trainable=False), Dense(4)])], X),
    "one branch": ([Parallel([[Dense(4, "relu")]], "max"), Parallel([[]])], X),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients(backend, name):
    layers, x = NETWORKS[name]
    check = fastnn.gradient_check(network([*layers, Dense(3)]), x, CLASSES, n=12, verbose=0)
    assert check.max_relative_error <= 1e-7, str(check)


def test_values_are_those_of_the_branches(backend):
    weights = RNG.normal(size=(2, 6, 6))
    for merge, join in (
        ("add", np.add),
        ("mean", lambda a, b: (a + b) / 2),
        ("max", np.maximum),
        ("concat", lambda a, b: np.concatenate([a, b], axis=1)),
    ):
        layers = [Parallel([[Dense(6, use_bias=False)], [Dense(6, "relu", use_bias=False)]], merge)]
        net = network(layers, loss="mean_squared_error").build(6)
        net.set_weights(list(weights))
        want = join(X @ weights[0], np.maximum(X @ weights[1], 0))
        np.testing.assert_allclose(net.predict(X), want, atol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_inference_does_not_overwrite_what_branches_share(backend, name):
    """Inference reuses memory and works in place; training keeps every array: both agree."""
    layers, x = NETWORKS[name]
    net = network([*layers, Dense(3)]).build(x.shape[1:])
    for buffers in net.buffers.values():
        buffers += 0.5
    many = np.repeat(x, 60, axis=0)
    once = net.predict(x)
    np.testing.assert_allclose(net.predict(many)[::60], once, rtol=1e-12)
    if not net.buffers and name != "nested":  # nor dropout
        loss = net.evaluate(x, CLASSES)["loss"]
        assert net.train_on_batch(x, CLASSES)["loss"] == pytest.approx(loss, rel=1e-12)


def test_a_normalisation_that_two_branches_read_is_not_folded_away(backend):
    layers = [Dense(6, "tanh"), BatchNorm(), Parallel([[Dense(4)], []]), Flatten()]
    net = network(layers, loss="mean_squared_error").build(6)
    net.buffers["batchnorm_1/moving_mean"][:] = 3.0
    x = np.repeat(X, 60, axis=0)
    w, b, gamma, beta, v, c = net.get_weights()
    hidden = (np.tanh(x @ w + b) - 3) / np.sqrt(1 + 1e-3) * gamma + beta
    want = np.concatenate([hidden @ v + c, hidden], axis=1)
    np.testing.assert_allclose(net.predict(x), want, atol=1e-12)


def test_dropout_within_layers_has_numbers_of_its_own():
    layers = [Parallel([[Dropout(0.5)], [Dropout(0.5)]]), Flatten()]
    net = network(layers, loss="mean_squared_error").build(6)
    ones = np.ones((400, 6))
    first, second = np.split(training_outputs(net, ones), 2, axis=1)
    assert 0.4 < (first == second).mean() < 0.6


def training_outputs(net, x):
    """Outputs of the last layer in a step of training."""
    net.train_on_batch(x, np.zeros((len(x), *net.output_shape)))
    executor = net._model.executors.training(len(x), False)
    return executor.array(executor.plan.output, Batch(x)).copy()


def test_saved_loaded_copied_and_shown(tmp_path, capsys):
    net = network([*RESNET, Dense(3)]).build((4, 5, 3))
    net.fit(IMAGES, CLASSES, epochs=2, verbose=0)
    net.save(tmp_path / "net.fastnn", optimizer=True)
    again = Network.load(tmp_path / "net.fastnn")
    assert again.layers == net.layers
    np.testing.assert_array_equal(again.predict(IMAGES), net.predict(IMAGES))
    assert (
        net.fit(IMAGES, CLASSES, verbose=0)["loss"] == again.fit(IMAGES, CLASSES, verbose=0)["loss"]
    )
    assert "residual_1/batchnorm_1.moving_mean" in net.buffers
    net.summary()
    lines = capsys.readouterr().out.splitlines()
    [block] = [i for i, line in enumerate(lines) if line.startswith("residual_1")]
    assert [line.split()[:2] for line in lines[block + 1 : block + 5]] == [
        ["┌", "conv2d_1"],
        ["│", "batchnorm_1"],
        ["└", "conv2d_2"],
        ["╶", "the"],
    ]
    assert "a training batch of 32 rows takes" in lines[-1]


def test_custom_activations_within_layers_are_named_in_files(tmp_path):
    square = fastnn.activation(lambda x: x * x, lambda x, y: 2 * x, name="square")
    net = network([Residual([Dense(6, square)]), Dense(3)]).build(6)
    net.save(tmp_path / "net.fastnn")
    again = Network.load(tmp_path / "net.fastnn", custom_objects={"square": square})
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    with pytest.raises(fastnn.ModelFileError, match="custom activation 'square'"):
        Network.load(tmp_path / "net.fastnn")


def test_freezing_a_container_freezes_all_of_it():
    net = network([Dense(6), Residual([Dense(6, "relu"), Dense(6)]), Dense(3)]).build(6)
    net.freeze("residual_1")
    before = net.get_weights()
    net.fit(X, CLASSES, epochs=2, verbose=0)
    moved = [not np.array_equal(a, b) for a, b in zip(before, net.get_weights(), strict=True)]
    assert moved == [True, True, False, False, False, False, True, True]


def test_batches_of_one_row_are_warned_of_within_layers():
    net = network([Dense(6), Residual([Dense(6), BatchNorm()]), Dense(3)])
    with pytest.warns(UserWarning, match="'residual_1/batchnorm_1' gets batches of a single row"):
        net.train_on_batch(X[:1], CLASSES[:1])


REFUSED = {
    "text": (lambda: Residual("Dense"), ArgumentTypeError, "layers must be a list of layers"),
    "a class": (lambda: Residual([Dense]), ArgumentTypeError, "layers must hold layer objects"),
    "none": (lambda: Residual([]), ArgumentError, "at least one layer, got none"),
    "no branch": (lambda: Parallel([]), ArgumentError, "at least one branch, got none"),
    "a flat list": (lambda: Parallel([Dense(3)]), ArgumentTypeError, r"layers\[0\] must be a list"),
    "merge": (lambda: Parallel([[]], "sum"), ArgumentError, "unknown merge 'sum'"),
    "input": (
        lambda: Residual([Parallel([[Normalization()]])]),
        ArgumentError,
        "Normalization works on the input of a network, not within",
    ),
    "names": (
        lambda: Parallel([[Dense(3, name="a")], [Dense(3, name="a")]]),
        ArgumentError,
        "layer name 'a' is given twice",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_arguments_that_are_refused(case):
    make, error, match = REFUSED[case]
    with pytest.raises(error, match=match):
        make()


UNSUITABLE = {
    "shortcut": (
        Residual([Dense(4)]),
        r"its layers make \(4,\) of its input of shape \(6,\), and its shortcut \(6,\); shortcut=",
    ),
    "sum": (
        Parallel([[Dense(4)], []], "add"),
        r"merge='add' needs branches that have one shape, but theirs make \(4,\), \(6,\)",
    ),
    "inside": (Residual([Conv2D(3, 3)]), "Conv2D takes images"),
}


@pytest.mark.parametrize("case", UNSUITABLE)
def test_inputs_that_do_not_fit_are_refused(case):
    layer, match = UNSUITABLE[case]
    net = network([layer, Dense(3)])
    with pytest.raises(ArgumentError, match=match):
        net.build(6)
    assert not net.built
