"""Fits that go on from a checkpoint have the bits of fits that were never interrupted."""

import numpy as np
import pytest
from problems import network
from resumed_fits import Memory, X, assert_same, fit

import fastnn
from fastnn import (
    SGD,
    ArgumentError,
    ArgumentTypeError,
    Callback,
    Checkpoint,
    EarlyStopping,
    Network,
    kernels,
)
from fastnn.execution.python_executor import PythonExecutor
from fastnn.schedules import CosineDecay, ReduceOnPlateau, Warmup

OPTIMIZERS = [
    SGD(0.01, momentum=0.9),
    fastnn.RMSProp(CosineDecay(0.01, 20)),
    fastnn.AdamW(Warmup(ReduceOnPlateau(0.01, "loss", patience=1, min_delta=1), 3)),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("native", [True, False])
def test_a_resumed_fit_has_the_bits_of_a_whole_one(optimizer, native, path, monkeypatch):
    if not native:
        monkeypatch.setattr(
            "fastnn.execution.selection.executor_class", lambda plan: PythonExecutor
        )
    whole, parts = network(optimizer=optimizer), network(optimizer=optimizer)
    expected = fit(whole, 7)
    fit(parts, 3, [Checkpoint(path)])
    for epochs in (5, 7):
        parts = network(optimizer=optimizer)
        history = fit(parts, epochs, [Checkpoint(path)], resume_from=path)
    assert_same(parts, whole)
    assert history.epoch == expected.epoch == [1, 2, 3, 4, 5, 6, 7]
    assert dict(history) == dict(expected)


def test_the_reference_goes_on_too_and_needs_no_further_checkpoint(path):
    with kernels.use("reference"):
        whole, parts = network(), network()
        fit(whole, 4)
        fit(parts, 2, [Checkpoint(path)])
        before, parts = path.read_bytes(), network()
        fit(parts, 4, resume_from=path)
    assert_same(parts, whole)
    assert path.read_bytes() == before


def test_a_later_fit_of_the_same_network_goes_on(path):
    """`epochs` counts those of the fit that was interrupted, not those before it."""
    whole, parts = network(), network()
    fit(whole, 2)
    expected = fit(whole, 4)
    fit(parts, 2)
    fit(parts, 1, [Checkpoint(path)])
    parts = network()
    history = fit(parts, 4, [Checkpoint(path)], resume_from=path)
    assert_same(parts, whole)
    assert history.epoch == expected.epoch == [3, 4, 5, 6]


def test_the_network_may_come_from_the_file(path):
    whole = network()
    fit(whole, 4)
    fit(network(), 2, [Checkpoint(path)])
    loaded = Network.load(path)
    fit(loaded, 4, [Checkpoint(path)], resume_from=path)
    assert_same(loaded, whole)


def test_a_checkpoint_of_its_own_makes_programs_that_can_be_started_again(path):
    whole = network()
    fit(whole, 5)
    for epochs in (2, 4, 5, 5):
        net, checkpoint = network(), Checkpoint(path)
        history = fit(net, epochs, [checkpoint], resume_from=checkpoint)
        assert history.epoch == list(range(1, epochs + 1))
    assert_same(net, whole)


@pytest.mark.parametrize("restore", [True, False])
@pytest.mark.parametrize("stop", range(1, 8))
def test_early_stopping_goes_on_where_it_was(restore, stop, path):
    """Also when the file is of the very epoch that stops training."""

    def callbacks():
        stopping = EarlyStopping(patience=2, mode="max", restore_best_weights=restore)
        return [Checkpoint(path), stopping]

    whole, [_, first] = network(), callbacks()
    fit(whole, 20, [first])
    assert first.stopped_epoch == 3

    class Killed(Exception):
        pass

    class Kill(Callback):
        order = 3

        def on_epoch_end(self, network, epoch, logs):
            if epoch == stop:
                raise Killed

    if stop <= 3:
        with pytest.raises(Killed):
            fit(network(), 20, [*callbacks(), Kill()])
    else:
        fit(network(), 20, callbacks())
    parts, own = network(), callbacks()
    history = fit(parts, 20, own, resume_from=path)
    assert_same(parts, whole)
    assert history.epoch == [1, 2, 3]
    assert vars(own[1]).keys() == vars(first).keys()
    for name in ("best", "best_epoch", "stopped_epoch"):
        assert getattr(own[1], name) == getattr(first, name)


def test_callbacks_of_the_user_are_saved(path):
    memory, again = Memory(), Memory()
    fit(network(), 3, [memory, Checkpoint(path)])
    net = network()
    fit(net, 5, [again, Checkpoint(path)], resume_from=path)
    assert again.losses == net.history["loss"]
    assert again.array.tolist() == [[0] * 3, [15] * 3]
    loaded = Network.load(path)  # a model file like any other
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))
    assert loaded._model.session is None


@pytest.mark.parametrize(
    ("state", "error", "shown"),
    [
        ({"a": {1, 2}}, ArgumentTypeError, "set is not JSON"),
        ({"a": (1, 2)}, ArgumentTypeError, "tuples"),
        ({"a": float("nan")}, ArgumentError, "not JSON compliant|Out of range"),
        ({"a": np.zeros(3, "c8")}, ArgumentTypeError, "'a' has dtype complex64"),
    ],
)
def test_states_that_a_file_cannot_hold(state, error, shown, path):
    class Odd(Callback):
        def state_dict(self):
            return state

    with pytest.raises(error, match="state_dict of Odd must hold JSON values and arrays.*" + shown):
        fit(network(), 1, [Odd(), Checkpoint(path)])
    assert not list(path.parent.iterdir())


def test_the_bar_of_a_resumed_fit_counts_all_epochs(path, capsys):
    fit(network(), 2, [Checkpoint(path)])
    fit(network(), 3, [Checkpoint(path)], resume_from=path, verbose=1)
    shown = capsys.readouterr().err
    assert "epoch 3/3" in shown
    assert "100%" in shown
    assert "epoch 1/3" not in shown
