"""Averages of the weights: their formulas, where they are seen, and what becomes of them."""

import copy
import pickle

import numpy as np
import pytest
from problems import data

import fastnn
from fastnn import EMA, SWA, ArgumentError, ArgumentTypeError, Callback, Dense, Network
from fastnn.model.summary import summary

X, Y = data()


def network(average, **options):
    settings = {"loss": "mean_squared_error", "optimizer": fastnn.SGD(0.05), "seed": 4}
    settings |= {"dtype": "float64", "weight_average": average}
    return Network([Dense(6, "tanh"), Dense(1)], **settings | options)


class Record(Callback):
    """The weights after each batch, and after each epoch."""

    def __init__(self):
        self.steps, self.epochs = [], []

    def on_batch_end(self, network, batch, logs):
        self.steps.append(network.parameters.copy())

    def on_epoch_end(self, network, epoch, logs):
        self.epochs.append(network.parameters.copy())


def average_of(net):
    with net.averaged():
        return net.parameters.copy()


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.9999])
def test_the_exponential_average_is_adams(backend, decay):
    """An average that starts at zero, divided by 1 - decay ** t."""
    net, record = network(EMA(decay)), Record()
    net.fit(X, Y, batch_size=16, epochs=5, callbacks=[record], verbose=0)
    average = np.zeros_like(net.parameters)
    for weights in record.steps:
        average = decay * average + (1 - decay) * weights
    corrected = average / (1 - decay ** len(record.steps))
    np.testing.assert_allclose(average_of(net), corrected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("start", "frequency"), [(1, 1), (3, 1), (2, 3), (9, 5)])
