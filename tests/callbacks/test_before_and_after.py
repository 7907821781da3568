"""Fits that callbacks refuse before anything changes, and the end of all callbacks."""

import os
import sys
from functools import partial

import numpy as np
import pytest
from problems import data, network

import fastnn
from fastnn import ArgumentError, ArgumentTypeError, Callback, Checkpoint, EarlyStopping

X, Y = data()
LABELED = {"loss": "softmax_cross_entropy", "metrics": ["accuracy", "recall_per_class"]}


def classifier(**options):
    return fastnn.Network([fastnn.Dense(3)], **LABELED | {"seed": 0} | options)


# --- refused before anything changes --------------------------------------------------------------


def late_mistakes(folder):
    (folder / "taken").mkdir()
    (folder / "file").touch()
    return {
        "monitor": (lambda: EarlyStopping("val_acc"), "unknown monitor 'val_acc'"),
        "training monitor": (lambda: EarlyStopping("accuracy_"), "did you mean 'accuracy'"),
        "no such class": (lambda: EarlyStopping("val_recall_per_class_3"), "unknown monitor"),
        "best": (
            lambda: Checkpoint(folder / "c", save="best", monitor="val_acc"),
            "unknown monitor 'val_acc'",
        ),
        "field": (lambda: Checkpoint(folder / "{val_acc}"), "cannot be filled in"),
        "field's form": (lambda: Checkpoint(folder / "{loss:d}"), "cannot be filled in"),
        "attribute": (lambda: Checkpoint(folder / "{loss.first}"), "cannot be filled in"),
        "folder": (lambda: Checkpoint(folder / "none" / "c"), "no such folder"),
        "is a folder": (lambda: Checkpoint(folder / "taken"), "a folder, where a file"),
        "file as folder": (lambda: Checkpoint(folder / "file" / "c"), "a file, where a folder"),
        "log's folder": (lambda: fastnn.CSVLogger(folder / "none" / "l"), "no such folder"),
        "log is a folder": (lambda: fastnn.CSVLogger(folder / "taken"), "a folder, where a file"),
        "board": (lambda: fastnn.TensorBoard(folder / "file"), "a file, where a folder"),
        "rates": (
            lambda: fastnn.LearningRateScheduler(lambda epoch: 0.1),
            r"function must take \(epoch, rate\)",
        ),
        "health": (lambda: fastnn.LayerHealth(np.ones((4, 2)), np.arange(4)), "LayerHealth: y"),
    }


@pytest.mark.parametrize("mistake", range(15))
@pytest.mark.parametrize("population", [False, True])
def test_mistakes_are_told_before_anything_changes(tmp_path, mistake, population):
    if mistake == 12:
        pytest.importorskip("tensorboardX")
    make, message = list(late_mistakes(tmp_path).values())[mistake]
    begun = []
    note = fastnn.LambdaCallback(on_train_begin=lambda net, info: begun.append(info))
    nets, callbacks = [classifier(seed=1), classifier()], [note, make()]
    labels, options = np.arange(len(X)) % 3, {"validation_data": (X, np.arange(len(X)) % 3)}
    before = sorted(os.listdir(tmp_path))
    if population:
        fit = partial(fastnn.fit_population, nets, callbacks=[[], callbacks])
    else:
        fit = partial(nets[1].fit, callbacks=callbacks)
    with pytest.raises((fastnn.FastnnError, OSError), match=message):
        fit(X=X, y=labels, verbose=0, **options)
    assert not begun
    assert not any(net.built for net in nets)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_schedule_that_watches_what_is_not_reported_is_refused():
    rule = fastnn.schedules.ReduceOnPlateau(0.1, "val_acc")
    net = classifier(optimizer=fastnn.SGD(rule))
    with pytest.raises(ArgumentError, match="unknown monitor 'val_acc'"):
        net.fit(X, np.arange(len(X)) % 3, validation_fraction=0.2, verbose=0)
    assert not net.built


