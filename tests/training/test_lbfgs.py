"""L-BFGS: where it gets to, and what holds when it is stopped on the way."""

import os
import signal

import numpy as np
import pytest
from problems import data
from sklearn.linear_model import LogisticRegression, Ridge

import fastnn
from fastnn import LBFGS, ArgumentError, Callback, Dense, Dropout, Network

X, Y = data(rows=80)


def network(layers=None, optimizer="lbfgs", **options):
    layers = layers or [Dense(6, "tanh"), Dense(1)]
    settings = {"loss": "mean_squared_error", "seed": 5, "dtype": "float64"} | options
    return Network(layers, optimizer=optimizer, **settings)


def test_ridge_regression_to_its_optimum():
    """‖Xw + b − y‖² / n + ½ l2 ‖w‖² is scikit-learn's with alpha = n l2 / 2."""
    net = network([Dense(1, l2=0.1)])
    net.fit(X, Y, epochs=100, verbose=0)
    ridge = Ridge(alpha=len(X) * 0.1 / 2).fit(X, Y[:, 0])
    weights, bias = net.get_weights()
    np.testing.assert_allclose(weights[:, 0], ridge.coef_, rtol=1e-4, atol=1e-5)
    assert bias[0] == pytest.approx(ridge.intercept_, rel=1e-3, abs=1e-5)


def test_logistic_regression_with_sample_weights_to_its_optimum():
    y = (Y[:, 0] > 0).astype(int)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(X))
    tight = LBFGS(tolerance_grad=1e-9, tolerance_change=0)
    net = network([Dense(1, l2=0.05)], tight, loss="sigmoid_cross_entropy")
    net.fit(X, y, sample_weight=weight, epochs=200, verbose=0)
    oracle = LogisticRegression(C=1 / (0.05 * weight.sum()), tol=1e-10, max_iter=1000)
    oracle.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(net.get_weights()[0][:, 0], oracle.coef_[0], rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_iteration_is_an_epoch_and_lowers_the_loss(backend, dtype):
    net = network(dtype=dtype, metrics=["r2"])
    history = net.fit(X, Y, epochs=12, validation_data=(X, Y), verbose=0)
    assert history.epoch == list(range(1, 13))
    assert (net.state.epoch, net.state.step) == (12, 12)
    assert (np.diff(history["loss"]) < 0).all()
    assert history["val_loss"][-1] == pytest.approx(history["loss"][-1], rel=1e-5)
    assert history["val_r2"] == pytest.approx(history["r2"], abs=1e-4)
    assert net.evaluate(X, Y)["loss"] == history["val_loss"][-1]


def test_it_stops_where_nothing_is_left_to_gain():
    def iterations(net):
        return len(net.fit(X, Y, epochs=500, verbose=0).epoch)

    assert iterations(network([Dense(1)])) < 30
    assert iterations(network(optimizer=LBFGS(tolerance_change=0.5))) < 10
    assert iterations(network(optimizer=LBFGS(tolerance_grad=10.0))) == 0


def test_a_loss_with_dropout_is_a_function_within_a_fit():
    net = network([Dense(20, "tanh"), Dropout(0.5), Dense(1)])
    first = net.fit(X, Y, epochs=15, verbose=0)
    assert (np.diff(first["loss"]) < 0).all()
    # the next fit draws other masks, so its loss is another one
    assert net.fit(X, Y, epochs=1, verbose=0)["loss"][0] > first["loss"][-1]


def test_the_same_seed_gives_the_same_bits():
    nets = [network() for _ in range(2)]
    for net in nets:
        net.fit(X, Y, epochs=10, batch_size=7, shuffle=net is nets[0], verbose=0)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)


