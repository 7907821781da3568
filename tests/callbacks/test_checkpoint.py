"""Checkpoints: when they are written, under which names, and what happens when they cannot be."""

import errno
import os
import subprocess
import sys

import pytest
from problems import network
from resumed_fits import fit

from fastnn import ArgumentError, ArgumentTypeError, Callback, Checkpoint, EarlyStopping, Network

# --- when files are written -----------------------------------------------------------------------


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_fields_make_many_files(tmp_path):
    net = network()
    fit(net, 3, [Checkpoint(tmp_path / "{{a}}-{epoch:02d}-{val_loss:.3f}")])
    losses = net.history["val_loss"]
    assert names(tmp_path) == [f"{{a}}-{i + 1:02d}-{loss:.3f}" for i, loss in enumerate(losses)]
    assert [Network.load(path).state.epoch for path in sorted(tmp_path.iterdir())] == [1, 2, 3]


def test_every_so_many_epochs_and_in_the_end(tmp_path):
    fit(network(), 7, [Checkpoint(tmp_path / "{epoch}", every=3)])
    assert names(tmp_path) == ["3", "6", "7"]
    stopping = EarlyStopping(mode="max")
    fit(network(), 7, [Checkpoint(tmp_path / "stopped-{epoch}", every=5), stopping])
    assert names(tmp_path)[3:] == ["stopped-2"]


def test_the_best_epochs(tmp_path):
    class Report(Callback):
        reports = ("score",)

        def __init__(self, values):
            self.values = values

        def on_epoch_end(self, network, epoch, logs):
            logs["score"] = self.values[epoch - 1]

    def callbacks():
        best = Checkpoint(tmp_path / "{epoch}-{score}", save="best", monitor="score", min_delta=1)
        return [Report([1, 5, 3, 5.5, 7, 6]), best]

    fit(network(), 6, callbacks())
    assert names(tmp_path) == ["1-1", "2-5", "5-7"]
    for path in tmp_path.iterdir():
        path.unlink()
    last = Checkpoint(tmp_path / "last")
    fit(network(), 3, [last, *callbacks()])
    fit(network(), 6, [last, *callbacks()], resume_from=last)
    assert names(tmp_path) == ["1-1", "2-5", "5-7", "last"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Checkpoint("a", save="worst"), "unknown save 'worst'"),
        (lambda: Checkpoint("a", every=0), "every must be an integer >= 1"),
        (lambda: Checkpoint("a", save="best", every=2), "every must be 1"),
        (lambda: Checkpoint("a", save="best", monitor=1), "monitor must be the name"),
        (lambda: Checkpoint("a{"), "path has wrong braces"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        make()


def test_fields_and_monitors_that_do_not_exist(tmp_path):
    with pytest.raises(ArgumentError, match=r"cannot be filled in \('los'\); its fields may be"):
        fit(network(), 1, [Checkpoint(tmp_path / "{los}")])
    best = Checkpoint(tmp_path / "a", save="best")
    with pytest.raises(ArgumentError, match="monitor is 'val_loss', but this fit has neither"):
        fit(network(), 1, [best], validation_fraction=None)
    assert not names(tmp_path)


# --- files that cannot be written -----------------------------------------------------------------


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_earlier_file(call, path, monkeypatch):
    fit(network(), 2, [Checkpoint(path)])
    before = path.read_bytes()

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    net = network()
    with pytest.raises(OSError, match="No space left") as caught:
        fit(net, 4, [Checkpoint(path)], resume_from=path)
    assert caught.value.filename == str(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert names(path.parent) == [path.name]
    assert net._model.session is None
    fit(net, 1)  # the network itself is as good as ever


def test_a_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(FileNotFoundError):
        fit(network(), 1, [Checkpoint(tmp_path / "nowhere" / "net")])
    (tmp_path / "net").mkdir()
    with pytest.raises(IsADirectoryError):
        fit(network(), 1, [Checkpoint(tmp_path / "net")])


def test_a_write_that_the_system_cuts_off(path):
    """The kernel refuses to let the file of the third epoch grow beyond a limit."""
    program = f"""
import resource, signal
from fastnn import Callback, Checkpoint, Dense, Network
import numpy as np
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

class Limit(Callback):
    def on_epoch_begin(self, network, epoch):
        if epoch == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

network = Network([Dense(64)], loss="mean_squared_error", seed=1)
try:
    callbacks = [Checkpoint({str(path)!r}), Limit()]
    network.fit(np.eye(64), np.eye(64), epochs=9, callbacks=callbacks, verbose=0)
except OSError as error:
    print(error.errno)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.split() == [str(errno.EFBIG)], result.stderr
    assert Network.load(path).state.epoch == 2
    assert names(path.parent) == [path.name]
