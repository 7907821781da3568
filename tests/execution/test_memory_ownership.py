"""Networks own what they write to, however they were copied; C writes to nothing read-only."""

import copy
import gc
import pickle
import weakref

import joblib
import numpy as np
import pytest
from memory_jobs import go_on, state
from problems import data

import fastnn
from fastnn import BatchNorm, Dense, MLPClassifier, MLPRegressor, Network, Normalization
from fastnn.errors import FastnnError
from fastnn.execution.batches import BatchPass, BatchRange
from fastnn.execution.native_executor import NativeExecutor
from fastnn.ir.parameter import ALIGNMENT

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = data(rows=200)
LABELS = (X[:, 0] > 0).astype(int)


def trained(**options):
    """A network that has state of every kind: statistics, moments, an average, a schedule."""
    layers = [Normalization(), Dense(50, "relu"), BatchNorm(), Dense(1)]
    schedule = fastnn.schedules.ReduceOnPlateau(0.01, monitor="loss", patience=0)
    settings = {"optimizer": fastnn.Adam(schedule), "weight_average": fastnn.EMA(0.9), "seed": 0}
    net = Network(layers, loss="mean_squared_error", **settings | options)
    net.fit(X, Y, epochs=2, verbose=0)
    return net


def memory_map(thing, folder):
    joblib.dump(thing, folder / "model")
    return joblib.load(folder / "model", mmap_mode="r")


def buffers_outside(thing, _):
    buffers = []
    stream = pickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(stream, buffers=[bytes(buffer.raw()) for buffer in buffers])


def plain_pickle(thing, _):
    return pickle.loads(pickle.dumps(thing, protocol=2))


WAYS = pytest.mark.parametrize(
    "way", [memory_map, buffers_outside, plain_pickle, lambda thing, _: copy.deepcopy(thing)]
)


@WAYS
def test_a_copy_owns_its_memory_and_trains_on(way, tmp_path):
    net = trained()
    other = way(net, tmp_path)
    for region in (
        other._model.arena.parameters,
        other._model.arena.buffers,
        other._model.arena.slots,
    ):
        assert region.flags.writeable
        assert region.ctypes.data % ALIGNMENT == 0
    for n in (net, other):
        n.fit(X, Y, epochs=2, verbose=0)
        n.use_average()
        n.set_weights(n.get_weights())
        n.train_on_batch(X, Y)
    assert state(net) == state(other)


@WAYS
@pytest.mark.parametrize("form", [MLPClassifier, MLPRegressor])
def test_estimators_go_on_after_a_copy(way, form, tmp_path):
    y = LABELS if form is MLPClassifier else Y[:, 0]
    settings = {"hidden_layer_sizes": (50,), "max_iter": 3, "random_state": 0, "warm_start": True}
    model = form(**settings).fit(X, y)
    other = way(model, tmp_path)
    for m in (model, other):
        m.fit(X, y)
        m.partial_fit(X, y)
    assert model.predict(X).tobytes() == other.predict(X).tobytes()


def test_memory_is_freed_with_the_last_reference():
    net = trained()
    arena, executors = weakref.ref(net._model.arena), weakref.ref(net._model.executors)
    gc.disable()
    try:
        del net
        assert arena() is None
        assert executors() is None
    finally:
        gc.enable()


def test_a_shallow_copy_shares_the_arrays_alone():
    net = trained()
    twin = copy.copy(net)
    twin.stop_training, twin.preprocessing = True, {"mean": 0.0}
    assert twin.parameters is net.parameters
    assert not net.stop_training
    assert net.preprocessing is None


def test_networks_from_the_same_buffers_do_not_meet():
    net, buffers = trained(), []
    stream = pickle.dumps(net, protocol=5, buffer_callback=buffers.append)
    shared = [bytearray(buffer.raw()) for buffer in buffers]
    before = [bytes(buffer) for buffer in shared]
    first, second = (pickle.loads(stream, buffers=shared) for _ in range(2))
    first.fit(X, Y, epochs=2, verbose=0)
    assert state(second) == state(net)
    assert [bytes(buffer) for buffer in shared] == before


def test_populations_and_resumed_fits_take_mapped_networks(tmp_path):
    path = tmp_path / "fit"
    nets = [trained(seed=seed) for seed in (1, 2)]
    mapped = memory_map(nets, tmp_path)
    fastnn.fit_population(nets, X, Y, epochs=2, verbose=0)
    fastnn.fit_population(mapped, X, Y, epochs=2, verbose=0)
    assert [state(net) for net in nets] == [state(net) for net in mapped]

    new = Network([Dense(1)], loss="huber", seed=0).build(X.shape[1])
    mapped = memory_map(new, tmp_path)
    new.fit(X, Y, epochs=2, callbacks=[fastnn.Checkpoint(path)], verbose=0)
    mapped.fit(X, Y, epochs=3, resume_from=path, callbacks=[fastnn.Checkpoint(path)], verbose=0)
    new.fit(X, Y, verbose=0)
    assert state(new) == state(mapped)


@pytest.mark.slow
def test_workers_of_joblib_train_large_networks(tmp_path):
    """Arrays reach workers as memory maps of files that others may share."""
    net = Network([Dense(50_000, "relu"), Dense(1)], loss="huber", seed=0)
    net.fit(X, Y, verbose=0)
    assert net.parameters.nbytes > 1 << 20
    ends = joblib.Parallel(2)(joblib.delayed(go_on)(net, X, Y) for _ in range(2))
    assert ends == [go_on(net, X, Y)] * 2


@pytest.mark.parametrize("region", ["parameters", "slots", "buffers"])
def test_training_refuses_memory_that_is_read_only(region):
    """By name, without a change; to predict, nothing needs to be written."""
    net = trained()
    before, step, expected = state(net), net.state.step, net.predict(X)
    getattr(net._model.arena, region).flags.writeable = False
    with pytest.raises(FastnnError, match=f"{region} must be writeable"):
        net.fit(X, Y, verbose=0)
    assert (state(net), net.state.step) == (before, step)
    np.testing.assert_array_equal(net.predict(X), expected)


@pytest.mark.parametrize("array", ["losses", "predictions"])
def test_a_run_refuses_results_that_are_read_only(array):
    net = trained()
    batches = BatchPass(fastnn.model.data_sets.data_set(net._model.architecture, X, Y), 32)
    batches.predictions = np.empty((len(X), 1), np.float32)
    getattr(batches, array).flags.writeable = False
    with net._model.executors.inference(32, labels=False) as executor:
        assert isinstance(executor, NativeExecutor)
        with pytest.raises(FastnnError, match=f"{array} must be writeable"):
            executor.run(BatchRange(batches, 0, len(batches), net.state))