def test_a_rate_cannot_be_set_where_a_schedule_is():
    net = network(optimizer=fastnn.SGD(fastnn.schedules.Constant(0.1)))
    with pytest.raises(ArgumentError, match="learning_rate cannot be set"):
        net.fit(X, Y, callbacks=[fastnn.LearningRateScheduler(max)], verbose=0)
    assert not net.built


@pytest.mark.parametrize("path", [3, None, "", "a\0b", 2.5])
@pytest.mark.parametrize("kind", [Checkpoint, fastnn.CSVLogger, fastnn.TensorBoard])
def test_paths_are_paths(kind, path):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=r"(path|folder) must be a path"):
        kind(path)


def test_a_read_only_folder_is_found_out_at_once(tmp_path):
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(PermissionError):
        network().fit(X, Y, callbacks=[Checkpoint(tmp_path / "net")], verbose=0)


@pytest.mark.parametrize("metrics", [["accuracy"], ["f1_per_class", "accuracy"]])
@pytest.mark.parametrize(
    ("layers", "loss", "targets"),
    [
        (3, "softmax_cross_entropy", np.arange(60) % 3),
        (1, "sigmoid_cross_entropy", np.arange(60) % 2),
        (4, "sigmoid_cross_entropy", np.arange(240).reshape(60, 4) % 2),
    ],
)
def test_the_names_told_are_those_reported(metrics, layers, loss, targets):
    told = []
    note = fastnn.LambdaCallback(
        on_train_begin=lambda net, info: told.append(tuple(info["logs"])),
        on_epoch_end=lambda net, epoch, logs: told.append(tuple(logs)),
    )
    net = fastnn.Network([fastnn.Dense(layers)], loss=loss, metrics=metrics, seed=0)
    net.fit(X, targets, validation_fraction=0.2, callbacks=[note], verbose=0)
    assert told[0] == told[1]
    assert len(told) == 2


def test_what_a_callback_reports_can_be_watched(tmp_path):
    class Report(Callback):
        reports = ("score",)

        def on_epoch_end(self, network, epoch, logs):
            logs["score"] = -epoch

    stopping = EarlyStopping("score")
    log = fastnn.CSVLogger(tmp_path / "log.csv")
    network().fit(X, Y, epochs=9, callbacks=[Report(), stopping, log], verbose=0)
    assert stopping.stopped_epoch == 2
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0] == "epoch,learning_rate,loss,score"
    assert lines[-1].endswith(",-2")


def test_folders_whose_names_have_fields_are_made(tmp_path):
    path = tmp_path / "epoch-{epoch}" / "net-{loss:.0f}"
    network().fit(X, Y, epochs=2, callbacks=[Checkpoint(path)], verbose=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch-1", "epoch-2"]


@pytest.mark.parametrize("callbacks", [EarlyStopping("loss"), 3, [3], "loss", [EarlyStopping]])
def test_callbacks_are_a_list_of_callbacks(callbacks):
    with pytest.raises(ArgumentTypeError, match="callbacks must"):
        network().fit(X, Y, callbacks=callbacks, verbose=0)


def test_hooks_that_do_not_take_their_arguments_are_refused():
    class Keras(Callback):
        def on_epoch_end(self, epoch, logs=None): ...

    net = network()
    with pytest.raises(
        ArgumentTypeError, match=r"Keras.on_epoch_end must take \(network, epoch, logs\)"
    ):
        net.fit(X, Y, callbacks=[Keras()], verbose=0)
    assert not net.built
    with pytest.raises(ArgumentTypeError, match=r"on_epoch_end must take \(network, epoch, logs\)"):
        fastnn.LambdaCallback(on_epoch_end=lambda epoch, logs: None)


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ((X[:, :3], Y), "^validation_data: X has 3 features"),
        ((X, Y[:9]), "^validation_data: X has 60 rows, but y has 9"),
        ((X, Y, np.ones(3)), "^validation_data: sample_weight has shape"),
        ((X * np.nan, Y), r"^validation_data: X\[0, 0\] is nan"),
        (X, r"^validation_data must be \(X, y\)"),
        ((X,), r"^validation_data must be \(X, y\)"),
    ],
)
@pytest.mark.parametrize("population", [False, True])
def test_validation_data_are_named(validation, message, population):
    net = network()
    fit = partial(fastnn.fit_population, [net]) if population else net.fit
    with pytest.raises(
        (ArgumentError, ArgumentTypeError), match=message.replace("^", r"^(networks\[0\]: )?")
    ):
        fit(X=X, y=Y, validation_data=validation, verbose=0)
    assert not net.built


