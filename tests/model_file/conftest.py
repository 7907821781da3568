"""A network, its file with everything in it, and what must come of files made from that one."""

import re

import numpy as np
import pytest

from fastnn import Dense, Dropout, ModelFileError, Network


@pytest.fixture(scope="session")
def network():
    layers = [Dense(2, "relu", name="a"), Dropout(0.5), Dense(2, use_bias=False)]
    network = Network(layers, loss="softmax_cross_entropy", metrics=["accuracy"], seed=1)
    network.preprocessing = {"mean": [0.5, 1e-5]}
    network.fit(np.arange(12.0).reshape(4, 3), [0, 1, 0, 1], epochs=2, verbose=0)
    return network


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def content(network, folder):
    """A valid file with everything in it."""
    network.save(folder / "valid", optimizer=True)
    return (folder / "valid").read_bytes()


@pytest.fixture(scope="session")
def refuse(folder):
    """Asserts that a file of given bytes is refused; returns the message."""
    path = folder / "refused"

    def check(content, match=""):
        overwrite(path, content)
        with pytest.raises(ModelFileError) as caught:
            Network.load(path)
        message = str(caught.value)
        assert message.startswith(f"cannot load {path}: ")
        assert re.search(match, message), message
        assert len(message) < 1000
        return message

    return check


@pytest.fixture(scope="session")
def accept_or_refuse(network, folder):
    """Asserts that a file is refused or gives exactly the network; returns whether it did that."""
    path = folder / "suspect"

    def check(content):
        overwrite(path, content)
        try:
            loaded = Network.load(path)
        except ModelFileError:
            return False
        assert_identical(loaded, network)
        return True

    return check


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def overwrite(path, content):
    path.unlink(missing_ok=True)  # some file systems flush a file that is emptied and written anew
    path.write_bytes(content)


def assert_identical(loaded, network):
    """Everything that a file can hold, bit for bit."""
    for name in ("layers", "layer_names", "loss", "optimizer", "metrics", "seed", "dtype"):
        assert getattr(loaded, name) == getattr(network, name), name
    assert loaded.input_shape == network.input_shape
    assert loaded.preprocessing == network.preprocessing
    assert loaded.state == network.state
    assert loaded.history.epoch == network.history.epoch
    assert dict(loaded.history) == dict(network.history)
    assert loaded.parameters.tobytes() == network.parameters.tobytes()
    assert loaded._model.arena.slots.tobytes() == network._model.arena.slots.tobytes()
