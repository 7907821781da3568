"""The content of a file, byte by byte, and networks that are not saved."""

import hashlib
import json
import math
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from round_trips import classifier, round_trip

import fastnn
from fastnn import ArgumentError, ArgumentTypeError, Dense, Network, NotBuiltError


def test_the_safetensors_library_reads_the_file(path):
    network = Network([Dense(8, name='größe "1"'), Dense(3)], loss="huber", seed=1).build(6)
    network.save(path, optimizer=True)
    tensors = safetensors.numpy.load_file(path)
    names = ['größe "1"/weights', 'größe "1"/bias', "dense_1/weights", "dense_1/bias"]
    slots = [f"optimizer/{slot}/{name}" for slot in network.optimizer.slots for name in names]
    assert set(tensors) == {*names, *slots}
    for name, weights in zip(names, network.get_weights(), strict=True):
        np.testing.assert_array_equal(tensors[name], weights, strict=True)
    with safetensors.safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    assert list(metadata) == ["fastnn"]
    assert json.loads(metadata["fastnn"])["architecture"]["layers"][0]["units"] == 8


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_digest_is_what_the_documentation_says(dtype, path):
    classifier(dtype=dtype).build(6).save(path, optimizer=True, preprocessing={"z": 1e-7, "é": []})
    with safetensors.safe_open(path, framework="numpy") as file:
        description = json.loads(file.metadata()["fastnn"])
    written = description.pop("sha256")
    text = json.dumps(description, sort_keys=True, separators=(",", ":")).encode()
    for name, tensor in sorted(safetensors.numpy.load_file(path).items()):
        shape = str(list(tensor.shape)).replace(" ", "")
        text += f'["{name}","{dtype}",{shape}]'.encode() + tensor.tobytes()
    assert hashlib.sha256(text).hexdigest() == written


def test_equal_networks_give_equal_files(tmp_path):
    """Bytes are equal in other processes too, where strings hash differently."""
    classifier().build(6).save(tmp_path / "0", optimizer=True, preprocessing={"b": 1, "a": 2})
    program = """
import sys
import threading
from fastnn import Dense, Dropout, Network
layers = [Dense(8, "relu"), Dropout(0.25), Dense(3)]
for path in sys.argv[1:]:
    network = Network(layers, loss="softmax_cross_entropy", seed=7).build(6)
    network.save(path, optimizer=True, preprocessing={"b": 1, "a": 2})
"""
    others = [tmp_path / "1", tmp_path / "2"]
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", program, *others], env=environment, check=True)
        for other in others:
            assert other.read_bytes() == (tmp_path / "0").read_bytes()


def test_preprocessing_travels_along(tmp_path):
    data = {"z": {"mean": [0.1, -1e-320, 2**70], "name": "größe\ud800"}, "a": [None, True, ""]}
    network = classifier().build(6)
    assert round_trip(network, tmp_path / "none").preprocessing is None
    loaded = round_trip(network, tmp_path / "given", preprocessing=data)
    assert loaded.preprocessing == data
    assert list(loaded.preprocessing) == ["z", "a"]
    again = round_trip(loaded, tmp_path / "again")
    assert again.preprocessing == data
    assert round_trip(again, tmp_path / "empty", preprocessing={}).preprocessing == {}


class Looping(list):
    """A list that holds itself."""

    def __init__(self):
        super().__init__([self])


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"mean": math.nan}, ArgumentError),
        ({"mean": [-math.inf]}, ArgumentError),
        ({"mean": np.zeros(2)}, ArgumentTypeError),
        ({"mean": np.float32(1)}, ArgumentTypeError),
        ({"f": len}, ArgumentTypeError),
        ({"set": {1}}, ArgumentTypeError),
        ({"pair": (1, 2)}, ArgumentTypeError),
        ({1: "one"}, ArgumentTypeError),
        ({"deeper": {None: 1}}, ArgumentTypeError),
        ({"loop": Looping()}, ArgumentError),
        ({"deep": nested(100_000)}, ArgumentError),
        ({"large": "x" * 2**25}, ArgumentError),
        ([1], ArgumentTypeError),
        ("text", ArgumentTypeError),
    ],
    ids=lambda value: None if isinstance(value, type) else str(type(value).__name__),
)
def test_other_preprocessing_is_refused(data, error, path):
    with pytest.raises(error, match="preprocessing"):
        classifier().build(6).save(path, preprocessing=data)
    assert not list(path.parent.iterdir())


def test_a_network_must_be_built(path):
    with pytest.raises(NotBuiltError, match="call build or fit first"):
        classifier().save(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_parameters_must_be_finite(value, path):
    network = classifier().build(6)
    network.save(path)
    before = path.read_bytes()
    network.parameters[0] = value
    with pytest.raises(ArgumentError, match="dense_1/weights holds values that are not finite"):
        network.save(path)
    assert path.read_bytes() == before


def test_optimizer_must_be_a_flag(path):
    with pytest.raises(ArgumentTypeError, match="optimizer must be True or False"):
        classifier().build(6).save(path, optimizer="adam")


def test_saving_while_another_thread_trains_gives_whole_files(path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 64)), rng.normal(size=2000)
    network = Network([Dense(256, "relu"), Dense(1)], loss="huber", seed=0).build(64)
    thread = threading.Thread(
        target=network.fit, args=(X, y), kwargs={"epochs": 40, "batch_size": 500, "verbose": 0}
    )
    thread.start()
    saved = 0
    while thread.is_alive() or not saved:
        network.save(path, optimizer=True)
        Network.load(path)
        saved += 1
    thread.join()


@pytest.mark.parametrize("wrong", [3, None, 1.5, "", "a\0b"])
def test_what_is_no_path_is_named(wrong):
    net = Network([Dense(2)], loss="huber").build(3)
    for call in (net.save, Network.load, fastnn.load):
        with pytest.raises((ArgumentError, ArgumentTypeError), match=r"^path must be a path, got"):
            call(wrong)
