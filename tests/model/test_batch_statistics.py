"""Running statistics measured anew: what they are, whose they are, and when they are refused."""

import threading

import numpy as np
import pytest

import fastnn
from fastnn import (
    SWA,
    Activation,
    BatchNorm,
    Callback,
    Dense,
    Dropout,
    GaussianNoise,
    LayerNorm,
    Network,
    Rescaling,
)
from fastnn.errors import ArgumentError, ArgumentTypeError, NetworkBusyError, NotBuiltError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(1, 3, (23, 6)), RNG.normal(size=23)
EPSILON = 1e-3


def network(layers=None, **options):
    layers = layers or [
        Rescaling(0.5),
        BatchNorm(name="first"),
        GaussianNoise(0.5),
        Dense(17, "tanh"),
        Dropout(0.4),
        BatchNorm(name="second", scale=False),
        Dense(1),
    ]
    settings = {"loss": "mean_squared_error", "seed": 1, "dtype": "float64"} | options
    return Network(layers, **settings)


def trained(**options):
    net = network(weight_average=SWA(start=2), optimizer=fastnn.SGD(0.05), **options)
    net.fit(X, Y, batch_size=8, epochs=4, verbose=0)
    return net


def copies(net):
    return {name: array.copy() for name, array in net.buffers.items()}


def by_hand(weights, batch_size):
    """Means and variances of both layers, each batch normalised by itself, by its rows."""
    gamma, beta, w, b, *_ = weights
    whats = ("moving_mean", "moving_variance")
    totals = {f"{layer}/{what}": 0.0 for layer in ("first", "second") for what in whats}
    for start in range(0, len(X), batch_size):
        x = X[start : start + batch_size] / 2
        share = len(x) / len(X)
        totals["first/moving_mean"] += share * x.mean(axis=0)
        totals["first/moving_variance"] += share * x.var(axis=0)
        normalized = gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + EPSILON) + beta
        hidden = np.tanh(normalized @ w + b)
        totals["second/moving_mean"] += share * hidden.mean(axis=0)
        totals["second/moving_variance"] += share * hidden.var(axis=0)
    return totals


@pytest.mark.parametrize("batch_size", [1, 8, 22, 23, 1000])
def test_they_are_means_over_the_batches(backend, batch_size):
    net = trained()
    net.update_batch_statistics(X, batch_size=batch_size)
    expected = by_hand(net.get_weights(), batch_size)
    assert set(net.buffers) == set(expected)
    for name, values in net.buffers.items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-12, atol=1e-15, err_msg=name)


def test_with_one_batch_inference_is_the_training_pass():
    net = trained()
    net.update_batch_statistics(X)
    gamma, beta, w, b, shift, last, bias = net.get_weights()

    def normalized(x):
        return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + EPSILON)

    hidden = normalized(np.tanh((gamma * normalized(X / 2) + beta) @ w + b)) + shift
    np.testing.assert_allclose(net.predict(X), hidden @ last + bias, rtol=1e-10, atol=1e-12)


