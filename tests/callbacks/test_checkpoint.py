"""Checkpoints: what they hold, when they are written, and fits that go on from them."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
from problems import data, network

import fastnn
from fastnn import (
    SGD,
    ArgumentError,
    ArgumentTypeError,
    Callback,
    Checkpoint,
    Dense,
    Dropout,
    EarlyStopping,
    ModelFileError,
    Network,
    kernels,
)
from fastnn.executor import Executor
from fastnn.schedules import CosineDecay, ReduceOnPlateau, Warmup

X, Y = data()
OPTIMIZERS = [
    SGD(0.01, momentum=0.9),
    fastnn.RMSProp(CosineDecay(0.01, 20)),
    fastnn.AdamW(Warmup(ReduceOnPlateau(0.01, "loss", patience=1, min_delta=1), 3)),
]


def fit(net, epochs, callbacks=(), **options):
    options = {"batch_size": 16, "validation_fraction": 0.25, "verbose": 0} | options
    x, y = options.pop("x", X), options.pop("y", Y)
    return net.fit(x, y, epochs=epochs, callbacks=callbacks, **options)


def assert_same(net, other):
    """All that training has brought about."""
    np.testing.assert_array_equal(net.parameters, other.parameters)
    np.testing.assert_array_equal(net.arena.slots, other.arena.slots)
    assert net.state == other.state
    assert dict(net.history) == dict(other.history)
    assert net.history.epoch == other.history.epoch
    assert net.learning_rate == other.learning_rate


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.safetensors"


# --- going on -------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("native", [True, False])
def test_a_resumed_fit_has_the_bits_of_a_whole_one(optimizer, native, path, monkeypatch):
    if not native:
        monkeypatch.setattr("fastnn.native_executor.executor", Executor)
    whole, parts = network(optimizer=optimizer), network(optimizer=optimizer)
    expected = fit(whole, 7)
    fit(parts, 3, [Checkpoint(path)])
    for epochs in (5, 7):
        parts = network(optimizer=optimizer)
        history = fit(parts, epochs, [Checkpoint(path)], resume_from=path)
    assert_same(parts, whole)
    assert history.epoch == expected.epoch == [1, 2, 3, 4, 5, 6, 7]
    assert dict(history) == dict(expected)


def test_other_back_ends_go_on_too(backend, path):
    whole, parts = network(), network()
    fit(whole, 4)
    fit(parts, 2, [Checkpoint(path)])
    parts = network()
    fit(parts, 4, [Checkpoint(path)], resume_from=path)
    assert kernels.active_backend() == backend
    assert_same(parts, whole)


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


class Memory(Callback):
    """A callback of the user, with a state of numbers and arrays."""

    def __init__(self, count=0):
        self.losses, self.array = [], np.zeros((2, 3), np.int64)

    def on_epoch_end(self, network, epoch, logs):
        self.losses.append(logs["loss"])
        self.array[1] += epoch

    def state_dict(self):
        return {"losses": self.losses, "array": self.array, "empty": np.zeros((0, 2), "f4")}

    def load_state_dict(self, state):
        self.losses, self.array = state["losses"], state["array"].copy()
        assert state["empty"].shape == (0, 2)


def test_callbacks_of_the_user_are_saved(path):
    memory, again = Memory(), Memory()
    fit(network(), 3, [memory, Checkpoint(path)])
    net = network()
    fit(net, 5, [again, Checkpoint(path)], resume_from=path)
    assert again.losses == net.history["loss"]
    assert again.array.tolist() == [[0] * 3, [15] * 3]
    loaded = Network.load(path)  # a model file like any other
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))
    assert loaded.session is None


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
    assert net.session is None
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


# --- what cannot be resumed -----------------------------------------------------------------------


@pytest.fixture
def saved(path):
    """The file of a fit of two epochs, with a callback that has a state."""
    fit(network(metrics=["mae"]), 2, [EarlyStopping(patience=9), Checkpoint(path)])
    return path


def layers(units=8, rate=0.25):
    return [Dense(units, "tanh"), Dropout(rate), Dense(1)]


def refused(net, saved, message, callbacks=None, error=ArgumentError, **options):
    """Neither network nor callbacks are changed by a fit that is refused."""
    if callbacks is None:
        callbacks = [EarlyStopping(patience=9), Checkpoint(saved)]
    with pytest.raises(error, match=message):
        fit(net, 4, callbacks, resume_from=saved, **options)
    assert not net.built
    assert net.state.step == 0
    assert all(getattr(callback, "best", None) is None for callback in callbacks)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2}, "seed is 2, but was 1 when the checkpoint was written"),
        ({"dtype": "float32"}, "dtype is 'float32', but was 'float64'"),
        ({"loss": "huber"}, "loss is 'Huber', but was 'MeanSquaredError'"),
        ({"metrics": []}, r"metrics is \[\], but was \['mae'\]"),
        ({"optimizer": SGD(0.1)}, "optimizer is 'SGD', but was 'Adam'"),
        ({"optimizer": fastnn.Adam(0.1)}, r"optimizer.learning_rate is 0\.1, but was 0\.001"),
    ],
)
def test_another_network_is_refused(change, message, saved):
    refused(network(**({"metrics": ["mae"]} | change)), saved, message)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (layers(units=9), r"layers\[0\].units is 9, but was 8"),
        (layers(rate=0.5), r"layers\[1\].rate is 0\.5, but was 0\.25"),
        (layers()[::2], r"layers is \[.*\], but was \["),
    ],
)
def test_other_layers_are_refused(changed, message, saved):
    options = {"loss": "mean_squared_error", "metrics": ["mae"], "seed": 1, "dtype": "float64"}
    refused(Network(changed, **options), saved, message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 8}, "batch_size is 8, but was 16"),
        ({"shuffle": False}, "shuffle is False, but was True"),
        ({"x": X[:50], "y": Y[:50]}, r"training data.rows is 38, but was 45"),
        ({"x": X[:, :4]}, r"input_shape\[0\] is 4, but was 5"),
        ({"x": X.astype("f")}, "training data.dtype of X is 'float32', but was 'float64'"),
        ({"x": X + 1e-12}, "training data.digest of X is "),
        ({"y": -Y}, "training data.digest of y is "),
        ({"sample_weight": np.ones(60)}, r"training data.shape of sample_weight is \[60\]"),
        ({"validation_fraction": None}, "training data.rows is 60"),
        ({"validation_data": (X, Y), "validation_fraction": None}, "training data.rows is 60"),
    ],
)
def test_other_data_are_refused(change, message, saved):
    refused(network(metrics=["mae"]), saved, message, **change)


def test_other_callbacks_are_refused(saved):
    net = network(metrics=["mae"])
    what = (
        r"callbacks with a state.* is \['Checkpoint'\], but was \['EarlyStopping', 'Checkpoint'\]"
    )
    refused(net, saved, what, [Checkpoint(saved)])
    more = [EarlyStopping(patience=9), Memory(), Checkpoint(saved)]
    refused(net, saved, "callbacks with a state", more)


def test_files_that_are_no_checkpoints(saved, tmp_path):
    net = network(metrics=["mae"])
    refused(net, tmp_path / "missing", "missing", error=FileNotFoundError)
    model = tmp_path / "model.safetensors"
    Network.load(saved).save(model, optimizer=True)
    refused(net, model, "holds no fit to resume", error=ModelFileError)
    content = bytearray(saved.read_bytes())
    content[-3] ^= 1
    model.write_bytes(content)
    refused(net, model, "cannot resume from .*altered or damaged", error=ModelFileError)
    model.write_bytes(content[:-10])
    refused(net, model, "cut off", error=ModelFileError)
    many = Checkpoint(tmp_path / "{epoch}")
    refused(net, many, "resume_from needs a single file", [many])
    refused(net, 3, "resume_from must be the path", [Checkpoint(saved)], error=ArgumentTypeError)


def test_fits_entry_is_checked_like_the_rest(saved):
    """A file with a digest of its own, but with nonsense in the entry."""
    from fastnn.serialization import container

    with saved.open("rb") as file:
        header = container.read_header(file)
        tensors = container.read_tensors(file, header)
    for change in (
        lambda fit: fit.pop("callbacks"),
        lambda fit: fit.update(first_epoch=-1),
        lambda fit: fit.update(stop_training="no"),
        lambda fit: fit.update(callbacks=3),
        lambda fit: fit["callbacks"][0].update(arrays={"weights": ["float32", [-1]]}),
        lambda fit: fit["callbacks"][0].update(arrays={"weights": ["object", [1]]}),
        lambda fit: fit["callbacks"][0].update(arrays={"weights": ["float32", [2**70]]}),
        lambda fit: fit["callbacks"][0].update(state=[]),
    ):
        with saved.open("rb") as file:
            described = container.read_header(file).description
        change(described["fit"])
        saved.write_bytes(container.encode(described, tensors))
        with pytest.raises(
            ModelFileError, match=r"description (lacks|cannot be used)|not a JSON object|cut off"
        ):
            Network.load(saved)
        described["fit"] = header.description["fit"]
        saved.write_bytes(container.encode(described, tensors))