def test_stochastic_weight_averaging_is_a_mean(backend, start, frequency):
    net, record = network(SWA(start, frequency)), Record()
    net.fit(X, Y, epochs=9, callbacks=[record], verbose=0)
    mean = np.mean(record.epochs[start - 1 :: frequency], axis=0)
    np.testing.assert_allclose(average_of(net), mean, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("average", [EMA(0.9), SWA(2)])
def test_training_does_not_see_the_average(average):
    plain, averaged = network(None), network(average)
    for net in (plain, averaged):
        net.fit(X, Y, epochs=4, verbose=0)
    np.testing.assert_array_equal(plain.parameters, averaged.parameters)
    before = averaged.parameters.copy()
    assert not np.array_equal(average_of(averaged), before)
    np.testing.assert_array_equal(averaged.parameters, before)


def test_validation_sees_the_average_once_there_is_one():
    seen = []

    class Look(Callback):
        def on_epoch_end(self, network, epoch, logs):
            weights = network.evaluate(X, Y)["loss"]
            average = None
            if epoch >= 3:
                with network.averaged() as same:
                    average = same.evaluate(X, Y)["loss"]
            seen.append((logs["val_loss"], weights, average))

    network(SWA(3)).fit(X, Y, epochs=5, validation_data=(X, Y), callbacks=[Look()], verbose=0)
    assert [shown == weights for shown, weights, _ in seen] == [True, True, True, False, False]
    assert all(shown == average for shown, _, average in seen[2:])


def test_the_average_becomes_the_weights():
    net = network(EMA(0.9))
    net.fit(X, Y, epochs=3, verbose=0)
    average = average_of(net)
    net.use_average()
    np.testing.assert_array_equal(net.parameters, average)
    assert np.isfinite(net.fit(X, Y, verbose=0)["loss"]).all()


def test_frozen_weights_are_their_own_average():
    net = network(EMA(0.9))
    net.freeze("dense_1")
    net.fit(X, Y, epochs=3, verbose=0)
    with net.averaged():
        inside = net.get_weights()
    for seen, weights in zip(inside[:2], net.get_weights()[:2], strict=True):
        np.testing.assert_allclose(seen, weights, rtol=1e-14)


def test_a_mean_of_good_weights_beats_the_noise_of_the_last():
    """Steps that are too long move around the optimum; their mean is close to it."""
    X, y = data(rows=400)
    net = Network([Dense(1)], loss="mean_squared_error", optimizer=fastnn.SGD(0.4), seed=0,
                  weight_average=SWA(5))  # fmt: skip
    net.fit(X, y, batch_size=4, epochs=40, verbose=0)
    last = net.evaluate(X, y)["loss"]
    with net.averaged():
        assert net.evaluate(X, y)["loss"] < 0.5 * last


def test_an_update_that_overflows_is_undone_in_the_average_too():
    net = network(EMA(0.9), optimizer=fastnn.SGD(1.5e308))
    with pytest.raises(fastnn.DivergenceError):
        net.fit(100 * X, 100 * Y, batch_size=None, epochs=3, verbose=0)
    assert np.isfinite(net._model.arena.slots).all()


def test_copies_have_averages_of_their_own():
    net = network(EMA(0.9))
    net.fit(X, Y, epochs=2, verbose=0)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_array_equal(average_of(twin), average_of(net))
        twin.use_average()
    assert not np.array_equal(net.parameters, average_of(net))


def test_the_average_may_be_looked_at_within_itself():
    net = network(EMA(0.9))
    net.fit(X, Y, epochs=2, verbose=0)
    weights = net.parameters.copy()
    with net.averaged():
        average = net.parameters.copy()
        np.testing.assert_array_equal(average_of(net), average)
        np.testing.assert_array_equal(net.parameters, average)
    np.testing.assert_array_equal(net.parameters, weights)
    np.testing.assert_array_equal(average_of(net), average)


def test_files_and_copies_made_within_it_have_the_average_alone(tmp_path):
    net, path = network(EMA(0.9)), tmp_path / "model.safetensors"
    net.fit(X, Y, epochs=2, verbose=0)
    with net.averaged():
        net.save(path, optimizer=True)
        twins = copy.deepcopy(net), pickle.loads(pickle.dumps(net)), Network.load(path)
    for twin in twins:
        np.testing.assert_array_equal(twin.parameters, average_of(net))
        np.testing.assert_array_equal(average_of(twin), average_of(net))


def test_what_the_end_of_the_context_would_undo_is_refused():
    net = network(EMA(0.9))
    net.fit(X, Y, epochs=2, verbose=0)
    with net.averaged(), pytest.raises(fastnn.NetworkBusyError, match="would do nothi"):
        net.use_average()
    net.use_average()
    np.testing.assert_array_equal(net.parameters, average_of(net))


@pytest.mark.parametrize("hook", ["on_batch_end", "on_epoch_end", "on_train_end"])
def test_callbacks_may_make_the_average_the_weights(hook):
    net, use = network(EMA(0.9)), Callback()
    setattr(use, hook, lambda network, *_: network.use_average())
    net.fit(X, Y, epochs=2, callbacks=[use], verbose=0)
    np.testing.assert_array_equal(net.parameters, average_of(net))


def test_what_is_refused():
    with pytest.raises(ArgumentTypeError, match="weight_average must be an EMA, an SWA or None"):
        network(0.9)
    for decay in (0, 1, -1, np.nan):
        with pytest.raises(ArgumentError, match="decay must be a number in"):
            EMA(decay)
    for name in ("start", "frequency"):
        with pytest.raises(ArgumentError, match=f"{name} must be an integer >= 1, got 0"):
            SWA(**{name: 0})
    with pytest.raises(ArgumentError, match="weight_average is for optimizers that take many"):
        network(EMA(), optimizer="lbfgs")
    with pytest.raises(ArgumentError, match="has no average"):
        network(None).use_average()
    net = network(SWA(3))
    net.fit(X, Y, epochs=2, verbose=0)
    with pytest.raises(ArgumentError, match=r"no average yet: SWA\(start=3.* after 2 epochs"):
        net.use_average()
    with pytest.raises(ArgumentError, match="no average yet"), net.averaged():
        pass


def test_an_averaged_network_is_not_trained():
    net = network(EMA(0.9))
    net.fit(X, Y, verbose=0)
    before = net.parameters.copy()
    with pytest.raises(fastnn.NetworkBusyError, match="looked at through its average"):  # noqa: SIM117
        with net.averaged():
            net.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(net.parameters, before)
    net.fit(X, Y, verbose=0)


def test_the_summary_tells():
    assert "EMA(decay=0.9)" in summary(network(EMA(0.9)).build(5)._model)


# --- the best epoch, with its average -------------------------------------------------------------


def overfitting():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 5)), rng.integers(0, 2, 200)
    return (X[:60], y[:60]), (X[60:], y[60:])


