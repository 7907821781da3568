"""Optimizers as networks use them: names, clipping, regularisation, arguments that are refused."""

import dataclasses

import numpy as np
import pytest
from problems import data

import fastnn
from fastnn import SGD, ArgumentError, ArgumentTypeError, Dense, Network, kernels, optimizers

X, Y = data()


def network(layers=None, **options):
    layers = layers or [Dense(6, "tanh"), Dense(1)]
    settings = {"loss": "mean_squared_error", "optimizer": SGD(0.1), "seed": 2, "dtype": "float64"}
    return Network(layers, **settings | options)


def moves(net, steps=1):
    """Return the change of each array in a few steps."""
    before = net.build(X.shape[1]).get_weights()
    for _ in range(steps):
        net.train_on_batch(X, Y)
    return [b - a for a, b in zip(before, net.get_weights(), strict=True)]


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_every_name_trains(name):
    net = network(optimizer=name)
    assert type(net.optimizer).__name__.lower() == name
    losses = net.fit(X, Y, epochs=30, verbose=0)["loss"]
    assert losses[-1] < losses[0]


def test_only_what_differs_is_shown():
    assert repr(fastnn.AdamW()) == "AdamW(learning_rate=0.001)"
    shown = repr(fastnn.RMSProp(0.1, centered=True, clipnorm=2))
    assert shown == "RMSProp(learning_rate=0.1, clipnorm=2.0, centered=True)"
    assert eval(shown, vars(fastnn)) == fastnn.RMSProp(0.1, centered=True, clipnorm=2)


# --- clipping -------------------------------------------------------------------------------------


def clipped(**limit):
    """Gradients as a step sees them: with a rate of 1, its moves turned round."""
    layers = [Dense(6, "tanh", l1=0.01, l2=0.1), Dense(1)]
    return [-move for move in moves(network(layers, optimizer=SGD(1.0, **limit)))]


