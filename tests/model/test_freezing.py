"""Freezing: what stays, what is not computed, and the first steps after it."""

import numpy as np
import pytest
from problems import data

import fastnn
from fastnn import (
    Activation,
    ArgumentError,
    BatchNorm,
    Dense,
    Dropout,
    LayerNorm,
    Network,
    NetworkBusyError,
)

X, Y = data()


def network(**options):
    settings = {"loss": "mean_squared_error", "seed": 3, "dtype": "float64"} | options
    layers = [Dense(8, "tanh", l2=0.1, name="a"), Dropout(0.2), Dense(6, "relu", name="b"),
              Activation("tanh"), Dense(1, name="c")]  # fmt: skip
    return Network(layers, **settings)


def backward_of(net):
    stages = net.build(5)._model.executors.plan(8, training=True, labels=False).stages
    return [(op.kernel, op.layer, list(op.arguments.values())[:3]) for op in stages["backward"]]


@pytest.mark.parametrize("names", [["a"], ["b"], ["c"], ["a", "b"], ["a", "c"]])
@pytest.mark.parametrize("optimizer", ["sgd", fastnn.AdamW(0.01, clipnorm=0.1), "lbfgs"])
def test_frozen_parameters_stay_and_others_move(names, optimizer):
    net = network(optimizer=optimizer)
    net.freeze(*names)
    before = net.build(5).get_weights()
    net.fit(X, Y, epochs=2, verbose=0)
    for name, old, new in zip("aabbcc", before, net.get_weights(), strict=True):
        assert np.array_equal(old, new) == (name in names), name


def test_others_move_as_they_would_have():
    """The gradients of what learns do not depend on what is frozen."""
    plain, frozen = network(optimizer="sgd"), network(optimizer="sgd")
    frozen.freeze("b")
    for net in (plain, frozen):
        net.train_on_batch(X, Y)
    for i in (0, 1, 4, 5):
        np.testing.assert_array_equal(plain.get_weights()[i], frozen.get_weights()[i])


def test_backward_stops_at_the_first_layer_that_learns():
    net = network()
    assert [layer for _, layer, _ in backward_of(net)] == ["c", "activation_1", "b", "a"]
    net.freeze("a")
    assert [layer for _, layer, _ in backward_of(net)] == ["c", "activation_1", "b"]
    kernel, _, (dx, dw, db) = backward_of(net)[-1]
    assert (kernel, dx) == ("dense_bwd", None)
    assert dw is not None
    assert db is not None
    net.unfreeze("a")
    net.freeze("b")
    _, _, (dx, dw, db) = backward_of(net)[-2]
    assert dx is not None
    assert (dw, db) == (None, None)
    net.freeze()
    assert backward_of(net) == []


@pytest.mark.parametrize("kind", [BatchNorm, LayerNorm])
def test_normalisation_without_learning(kind):
    """Scale and shift stay; running averages go on."""
    layers = [Dense(6, "tanh"), kind(trainable=False), Dense(4, "tanh"), Dense(1)]
    net = Network(layers, loss="mean_squared_error", seed=0, dtype="float64").build(5)
    [(kernel, _, (_, *gradients))] = [op for op in backward_of(net) if "norm" in op[0]]
    assert gradients[:2] == [None, None], kernel
    assert fastnn.gradient_check(net, X, Y, verbose=0).max_relative_error < 1e-6
    buffers = net._model.arena.buffers.copy()
    net.fit(X, Y, epochs=2, verbose=0)
    np.testing.assert_array_equal(net.get_weights()[2], 1.0)
    np.testing.assert_array_equal(net.get_weights()[3], 0.0)
    assert (kind is LayerNorm) or not np.array_equal(net._model.arena.buffers, buffers)


def test_penalties_of_frozen_weights_leave_the_loss():
    net = network().build(5)
    penalty = 0.05 * np.square(net.get_weights()[0]).sum()
    frozen = network().build(5)
    frozen.freeze("a")
    losses = [one.train_on_batch(X, Y)["loss"] for one in (net, frozen)]
    assert losses[1] == pytest.approx(losses[0] - penalty, rel=1e-12)


def test_the_gradient_check_leaves_them_out():
    net = network()
    net.freeze("b")
    check = fastnn.gradient_check(net, X, Y, verbose=0)
    assert list(check.relative_errors) == ["a/weights", "a/bias", "c/weights", "c/bias"]
    assert check.max_relative_error < 1e-7
    net.freeze()
    with pytest.raises(ArgumentError, match="layers have none to learn"):
        fastnn.gradient_check(net, X, Y, verbose=0)


@pytest.mark.parametrize("made_frozen", [True, False])
@pytest.mark.parametrize("optimizer", ["adam", "nadam", "radam", fastnn.Adam(amsgrad=True)])
def test_an_unfrozen_layer_begins_like_a_new_one(optimizer, made_frozen):
    """Its first step is corrected for no more updates than its moments have seen."""
    head = Dense(1, trainable=not made_frozen, name="head")
    net = Network([head], loss="mean_squared_error", optimizer=optimizer, dtype="float64", seed=0)
    net.freeze("head")
    start = net.build(5).get_weights()
    for _ in range(50):
        net.train_on_batch(X, Y)
    assert net.state.step == 50
    net.unfreeze("head")
    net.train_on_batch(X, Y)
    net.train_on_batch(X, Y)
    fresh = Network(
        [Dense(1, name="head")], loss="mean_squared_error", optimizer=optimizer, dtype="float64"
    ).build(5)
    fresh.set_weights(start)
    fresh.train_on_batch(X, Y)
    fresh.train_on_batch(X, Y)
    np.testing.assert_array_equal(net.parameters, fresh.parameters)


def test_a_break_is_not_counted():
    """Frozen for a while and then trained on, an array moves as if there had been no break."""
    nets = [Network([Dense(1)], loss="huber", optimizer="nadam", seed=0) for _ in range(2)]
    for net, pause in zip(nets, (0, 7), strict=True):
        for _ in range(3):
            net.train_on_batch(X, Y)
        net.freeze()
        for _ in range(pause):
            net.train_on_batch(X, Y)
        net.unfreeze()
        for _ in range(3):
            net.train_on_batch(X, Y)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)
    assert [net._model.updates_skipped for net in nets] == [{"dense_1": 0}, {"dense_1": 7}]


def test_unbuilt_networks_and_summary(capsys):
    net = network()
    net.freeze("a")
    assert not net.built
    net.build(5).summary()
    text = capsys.readouterr().out
    assert "Dense (tanh, frozen)" in text
    assert "109 parameters, 48 of them frozen" in text


def test_what_is_refused():
    net = network().build(5)
    with pytest.raises(ArgumentError, match=r"unknown layer 'aa': did you mean 'a'\?"):
        net.freeze("aa")
    with pytest.raises(ArgumentError, match=r"'dropout_1' \(Dropout\) has nothing to freeze"):
        net.freeze("a", "dropout_1")
    assert net.layers[0].trainable

    class Freeze(fastnn.Callback):
        def on_epoch_end(self, network, epoch, logs):
            with pytest.raises(NetworkBusyError):
                network.freeze("a")

    net.fit(X, Y, callbacks=[Freeze()], verbose=0)
    net.freeze()
    net = network(optimizer="lbfgs")
    net.freeze()
    with pytest.raises(ArgumentError, match="no parameters to learn: unfreeze some layers"):
        net.fit(X, Y, verbose=0)
