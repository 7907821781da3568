"""Checkpoints that another fit wrote, or that are none: what differs is named."""

import numpy as np
import pytest
from problems import network
from resumed_fits import Memory, X, Y, fit

import fastnn
from fastnn import (
    SGD,
    ArgumentError,
    ArgumentTypeError,
    Checkpoint,
    Dense,
    Dropout,
    EarlyStopping,
    ModelFileError,
    Network,
)


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
    what = r"callbacks with a state is \[\], but was \['EarlyStopping'\]"
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


def test_a_file_without_an_architecture_is_damaged(saved):
    from fastnn.model_file import container

    with saved.open("rb") as file:
        header = container.read_header(file)
        tensors = container.read_tensors(file, header)
    del header.description["architecture"]
    saved.write_bytes(container.encode(header.description, tensors))
    refused(network(metrics=["mae"]), saved, "lacks 'architecture'", error=ModelFileError)


def test_fits_entry_is_checked_like_the_rest(saved):
    """A file with a digest of its own, but with nonsense in the entry."""
    from fastnn.model_file import container

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
