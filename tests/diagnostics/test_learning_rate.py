"""`lr_find`: what it finds, when it stops, and that it leaves everything as it was."""

import pickle

import numpy as np
import planted
import pytest

import fastnn
from fastnn import Dense, Dropout, Network


def network(optimizer="adam", **options):
    layers = [Dense(32, "relu"), Dropout(0.1), Dense(2)]
    settings = {"loss": "softmax_cross_entropy", "seed": 0} | options
    return Network(layers, optimizer=optimizer, **settings)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_suggested_rate_trains_better_than_rates_far_off(optimizer):
    X, y = planted.noise(1000)
    found = fastnn.lr_find(network(optimizer), X, y).suggestion

    def loss(rate):
        kind = fastnn.SGD if optimizer == "sgd" else fastnn.Adam
        net = network(kind(rate))
        net.fit(X, y, epochs=5, verbose=0)
        return net.evaluate(X, y)["loss"]

    assert loss(found) < loss(found / 100)
    assert loss(found) < 0.25


def test_rates_grow_geometrically_and_losses_are_those_of_training():
    """Without dropout and for one batch, the sweep is plain gradient descent at growing rates."""
    X, y = planted.noise(60, 4)
    y = y.astype(float)
    net = Network([Dense(1)], loss="mean_squared_error", optimizer="sgd", seed=0, dtype="float64")
    found = fastnn.lr_find(net, X, y, min_lr=1e-3, max_lr=0.1, steps=30, batch_size=60)
    np.testing.assert_allclose(found.learning_rates, np.logspace(-3, -1, 30))
    w, b = net.get_weights()
    for rate, loss in zip(found.learning_rates, found.losses, strict=True):
        residual = X @ w + b - y[:, None]
        assert loss == pytest.approx((residual**2).mean(), rel=1e-9)
        w = w - rate * 2 * X.T @ residual / 60
        b = b - rate * 2 * residual.mean(axis=0)
    assert not found.diverged


@pytest.mark.parametrize("trained", [False, True])
def test_nothing_of_the_network_changes(trained):
    X, y = planted.noise()
    net = network()
    net.fit(X, y, epochs=2, verbose=0) if trained else net.build(20)
    twin, before = network(), pickle.dumps(net)
    if trained:
        twin.fit(X, y, epochs=2, verbose=0)
    fastnn.lr_find(net, X, y)
    assert pickle.dumps(net) == before
    for each in (net, twin):
        each.fit(X, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


def test_a_network_that_is_not_built_is_built():
    X, y = planted.noise()
    net = network()
    first = fastnn.lr_find(net, X, y)
    assert net.built
    again = fastnn.lr_find(network().build(20), X, y)
    np.testing.assert_array_equal(first.losses, again.losses)


def test_a_schedule_is_left_aside():
    X, y = planted.noise()
    schedule = fastnn.schedules.CosineDecay(0.1, 100)
    plain, scheduled = network(fastnn.SGD(0.1)), network(fastnn.SGD(schedule))
    losses = [fastnn.lr_find(net, X, y).losses for net in (plain, scheduled)]
    np.testing.assert_array_equal(*losses)
    assert scheduled.state.learning_rate == schedule(0)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_sweep_ends_where_the_loss_diverges(optimizer):
    X, y = planted.noise()
    found = fastnn.lr_find(network(optimizer), X, y, max_lr=1e6)
    assert found.diverged
    assert len(found.losses) < 100
    assert len(found.losses) == len(found.learning_rates) == len(found.smoothed)
    assert found.suggestion < found.learning_rates[-1]
    assert np.isfinite(found.losses).all()
    assert "where the loss diverged" in str(found)


def test_overflow_ends_the_sweep_too():
    X, y = planted.noise()
    net = Network([Dense(1)], loss="mean_squared_error", optimizer="sgd", seed=0)
    found = fastnn.lr_find(net, X, y.astype(float), min_lr=1e-4, max_lr=1e30, steps=20)
    assert found.diverged


def test_a_loss_that_never_falls_gives_no_suggestion():
    X, y = planted.noise()
    net = network("sgd")
    found = fastnn.lr_find(net, X, y, min_lr=1e2, max_lr=1e5)
    assert found.suggestion is None
    assert "no suggestion" in str(found)


def test_divergence_at_once_is_an_error():
    X, y = planted.noise()
    net = Network([Dense(1)], loss="mean_squared_error", optimizer="sgd", seed=0)
    with pytest.raises(ValueError, match="training diverges at once, at min_lr=1e\\+30"):
        fastnn.lr_find(net, X, y.astype(float), min_lr=1e30, max_lr=1e35)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"min_lr": 0}, ValueError, "min_lr must be a finite number > 0, got 0"),
        ({"max_lr": np.inf}, ValueError, "max_lr must be a finite number > 0"),
        ({"min_lr": 1.0, "max_lr": 0.1}, ValueError, "min_lr must be below max_lr, got 1 and 0.1"),
        ({"steps": 9}, ValueError, "steps must be an integer >= 10, got 9"),
        ({"batch_size": 0}, ValueError, "batch_size must be an integer >= 1, got 0"),
        ({"batch_size": "32"}, TypeError, "batch_size must be"),
    ],
)
def test_bad_arguments(options, error, message):
    net = network()
    with pytest.raises(error, match=message):
        fastnn.lr_find(net, *planted.noise(), **options)
    assert not net.built


def test_bad_data():
    X, y = planted.noise()
    net = network()
    with pytest.raises(ValueError, match="X has 300 rows, but y has 299"):
        fastnn.lr_find(net, X, y[1:])
    assert not net.built
    with pytest.raises(TypeError, match="net must be a Network, got str"):
        fastnn.lr_find("net", X, y)


def test_plots(tmp_path):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    X, y = planted.noise()
    found = fastnn.lr_find(network(), X, y)
    axes = Figure().subplots()
    assert found.plot(axes) is axes
    assert axes.get_xscale() == "log"
    assert f"suggestion {found.suggestion:.2g}" in [t.get_text() for t in axes.get_legend().texts]
    found.to_png(tmp_path / "sweep.png")
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")
