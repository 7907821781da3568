"""The figures of the layers, against NumPy, and what measuring must not touch."""

import pickle
from dataclasses import dataclass

import numpy as np
import planted
import pytest

import fastnn
from fastnn import Activation, BatchNorm, Dense, Dropout, Flatten, Layer, Network, Rescaling
from fastnn.diagnostics.measurement import LayerMeter, norm
from fastnn.diagnostics.samples import checked_data, sample


def double(y, x):
    np.multiply(2, x, out=y)


@dataclass(frozen=True)
class Doubled(Layer):
    """A layer of Python functions."""

    name: str | None = None

    def lower(self, builder, x, parameters, index):
        y = builder.activation(x.shape)
        builder.emit("forward", double, y, x)

        def pullback(dy, wanted):
            builder.emit("backward", double, dy, dy)
            return dy

        return y, pullback


def measured(net, X, y, rows=10_000):
    return LayerMeter(net, sample(checked_data(net, X, y), rows, 0)).measure()


def by_hand(weights, X, y, l2):
    """Forward and backward pass of relu(X w1 + b1) w2 + b2 under softmax cross-entropy, float64."""
    w1, b1, w2, b2 = weights
    z1 = X @ w1 + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ w2 + b2
    p = np.exp(z2 - z2.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    dz2 = (p - np.eye(p.shape[1])[y]) / len(X)
    da1 = dz2 @ w2.T
    dz1 = da1 * (z1 > 0)
    gradients = [X.T @ dz1 + l2 * w1, dz1.sum(axis=0), a1.T @ dz2, dz2.sum(axis=0)]
    return (a1, z2), (da1, dz2), gradients


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_figures_are_those_of_numpy(optimizer):
    X, y = planted.noise(40, 7)
    net = Network(
        [Dense(19, "relu", l2=0.1), Dense(2)],
        loss="softmax_cross_entropy",
        optimizer=optimizer,
        seed=0,
        dtype="float64",
    ).build(7)
    weights = net.get_weights()
    weights[1][:5] = -50  # dead
    net.set_weights(weights)
    outputs, signals, gradients = by_hand(weights, X, y, 0.1)
    rate = net.state.learning_rate
    for k, found in enumerate(measured(net, X, y)):
        assert found.mean == pytest.approx(outputs[k].mean(), rel=1e-12)
        assert found.std == pytest.approx(outputs[k].std(), rel=1e-12)
        assert found.signal == pytest.approx(np.linalg.norm(signals[k]), rel=1e-12)
        g = np.concatenate([a.ravel() for a in gradients[2 * k : 2 * k + 2]])
        w = np.concatenate([a.ravel() for a in weights[2 * k : 2 * k + 2]])
        assert found.gradient_norm == pytest.approx(np.linalg.norm(g), rel=1e-12)
        step = rate * g if optimizer == "sgd" else rate * g / (abs(g) + 1e-8)  # Adam's first
        ratio = np.linalg.norm(step) / np.linalg.norm(w)
        assert found.update_ratio == pytest.approx(ratio, rel=1e-9)
    hidden, last = measured(net, X, y)
    assert hidden.dead == pytest.approx(np.mean((outputs[0] == 0).all(axis=0)))
    assert hidden.dead >= 5 / 19
    assert np.isnan(hidden.saturated)
    assert np.isnan(last.dead)
    assert hidden.weight_scale == pytest.approx(weights[0].std() / np.sqrt(2 / 7))
    assert last.weight_scale == pytest.approx(weights[2].std() / np.sqrt(2 / (19 + 2)))
    assert (hidden.name, hidden.kind) == ("dense_1", "Dense (relu)")


@pytest.mark.parametrize(
    ("activation", "saturated"),
    [("tanh", lambda z: 1 - np.tanh(z) ** 2 < 0.05), ("sigmoid", lambda z: _slope(z) < 0.05 / 4)],
)
def test_saturation_is_a_slope_below_a_twentieth(activation, saturated):
    X, y = planted.noise(50, 5)
    net = planted.stack(activation, 1, units=30).build(5)
    w, b, *_ = net.get_weights()
    [found, _] = measured(net, 4 * X, y)
    share = saturated((4 * X).astype(np.float32) @ w + b).mean()
    assert 0 < share < 1
    assert found.saturated == pytest.approx(share, abs=1e-3)


def _slope(z):
    y = 1 / (1 + np.exp(-z))
    return y * (1 - y)


def test_layers_of_every_kind():
    """Flatten, Rescaling and Dropout are left out; a custom activation has its name."""

    def cubic(x):
        return x * x * x

    def slope(x, y):
        return 3 * x * x

    cube = fastnn.activation(cubic, slope, name="cubic", initializer="lecun_normal")
    layers = [
        Flatten(),
        Rescaling(0.5),
        Dense(8, cube),
        Dropout(0.3),
        Dense(6),
        Activation("relu"),
        Dense(1, use_bias=False),
    ]
    net = Network(layers, loss="mean_squared_error", seed=0)
    X = np.random.default_rng(0).normal(size=(30, 2, 3))
    found = measured(net, X, X.sum(axis=(1, 2)))
    assert [f.kind for f in found] == [
        "Dense (cubic)",
        "Dense (identity)",
        "Activation (relu)",
        "Dense (identity)",
    ]
    assert all(np.isfinite([f.signal, f.mean, f.std]).all() for f in found)
    activation = found[2]
    assert np.isnan([activation.gradient_norm, activation.update_ratio]).all()
    assert activation.dead >= 0


def test_a_layer_of_the_users_own_is_watched_too():
    X, y = planted.noise(30, 4)
    layers = [Dense(6, "relu"), Doubled(), Dense(2)]
    net = Network(layers, loss="softmax_cross_entropy", seed=0)
    hidden, last = measured(net, X, y)
    assert (hidden.name, last.name) == ("dense_1", "dense_2")
    w2 = net.get_weights()[2]
    rows = np.eye(2)[y]
    p = net.predict(X)
    expected = 2 * ((p - rows) / len(X)) @ w2.T
    assert hidden.signal == pytest.approx(np.linalg.norm(expected), rel=1e-5)


def test_all_backends_measure_the_same(backend):
    X, y = planted.noise(40, 6)
    net = planted.stack("tanh", 2, units=9)
    net.build(6)
    found = measured(net, X, y)
    with fastnn.kernels.use("reference"):
        expected = measured(net, X, y)
    for a, b in zip(found, expected, strict=True):
        assert [a.signal, a.gradient_norm, a.update_ratio] == pytest.approx(
            [b.signal, b.gradient_norm, b.update_ratio], rel=1e-4
        )


@pytest.mark.parametrize(
    "optimizer",
    ["adam", fastnn.SGD(fastnn.schedules.ExponentialDecay(0.1, 10, 0.5), global_clipnorm=1.0)],
)
def test_nothing_of_the_network_changes(optimizer):
    X, y = planted.noise(100)
    layers = [Dense(16), BatchNorm(), Activation("relu"), Dropout(0.2), Dense(2)]
    net = Network(layers, loss="softmax_cross_entropy", optimizer=optimizer, seed=0)
    net.fit(X, y, epochs=2, verbose=0)
    before = pickle.dumps(net)
    measured(net, X, y)
    assert pickle.dumps(net) == before


def test_normalised_layers_are_measured_as_training_sees_them():
    """Over the batch: the running statistics, still 0 and 1, play no part."""
    X, y = planted.noise(80, 6)
    layers = [Dense(9), BatchNorm(epsilon=1e-9), Activation("tanh"), Dense(2)]
    net = Network(layers, loss="softmax_cross_entropy", seed=0, dtype="float64").build(6)
    normalized = measured(net, 50 + 100 * X, y)[1]
    assert (normalized.name, normalized.kind) == ("batchnorm_1", "BatchNorm")
    assert normalized.mean == pytest.approx(0, abs=1e-6)
    assert normalized.std == pytest.approx(1, abs=1e-6)
    assert normalized.update_ratio > 0


def test_dropout_masks_are_those_of_the_current_step():
    X, y = planted.noise(100)
    layers = [Dense(16, "relu"), Dropout(0.5), Dense(2)]
    net = Network(layers, loss="softmax_cross_entropy", seed=0).build(20)
    first, again = measured(net, X, y), measured(net, X, y)
    assert repr(first) == repr(again)  # NaN is no number, and not equal to itself
    net.state.step += 1
    assert measured(net, X, y)[1].signal != first[1].signal


def test_the_sample_is_a_part_of_the_rows_drawn_by_the_seed():
    X, y = planted.noise(100)
    net = planted.stack("relu", 1).build(20)
    rows = checked_data(net, X, y)
    a, b, c = sample(rows, 30, 1), sample(rows, 30, 1), sample(rows, 30, 2)
    assert len(np.unique(a.rows)) == len(a) == 30
    np.testing.assert_array_equal(a.rows, b.rows)
    assert not np.array_equal(a.rows, c.rows)
    assert sample(rows, 100, 1) is rows


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e25])
def test_norms_neither_overflow_nor_vanish(size):
    array = np.full(16, size, np.float32)
    assert norm(array) == pytest.approx(4 * float(np.float32(size)), rel=1e-6)
