"""Functions of the user in files, copies and other processes."""

import copy
import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from custom_functions import (
    CUBIC,
    HARD_SWISH,
    SQUARED,
    X,
    Y,
    hard_swish,
    hard_swish_slope,
    network,
    squared,
    trained,
    unbuilt_network,
)

import fastnn
from fastnn import Activation, ArgumentError, ArgumentTypeError, Dense, Network


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_a_file_names_them_and_load_brings_them(path):
    net = network(Dense(4, HARD_SWISH), Activation(CUBIC), Dense(3))
    net.fit(X, Y, verbose=0)
    net.save(path, optimizer=True)
    assert b"lambda" not in path.read_bytes()
    objects = {"hard_swish": HARD_SWISH, "clipped_cubic": CUBIC, "squared": SQUARED}
    loaded = Network.load(path, custom_objects=objects)
    assert loaded.layers == net.layers
    assert loaded.loss == net.loss
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))
    for other in (net, loaded):
        other.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(loaded.parameters, net.parameters)


@pytest.mark.parametrize(
    ("objects", "error", "match"),
    [
        (None, fastnn.ModelFileError, "custom activation 'hard_swish'; .* custom_objects="),
        ({"hard_swish": HARD_SWISH}, fastnn.ModelFileError, "custom loss 'squared'"),
        ({"hard_swish": SQUARED}, fastnn.ModelFileError, "but got CustomLoss..squared.. for it"),
        ({"hard_swish": HARD_SWISH, "squared": 3}, ArgumentTypeError, "custom_objects\\['s"),
        (
            {"hard_swish": HARD_SWISH, "squared": squared},
            fastnn.ModelFileError,
            "but got <function",
        ),
        ([HARD_SWISH, SQUARED], ArgumentTypeError, "custom_objects must be a dict .*, got list"),
        (
            {"hard_swish": HARD_SWISH, "squared": SQUARED, "cubic": CUBIC},
            ArgumentError,
            "custom_objects has 'cubic', but the network uses 'hard_swish', 'squared'",
        ),
    ],
)
def test_custom_objects_that_do_not_fit_a_file(path, objects, error, match):
    network(Dense(4, HARD_SWISH), Dense(3)).build(6).save(path)
    with pytest.raises(error, match=match):
        Network.load(path, custom_objects=objects)


def test_objects_for_a_file_that_needs_none(path):
    network(Dense(3), loss="huber").build(6).save(path)
    with pytest.raises(ArgumentError, match="has 'squared', but the network uses no custom"):
        Network.load(path, custom_objects={"squared": SQUARED})


def test_two_objects_of_one_name_are_not_saved(path):
    other = dataclasses.replace(CUBIC, name="hard_swish")
    net = network(Dense(4, HARD_SWISH), Dense(3, other)).build(6)
    with pytest.raises(ArgumentError, match="two custom objects of the name 'hard_swish'"):
        net.save(path)
    assert not path.exists()


def test_pickles_and_copies_train_alike():
    net = unbuilt_network()
    clones = [pickle.loads(pickle.dumps(net)), copy.deepcopy(net), copy.copy(net.layers[0])]
    assert clones[0].layers == clones[1].layers == net.layers
    assert clones[2].activation == CUBIC
    assert hash(clones[0].layers[0].activation) == hash(CUBIC)
    expected = trained(net)
    assert trained(clones[0]) == trained(clones[1]) == expected
    assert pickle.loads(pickle.dumps(net)).predict(X).tobytes() == net.predict(X).tobytes()


@pytest.mark.slow
def test_workers_of_joblib_train_alike():
    expected = trained(unbuilt_network())
    jobs = joblib.Parallel(n_jobs=2)(joblib.delayed(trained)(unbuilt_network()) for _ in range(2))
    assert jobs == [expected] * 2


def test_threads_may_compile_at_once():
    made = fastnn.activation(hard_swish, hard_swish_slope, name="fresh")
    nets = [network(Dense(4, made), Dense(3), dtype="float32") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(trained, nets))) == 1