def test_callbacks_see_iterates():
    seen = []

    class Look(Callback):
        def on_train_begin(self, network, info):
            seen.append((info["epochs"], info["rows"], info["batch_size"]))

        def on_epoch_begin(self, network, epoch):
            seen.append(epoch)

        def on_batch_begin(self, network, batch):
            seen.append("batch")

        def on_epoch_end(self, network, epoch, logs):
            seen.append(logs["loss"] == pytest.approx(network.evaluate(X, Y)["loss"], rel=1e-12))
            network.stop_training = epoch == 3

        def on_train_end(self, network):
            seen.append("end")

    net = network()
    history = net.fit(X, Y, epochs=50, callbacks=[Look()], verbose=0)
    assert seen == [(50, 80, 80), 1, True, 2, True, 3, True, "end"]
    assert net.evaluate(X, Y)["loss"] == pytest.approx(history["loss"][-1], rel=1e-12)


@pytest.mark.parametrize("evaluation", range(1, 12))
def test_an_interrupted_search_leaves_the_last_iterate(monkeypatch, evaluation):
    """Whichever evaluation Ctrl-C hits, weights and history are those of a finished iteration."""
    from fastnn.execution.python_executor import PythonExecutor

    original, calls = PythonExecutor.run_stages, []

    def interrupted(self, stages, batch, state):
        results = original(self, stages, batch, state)
        if "backward" in stages:
            calls.append(self.arena.parameters.copy())
            if len(calls) == evaluation:
                os.kill(os.getpid(), signal.SIGINT)
        return results

    net = network().build(5)
    start = net.parameters.copy()
    monkeypatch.setattr(PythonExecutor, "run_stages", interrupted)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, epochs=100, verbose=0)
    monkeypatch.undo()
    done = len(net.history.epoch)
    assert net.state.step == net.state.epoch == done
    if done:
        assert net.evaluate(X, Y)["loss"] == pytest.approx(net.history["loss"][-1], rel=1e-12)
        twin = network()
        twin.fit(X, Y, epochs=done, verbose=0)
        np.testing.assert_array_equal(net.parameters, twin.parameters)
    else:
        np.testing.assert_array_equal(net.parameters, start)
    net.fit(X, Y, epochs=2, verbose=0)


def test_divergence_keeps_the_last_iterate():
    net = network([Dense(1, "exp")]).build(5)
    net.set_weights([np.full((5, 1), 1e3), [0.0]])
    before = net.parameters.copy()
    with pytest.raises(fastnn.DivergenceError, match=r"epoch 1, batch 1.*layer 'dense_1'"):
        net.fit(np.abs(X), Y, verbose=0)
    np.testing.assert_array_equal(net.parameters, before)
    assert net.state.step == 0


def test_a_failing_callback_leaves_the_iterate():
    class Fail(Callback):
        def on_epoch_end(self, network, epoch, logs):
            raise RuntimeError("mine")

    net, twin = network(), network()
    with pytest.raises(RuntimeError, match="mine"):
        net.fit(X, Y, epochs=9, callbacks=[Fail()], verbose=0)
    twin.fit(X, Y, epochs=1, verbose=0)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


def test_what_is_refused():
    for name in ("history_size", "max_line_search"):
        with pytest.raises(ArgumentError, match=f"{name} must be an integer >= 1, got 0"):
            LBFGS(**{name: 0})
    for name in ("tolerance_grad", "tolerance_change"):
        with pytest.raises(ArgumentError, match=f"{name} must be a finite number >= 0"):
            LBFGS(**{name: -1e-9})
    with pytest.raises(ArgumentError, match=r"train_on_batch takes one step; LBFGS\(\) needs"):
        network().train_on_batch(X, Y)
    for setting in ({"weight_decay": 0.1}, {"max_norm": 1}, {"learning_rate_multiplier": 2}):
        [name] = setting
        with pytest.raises(ArgumentError, match=f"{name} of 'dense_1/weights' belongs to steps"):
            network([Dense(1, **setting)]).fit(X, Y, verbose=0)
    for name in ("resume_from", "augmentation"):
        with pytest.raises(ArgumentError, match=rf"{name} cannot be used with LBFGS\(\)"):
            network().fit(X, Y, verbose=0, **{name: "anything"})
    with pytest.raises(ArgumentError, match="max_norm of 'dense_1/weights'"):
        network(max_norm=1.0).build(5)
