"""Planted illnesses are flagged with their cause, and health is not."""

from dataclasses import replace

import numpy as np
import planted
import pytest

import fastnn
from fastnn import Dense, Network
from fastnn.diagnostics.layer_flags import find_flags
from fastnn.diagnostics.measurement import LayerMeter
from fastnn.diagnostics.samples import checked_data
from fastnn.initializers import Constant, Normal


def flags(net, X=None, y=None):
    if X is None:
        X, y = planted.noise()
    found = LayerMeter(net, checked_data(net, X, y)).measure()
    return {flag.problem: flag for flag in find_flags(net, found)}


@pytest.mark.parametrize("activation", ["relu", "tanh", "selu", "gelu"])
@pytest.mark.parametrize("depth", [1, 3, 10])
def test_initial_networks_are_healthy(activation, depth):
    assert flags(planted.stack(activation, depth)) == {}


def test_a_trained_network_is_healthy():
    X, y = planted.noise()
    net = planted.stack("relu", 2)
    net.fit(X, y, epochs=20, verbose=0)
    assert flags(net, X, y) == {}


def test_twenty_sigmoid_layers_lose_the_gradient():
    found = flags(planted.stack("sigmoid", 20))
    flag = found["vanishing gradient"]
    assert flag.cause == "activation"
    assert flag.layers[0] == "dense_1"
    assert "dense_20" not in flag.layers
    assert "1/4" in flag.advice
    assert "normalisation" in flag.advice
    assert found["small updates"].cause == "vanishing gradient"


def test_small_weights_lose_the_gradient():
    flag = flags(planted.stack("relu", 20, initializer=Normal(0.01)))["vanishing gradient"]
    assert flag.cause == "initialisation"
    assert "0.05 ×" in flag.advice  # of √(2/50)


@pytest.mark.parametrize(("scale", "depth"), [(1.0, 10), (0.5, 20)])
def test_large_weights_make_it_explode(scale, depth):
    flag = flags(planted.stack("relu", depth, initializer=Normal(scale)))["exploding gradient"]
    assert flag.cause == "initialisation"
    assert flag.layers[0] == "dense_1"
    assert "He" in flag.advice


def test_overflow_is_an_explosion():
    flag = flags(planted.stack("relu", 30, initializer=Normal(20.0)))["exploding gradient"]
    assert flag.cause == "initialisation"
    assert "overflow" in flag.advice


def test_outputs_that_overflow_with_a_finite_gradient_are_flagged():
    net = Network([Dense(1)], loss="huber", seed=0).build(2)
    [figures] = LayerMeter(net, checked_data(net, np.ones((4, 2)), np.ones(4))).measure()
    [flag] = find_flags(net, [replace(figures, std=np.inf)])
    assert (flag.problem, flag.layers) == ("exploding gradient", ("dense_1",))


def test_biases_far_below_zero_kill_units():
    found = flags(planted.stack("relu", 1, bias_initializer=Constant(-10)))
    assert set(found) == {"dead units"}
    assert found["dead units"].layers == ("dense_1",)
    assert found["dead units"].cause == "initialisation"
    assert "100%" in found["dead units"].advice


def test_dead_units_after_training_speak_of_the_learning_rate():
    X, y = planted.noise()
    net = planted.stack("relu", 2)
    net.fit(X, y, epochs=1, verbose=0)
    weights = net.get_weights()
    weights[3][:] = -100
    net.set_weights(weights)
    found = flags(net, X, y)
    assert found["dead units"].cause == "learning rate"
    assert found["dead units"].layers == ("dense_2",)
    assert found["vanishing gradient"].cause == "dead units"


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_saturation_by_weights_and_by_inputs(activation):
    X, y = planted.noise()
    by_weights = flags(planted.stack(activation, 1, initializer=Normal(5.0)), X, y)
    assert by_weights["saturated units"].cause == "initialisation"
    by_inputs = flags(planted.stack(activation, 1), 100 * X, y)
    assert by_inputs["saturated units"].cause == "missing normalisation"
    assert "standardise" in by_inputs["saturated units"].advice


@pytest.mark.parametrize(
    ("optimizer", "problem"),
    [
        (fastnn.SGD(30.0), "large updates"),
        (fastnn.Adam(0.5), "large updates"),
        (fastnn.SGD(1e-6), "small updates"),
        (fastnn.Adam(1e-8), "small updates"),
    ],
)
def test_the_size_of_a_step_tells_of_the_learning_rate(optimizer, problem):
    layers = [Dense(50, "relu"), Dense(2)]
    net = Network(layers, loss="softmax_cross_entropy", optimizer=optimizer, seed=0)
    found = flags(net)
    assert set(found) == {problem}
    assert found[problem].cause == "learning rate"


def test_zero_weights_are_dead_and_cut_the_gradient():
    found = flags(planted.stack("relu", 2, initializer="zeros"))
    assert found["dead units"].cause == "initialisation"
    assert "vanishing gradient" not in flags(planted.stack("relu", 1, initializer="zeros"))