@pytest.mark.parametrize("value", [1e-3, 0.05, 1e3])
def test_clipvalue_limits_every_element(backend, value):
    expected = [np.clip(g, -value, value) for g in clipped()]
    for got, want in zip(clipped(clipvalue=value), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("limit", [1e-3, 0.3, 1e3])
def test_clipnorm_limits_every_array(backend, limit):
    expected = [g * min(1, limit / np.linalg.norm(g)) for g in clipped()]
    for got, want in zip(clipped(clipnorm=limit), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("limit", [1e-3, 0.3, 1e3])
def test_global_clipnorm_limits_all_arrays_together(backend, limit):
    plain = clipped()
    norm = np.sqrt(sum(np.square(g).sum() for g in plain))
    for got, want in zip(clipped(global_clipnorm=limit), plain, strict=True):
        np.testing.assert_allclose(got, want * min(1, limit / norm), rtol=1e-10, atol=1e-15)


def test_frozen_layers_have_no_part_in_the_norm():
    """Not even with the gradients that they left before they were frozen."""
    net = network(optimizer=SGD(1.0, global_clipnorm=1e-3))
    moves(net)
    net.freeze("dense_1")
    together = np.sqrt(sum(np.square(move).sum() for move in moves(net)))
    assert together == pytest.approx(1e-3, rel=1e-12)


# --- regularisation, by layer and by network ------------------------------------------------------


def test_what_layers_leave_open_is_the_networks():
    layers = [Dense(4, l1=0.5), Dense(4, l2=0.0, weight_decay=0.2), Dense(1, max_norm=0)]
    options = {"l1": 0.1, "l2": 0.3, "max_norm": 2.0, "optimizer": fastnn.AdamW()}
    net = network(layers, **options).build(3)
    found = [
        (t.l1, t.l2, t.weight_decay, t.max_norm)
        for t in (segment.options for segment in net._model.arena.segments)
    ]
    nothing = (0, 0, 0, 0)
    assert found[::2] == [(0.5, 0.3, 0.01, 2.0), (0.1, 0.0, 0.2, 2.0), (0.1, 0.3, 0.01, 0)]
    assert found[1::2] == [nothing] * 3  # biases


@pytest.mark.parametrize("name", ["l1", "l2"])
def test_a_penalty_of_the_network_is_one_of_every_layer(name):
    whole = network(**{name: 0.05})
    parts = network([Dense(6, "tanh", **{name: 0.05}), Dense(1, **{name: 0.05})])
    histories = [net.fit(X, Y, epochs=3, verbose=0) for net in (whole, parts)]
    assert dict(histories[0]) == dict(histories[1])
    assert fastnn.gradient_check(whole, X, Y, verbose=0).max_relative_error < 1e-7
    plain = network().build(5)
    plain.set_weights(whole.get_weights())
    weights = [w for w in whole.get_weights() if w.ndim == 2]
    size = {"l1": lambda w: np.abs(w).sum(), "l2": lambda w: np.square(w).sum() / 2}[name]
    assert whole.evaluate(X, Y) == plain.evaluate(X, Y)
    extra = fastnn.gradient_check(whole, X, Y, n=1, verbose=0).loss - plain.evaluate(X, Y)["loss"]
    assert extra == pytest.approx(0.05 * sum(map(size, weights)), rel=1e-9)


def test_a_layers_own_weight_decay():
    plain, decayed = (
        network([Dense(6, "tanh", weight_decay=decay), Dense(1)]) for decay in (None, 0.5)
    )
    start = plain.build(5).get_weights()
    difference = [a - b for a, b in zip(moves(plain), moves(decayed), strict=True)]
    np.testing.assert_allclose(difference[0], 0.1 * 0.5 * start[0], rtol=1e-9)
    for other in difference[1:]:
        np.testing.assert_array_equal(other, 0)


def test_units_stay_within_max_norm(backend):
    net = network(max_norm=0.7, optimizer=SGD(0.5))
    net.fit(X, Y, epochs=5, verbose=0)
    free = network(optimizer=SGD(0.5))
    free.fit(X, Y, epochs=5, verbose=0)

    def longest(net):
        return max(np.linalg.norm(w, axis=0).max() for w in net.get_weights() if w.ndim == 2)

    assert longest(free) > 0.8
    assert longest(net) == pytest.approx(0.7, rel=1e-12)


def test_learning_rate_multipliers_multiply():
    layers = [Dense(6, "tanh", learning_rate_multiplier=0.25), Dense(1)]
    for plain, slowed in zip(moves(network())[:2], moves(network(layers))[:2], strict=True):
        np.testing.assert_allclose(slowed, 0.25 * plain, rtol=1e-12)
    for plain, other in zip(moves(network())[2:], moves(network(layers))[2:], strict=True):
        np.testing.assert_array_equal(other, plain)


def test_label_smoothing_of_yes_and_no():
    y = (Y > 0).astype(float)
    smoothed = network(loss=fastnn.SigmoidCrossEntropy(label_smoothing=0.2))
    by_hand = network(loss="sigmoid_cross_entropy")
    smoothed.fit(X, y, epochs=2, verbose=0)
    by_hand.fit(X, 0.8 * y + 0.1, epochs=2, verbose=0)
    np.testing.assert_allclose(smoothed.parameters, by_hand.parameters, rtol=1e-12)
    assert fastnn.gradient_check(smoothed, X, y, verbose=0).max_relative_error < 1e-7


# --- the update is one pass over long runs --------------------------------------------------------


def update_of(net):
    stages = net.build(5)._model.executors.plan(8, training=True, labels=False).stages
    return [op.kernel for op in stages["update"]]


def test_what_is_treated_alike_is_one_pass():
    deep = [Dense(4, "tanh") for _ in range(5)]
    assert update_of(network([*deep, Dense(1)])) == ["sgd_step"]
    assert update_of(network([*deep, Dense(1, learning_rate_multiplier=2)])) == ["sgd_step"] * 2
    frozen = [dataclasses.replace(layer, trainable=False) for layer in deep]
    assert update_of(network([*frozen, Dense(1)])) == ["sgd_step"]
    assert update_of(network([*frozen[:2], deep[0], *frozen[:2], Dense(1)])) == ["sgd_step"] * 2
    each = network(deep, optimizer=SGD(clipnorm=1.0), loss="mean_squared_error")
    assert update_of(each) == ["sum_of_squares", "sgd_step"] * 10


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [k for k in optimizers.OPTIMIZERS.values() if not k.full_batch])
def test_bad_settings_of_gradient_optimizers(kind):
    bounds = {
        "learning_rate": (0, -1, np.nan, np.inf),
        "weight_decay": (-1,),
        "clipvalue": (0, -1),
        "clipnorm": (0, np.inf),
        "global_clipnorm": (0,),
        "epsilon": (0, -1e-9),
        "momentum_decay": (-1,),
        "momentum": (-0.1, 1.1),
        **dict.fromkeys(("rho", "beta1", "beta2"), (-0.1, 1)),
    }
    flags = {"nesterov", "centered", "amsgrad", "epsilon_hat"}
    names = {field.name for field in dataclasses.fields(kind)} - {"_"}
    assert names <= bounds.keys() | flags
    for name in names:
        for value in bounds.get(name, ()):
            with pytest.raises(ArgumentError, match=f"^{name} must be .*, got "):
                kind(**{name: value})
        wrong = 1 if name in flags else "0.5"
        with pytest.raises(ArgumentTypeError, match=f"^{name} must be .*, got "):
            kind(**{name: wrong})
    with pytest.raises(ArgumentError, match="at most one of clipvalue, clipnorm"):
        kind(clipvalue=1.0, clipnorm=1.0)
    with pytest.raises(ArgumentError, match="at most one of clipnorm, global_clipnorm"):
        kind(clipnorm=1.0, global_clipnorm=1.0)


def test_bad_settings_of_layers_and_networks():
    for name in ("l1", "l2", "weight_decay", "max_norm", "learning_rate_multiplier"):
        with pytest.raises(ArgumentError, match=f"^{name} must be .*, got -1"):
            Dense(1, **{name: -1})
    with pytest.raises(ArgumentError, match=r"learning_rate_multiplier must be .* > 0, got 0"):
        Dense(1, learning_rate_multiplier=0)
    with pytest.raises(ArgumentTypeError, match="trainable must be True or False, got 1"):
        Dense(1, trainable=1)
    for name, value in (("l1", -1), ("l2", np.nan), ("max_norm", 0)):
        with pytest.raises(ArgumentError, match=f"^{name} must be .*, got "):
            network(**{name: value})
    with pytest.raises(ArgumentError, match="did you mean 'nadam'"):
        network(optimizer="nadan")
    for value in (-0.1, 1.1):
        with pytest.raises(ArgumentError, match="label_smoothing must be"):
            fastnn.SigmoidCrossEntropy(value)


def test_kernels_are_the_optimizers_own():
    """Every step kernel of the table belongs to an optimizer."""
    used = set()
    for kind in (
        *(k() for k in optimizers.OPTIMIZERS.values() if not k.full_batch),
        SGD(momentum=0.5),
        fastnn.Adam(amsgrad=True),
    ):
        used |= set(update_of(network(optimizer=kind)))
    steps = {
        name
        for name, row in kernels.KERNELS.items()
        if {"p", "dp", "lr"} <= set(row.signature.parameters)
    }
    assert used == steps