# --- begun and ended ------------------------------------------------------------------------------


class Noted(Callback):
    """Writes down that it began and ended; raises where it is told to."""

    def __init__(self, name, notes, begin=None, epoch=None, end=None):
        self.name, self.notes = name, notes
        self.errors = {"begin": begin, "epoch": epoch, "end": end}

    def note(self, when):
        self.notes.append((self.name, when))
        if self.errors[when] is not None:
            raise self.errors[when]

    def on_train_begin(self, network, info):
        self.note("begin")

    def on_epoch_end(self, network, epoch, logs):
        self.note("epoch")

    def on_train_end(self, network):
        self.note("end")


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_only_what_began_is_ended(verbose, capsys):
    notes = []
    callbacks = [
        Noted("a", notes),
        Noted("b", notes, begin=RuntimeError("mine")),
        Noted("c", notes),
    ]
    with pytest.raises(RuntimeError, match="mine"):
        network().fit(X, Y, callbacks=callbacks, verbose=verbose)
    assert notes == [("a", "begin"), ("b", "begin"), ("a", "end")]


def test_a_callback_without_the_hook_is_ended_after_its_turn():
    ended = []
    late = fastnn.LambdaCallback(on_train_end=lambda net: ended.append("late"))
    early = fastnn.LambdaCallback(on_train_end=lambda net: ended.append("early"))
    wrong = Noted("wrong", [], begin=RuntimeError("mine"))
    with pytest.raises(RuntimeError, match="mine"):
        network().fit(X, Y, callbacks=[early, wrong, late], verbose=0)
    assert ended == ["early"]


def test_all_are_ended_even_if_one_raises():
    notes = []
    callbacks = [
        Noted("a", notes, end=RuntimeError("first")),
        Noted("b", notes, end=ValueError("second")),
        Noted("c", notes),
    ]
    net = network()
    with pytest.raises(RuntimeError, match="first") as caught:
        net.fit(X, Y, callbacks=callbacks, verbose=1)
    assert [name for name, when in notes if when == "end"] == ["a", "b", "c"]
    assert any("ValueError: second" in note for note in caught.value.__notes__)
    assert net._model.session is None
    net.fit(X, Y, verbose=0)  # the network is free again


def test_what_ended_training_comes_before_what_its_end_raises():
    notes = []
    callbacks = [
        Noted("a", notes, epoch=KeyError("cause")),
        Noted("b", notes, end=ValueError("after")),
    ]
    with pytest.raises(KeyError, match="cause") as caught:
        network().fit(X, Y, callbacks=callbacks, verbose=0)
    assert "ValueError: after (raised by Noted.on_train_end)" in caught.value.__notes__[0]
    interrupted = [
        Noted("a", notes, epoch=KeyError("cause")),
        Noted("b", notes, end=KeyboardInterrupt()),
    ]
    with pytest.raises(KeyboardInterrupt):
        network().fit(X, Y, callbacks=interrupted, verbose=0)


def test_a_divergence_that_a_callback_hides_still_ends_all():
    notes = []
    net = network(optimizer=fastnn.SGD(1e200))
    guard = fastnn.TerminateOnNonFinite()
    net.fit(X, Y, epochs=5, callbacks=[Noted("a", notes), guard], verbose=0)
    assert notes[-1] == ("a", "end")
    assert guard.reason


def test_a_fit_without_standard_error_shows_its_own_errors(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(ArgumentError, match="neither validation_data"):
        network().fit(X, Y, callbacks=[EarlyStopping()])
    network().fit(X, Y)