def test_images_and_other_normalisations():
    images = RNG.normal(2, 4, (11, 3, 2, 5))
    layers = [LayerNorm(), BatchNorm(name="norm"), fastnn.Flatten(), Dense(1)]
    net = network(layers).build((3, 2, 5))
    net.update_batch_statistics(images, batch_size=11)
    deviation = np.sqrt(images.var(axis=-1, keepdims=True) + EPSILON)
    rows = (images - images.mean(axis=-1, keepdims=True)) / deviation
    mean, variance = net.buffers["norm/moving_mean"], net.buffers["norm/moving_variance"]
    np.testing.assert_allclose(mean, rows.mean(axis=(0, 1, 2)), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(variance, rows.var(axis=(0, 1, 2)), rtol=1e-12)


def test_torch_agrees():
    torch = pytest.importorskip("torch")
    layers = [Dense(5, "tanh"), BatchNorm(name="norm"), Dense(1)]
    net = network(layers).build(6)
    w, b = net.get_weights()[:2]
    dense = torch.nn.Linear(6, 5, dtype=torch.float64)
    with torch.no_grad():
        dense.weight.copy_(torch.from_numpy(w.T))
        dense.bias.copy_(torch.from_numpy(b))
    norm = torch.nn.BatchNorm1d(5, dtype=torch.float64)
    twin = torch.nn.Sequential(dense, torch.nn.Tanh(), norm)
    rows = X[:21]
    torch.optim.swa_utils.update_bn(torch.from_numpy(rows).split(7), twin)
    net.update_batch_statistics(rows, batch_size=7)
    mean, variance = net.buffers["norm/moving_mean"], net.buffers["norm/moving_variance"]
    np.testing.assert_allclose(mean, norm.running_mean, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(variance, norm.running_var * 6 / 7, rtol=1e-12)  # theirs: n - 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_bits_however_often_and_whatever_came_before(dtype):
    net, other = trained(dtype=dtype), trained(dtype=dtype)
    other.update_batch_statistics(-X, batch_size=3)
    other.predict(X)
    before = net.parameters.copy(), net._model.arena.slots.copy(), net.state.step
    for each in (net, other, net):
        each.update_batch_statistics(X.astype(np.float32), batch_size=8)
    for name, values in net.buffers.items():
        assert values.tobytes() == other.buffers[name].tobytes()
    np.testing.assert_array_equal(net.parameters, before[0])
    np.testing.assert_array_equal(net._model.arena.slots, before[1])
    assert net.state.step == before[2]


def test_those_of_an_average_last_as_long_as_the_context():
    net = trained()
    raw = copies(net)
    with net.averaged():
        net.update_batch_statistics(X, batch_size=8)
        expected = by_hand(net.get_weights(), 8)
        for name, values in net.buffers.items():
            np.testing.assert_allclose(values, expected[name], rtol=1e-12, atol=1e-15)
        seen = net.predict(X)
    for name, values in net.buffers.items():
        np.testing.assert_array_equal(values, raw[name])
    net.use_average()
    net.update_batch_statistics(X, batch_size=8)
    np.testing.assert_array_equal(net.predict(X), seen)


def test_a_callback_may_measure():
    class Measure(Callback):
        def on_epoch_end(self, network, epoch, logs):
            network.update_batch_statistics(X, batch_size=8)
            found.append(by_hand(network.get_weights(), 8))

    found = []
    net = network()
    net.fit(X, Y, epochs=2, callbacks=[Measure()], verbose=0)
    for name, values in net.buffers.items():
        np.testing.assert_allclose(values, found[-1][name], rtol=1e-12, atol=1e-15)


def test_not_while_another_thread_trains():
    net = trained()
    holds = []
    other = threading.Thread(target=lambda: holds.append(net._model.lock.take()))
    other.start()
    other.join()
    with pytest.raises(NetworkBusyError):
        net.update_batch_statistics(X)


BAD = np.where(np.arange(6) == 2, np.nan, X)


@pytest.mark.parametrize(
    ("x", "batch_size", "error", "message"),
    [
        (X[:, :5], 8, ArgumentError, "X has 5 features, but the network was built for 6"),
        (BAD, 8, ArgumentError, r"X\[0, 2\] is nan"),
        (X[:0], 8, ArgumentError, "X must hold at least one row"),
        ([["a"] * 6], 8, ArgumentTypeError, "X must hold numbers"),
        (X, 0, ArgumentError, "batch_size must be an integer >= 1, got 0"),
        (X, 2.5, ArgumentTypeError, "batch_size must be an integer"),
        (X * 1e200, 8, ArgumentError, "X has statistics beyond float64 in layer 'first'"),
    ],
)
def test_what_cannot_be_measured_changes_nothing(x, batch_size, error, message):
    net = trained()
    before = copies(net)
    with pytest.raises(error, match=message):
        net.update_batch_statistics(x, batch_size=batch_size)
    for name, values in net.buffers.items():
        np.testing.assert_array_equal(values, before[name])


def test_networks_that_have_none():
    with pytest.raises(NotBuiltError):
        network().update_batch_statistics(X)
    bare = network([LayerNorm(), Dense(3), Activation("relu"), Dense(1)]).build(6)
    with pytest.raises(ArgumentError, match="no BatchNorm layer"):
        bare.update_batch_statistics(X)