def test_he_cures_what_small_weights_broke():
    assert flags(planted.stack("relu", 20, initializer="he_normal")) == {}


def test_a_flag_says_where_what_and_why():
    text = str(flags(planted.stack("sigmoid", 20))["vanishing gradient"])
    assert text.startswith("vanishing gradient in ")
    assert "layers, dense_1 … " in text
    assert "likely cause: activation" in text


# ------------------------------------------------------------------------------------ the callback


def test_callback_measures_every_so_many_epochs_and_changes_nothing():
    X, y = planted.noise()
    plain, watched = planted.stack("relu", 2), planted.stack("relu", 2)
    plain.fit(X, y, epochs=5, verbose=0)
    health = fastnn.LayerHealth(X, y, every=2, rows=50)
    watched.fit(X, y, epochs=5, callbacks=[health], verbose=0)
    np.testing.assert_array_equal(plain.parameters, watched.parameters)
    np.testing.assert_array_equal(plain._model.arena.slots, watched._model.arena.slots)
    assert plain.history == watched.history
    assert health.epochs == [2, 4]
    assert health.flags == ()
    signals = health.values("signal")
    assert list(signals) == ["dense_1", "dense_2", "dense_3"]
    assert all(len(column) == 2 and min(column) > 0 for column in signals.values())
    watched.fit(X, y, epochs=1, callbacks=[health], verbose=0)
    assert health.epochs == [2, 4, 6]


def test_callback_sees_what_a_measurement_at_that_moment_sees():
    X, y = planted.noise(60)
    net = planted.stack("tanh", 1)
    health = fastnn.LayerHealth(X, y)
    net.fit(X, y, epochs=3, callbacks=[health], verbose=0)
    alone = LayerMeter(net, checked_data(net, X, y)).measure()
    assert repr(health.records[-1]) == repr(alone)


def test_callback_goes_on_where_a_checkpoint_was_saved(tmp_path):
    X, y = planted.noise()
    whole, part, rest = (fastnn.LayerHealth(X, y) for _ in range(3))
    planted.stack("tanh", 1).fit(X, y, epochs=4, callbacks=[whole], verbose=0)

    class Crash(fastnn.Callback):
        def on_epoch_begin(self, network, epoch):
            if epoch == 3:
                raise RuntimeError

    path = tmp_path / "checkpoint.safetensors"
    crashing = [part, fastnn.Checkpoint(path), Crash()]
    with pytest.raises(RuntimeError):
        planted.stack("tanh", 1).fit(X, y, epochs=4, callbacks=crashing, verbose=0)
    resumed = [rest, fastnn.Checkpoint(path)]
    planted.stack("tanh", 1).fit(X, y, epochs=4, callbacks=resumed, resume_from=path, verbose=0)
    assert part.epochs == [1, 2]
    assert rest.epochs == whole.epochs == [1, 2, 3, 4]
    assert repr(rest.records) == repr(whole.records)


def test_callback_begins_anew_with_another_network():
    X, y = planted.noise()
    health = fastnn.LayerHealth(X, y)
    planted.stack("relu", 3).fit(X, y, epochs=2, callbacks=[health], verbose=0)
    planted.stack("relu", 1).fit(X, y, epochs=1, callbacks=[health], verbose=0)
    assert health.epochs == [1]
    assert list(health.values("signal")) == ["dense_1", "dense_2"]


def test_callback_flags_what_goes_wrong():
    X, y = planted.noise()
    health = fastnn.LayerHealth(X, y)
    planted.stack("sigmoid", 20).fit(X, y, epochs=1, callbacks=[health], verbose=0)
    assert "vanishing gradient" in {flag.problem for flag in health.flags}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"every": 0}, ValueError, "every must be an integer >= 1, got 0"),
        ({"rows": 0}, ValueError, "rows must be an integer >= 1, got 0"),
        ({"rows": 2.5}, TypeError, "rows must be"),
        ({"seed": -1}, ValueError, "seed must be"),
    ],
)
def test_callback_refuses_bad_arguments(options, error, message):
    with pytest.raises(error, match=message):
        fastnn.LayerHealth(*planted.noise(), **options)


def test_callback_refuses_rows_that_do_not_fit_before_training():
    X, y = planted.noise()
    net = planted.stack("relu", 1).build(20)
    before = net.parameters.copy()
    with pytest.raises(ValueError, match="LayerHealth: X has 3 features"):
        net.fit(X, y, callbacks=[fastnn.LayerHealth(X[:, :3], y)], verbose=0)
    np.testing.assert_array_equal(net.parameters, before)


def test_values_and_plots_of_the_callback_need_a_known_name_and_records():
    health = fastnn.LayerHealth(*planted.noise())
    with pytest.raises(ValueError, match="unknown figure 'signals': did you mean 'signal'"):
        health.values("signals")
    with pytest.raises(ValueError, match="no epoch has been measured"):
        health.plot()