def overfitted(average, callbacks, epochs=25, **options):
    """A network that is best early, trained on noise."""
    layers = [fastnn.Dense(32, "relu"), fastnn.BatchNorm(), fastnn.Dense(2)]
    options = {"optimizer": fastnn.SGD(0.5), "weight_average": average, "seed": 0} | options
    net = fastnn.Network(layers, loss="softmax_cross_entropy", **options)
    train, validation = overfitting()
    net.fit(*train, validation_data=validation, callbacks=callbacks, epochs=epochs, verbose=0)
    return net


@pytest.mark.parametrize("average", [fastnn.EMA(0.9), fastnn.SWA(2), fastnn.SWA(3, 2)])
def test_early_stopping_restores_the_average_that_was_best(average):
    stopping = fastnn.EarlyStopping(patience=99, start_from_epoch=3, restore_best_weights=True)
    net = overfitted(average, [stopping])
    assert 3 < stopping.best_epoch < 25
    with net.averaged():
        assert net.evaluate(*overfitting()[1])["loss"] == stopping.best
    twin = overfitted(average, [], epochs=stopping.best_epoch)
    np.testing.assert_array_equal(net.parameters, twin.parameters)
    np.testing.assert_array_equal(net._model.arena.slots[-1], twin._model.arena.slots[-1])
    assert net.state.epoch == 25


def test_the_best_epoch_may_be_before_the_average_began():
    stopping = fastnn.EarlyStopping("loss", mode="max", patience=99, restore_best_weights=True)
    net = overfitted(fastnn.SWA(4), [stopping], epochs=6)
    assert stopping.best_epoch == 1
    raw = net.evaluate(*overfitting()[1])["loss"]
    assert raw == net.history["val_loss"][0]
    with net.averaged():
        assert net.evaluate(*overfitting()[1])["loss"] == raw


def test_the_best_checkpoint_holds_the_average_that_was_best(tmp_path):
    path = tmp_path / "best"
    best = fastnn.Checkpoint(path, save="best")
    net = overfitted(fastnn.EMA(0.9), [best])
    loaded = fastnn.Network.load(path)
    with loaded.averaged():
        scores = loaded.evaluate(*overfitting()[1])
    assert scores["loss"] == pytest.approx(min(net.history["val_loss"]), rel=1e-6)
    assert loaded.state.epoch == net.history.epoch[int(np.argmin(net.history["val_loss"]))]


def test_the_best_average_survives_an_interruption(tmp_path):
    def callbacks(path):
        stopping = fastnn.EarlyStopping(patience=99, restore_best_weights=True)
        return [stopping, fastnn.Checkpoint(path)]

    train, validation = overfitting()
    whole = overfitted(fastnn.EMA(0.9), callbacks(tmp_path / "whole"))
    overfitted(fastnn.EMA(0.9), callbacks(tmp_path / "part"), epochs=20)
    resumed = fastnn.Network(
        whole.layers, loss=whole.loss, optimizer=whole.optimizer, weight_average=fastnn.EMA(0.9),
        seed=0,
    )  # fmt: skip
    resumed.fit(
        *train, validation_data=validation, callbacks=callbacks(tmp_path / "part"), epochs=25,
        resume_from=tmp_path / "part", verbose=0,
    )  # fmt: skip
    np.testing.assert_array_equal(resumed._model.arena.slots[-1], whole._model.arena.slots[-1])
    np.testing.assert_array_equal(resumed.parameters, whole.parameters)
