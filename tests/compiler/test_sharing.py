"""Plans are shared by networks of equal descriptions, and by no others."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest

import fastnn
from fastnn import SGD, SWA, Adam, BatchNorm, Dense, Dropout, Layer, Network, Parallel, Residual
from fastnn.compiler import sharing
from fastnn.execution import executor_pool
from fastnn.initializers import Initializer
from fastnn.model.base import model_of
from fastnn.schedules import ExponentialDecay


def network(**changes):
    arguments = {
        "layers": [Dense(6, "relu"), Dropout(0.2), Dense(3)],
        "loss": "softmax_cross_entropy",
        "optimizer": Adam(1e-3),
        "seed": 0,
    }
    return Network(**arguments | changes)


def plan(columns=4, **changes):
    executors = model_of(network(**changes).build(columns)).executors
    return executors.plan(4, training=True, labels=False)


@pytest.mark.parametrize(
    "hidden",
    [Dense(6, "relu"), Residual([Dense(4, "relu")]), Parallel([[Dense(3)], []])],
    ids=["Dense", "Residual", "Parallel"],
)
def test_equal_descriptions_share_plans(hidden):
    X, y = np.ones((8, 4)), np.arange(8) % 3
    nets = [network(seed=seed, layers=[hidden, Dropout(0.2), Dense(3)]) for seed in range(2)]
    for net in nets:
        net.fit(X, y, batch_size=4, verbose=0)
    first, second = (model_of(net) for net in nets)
    plans = [m.executors.plan(4, training=True, labels=True) for m in (first, second)]
    assert plans[0] is plans[1]
    assert not np.shares_memory(first.arena.parameters, second.arena.parameters)
    assert (first.arena.parameters != second.arena.parameters).any()


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": 5},
        {"layers": [Dense(6, "relu"), Dropout(0.3), Dense(3)]},
        {"layers": [Dense(6, "tanh"), Dropout(0.2), Dense(3)]},
        {"layers": [Dense(6, "relu", trainable=False), Dropout(0.2), Dense(3)]},
        {"layers": [Dense(6, "relu", name="first"), Dropout(0.2), Dense(3)]},
        {"layers": [Dense(6, "relu", l2=0.1), Dropout(0.2), Dense(3)]},
        {"layers": [Dense(6, "relu"), Dropout(0.2), BatchNorm(), Dense(3)]},
        {"layers": [Residual([Dense(4, "relu")]), Dense(3)]},
        {"loss": fastnn.SoftmaxCrossEntropy(label_smoothing=0.1)},
        {"optimizer": Adam(1e-3, amsgrad=True)},
        {"optimizer": Adam(1e-2)},
        {"optimizer": Adam(ExponentialDecay(1e-3, 10, 0.5))},
        {"optimizer": SGD(1e-3)},
        {"dtype": "float64"},
        {"l1": 0.1},
        {"l2": 0.1},
        {"max_norm": 1.0},
        {"l2": 0.1, "penalty_scale": "sum"},
        {"weight_average": SWA(1)},
    ],
    ids=lambda changes: ", ".join(f"{k} {v}" for k, v in changes.items())[:60],
)
def test_other_descriptions_have_their_own(changes):
    own = plan(**changes)
    assert own is plan(**changes)
    assert own is not plan()


@dataclass(frozen=True)
class Halves(Initializer):
    def draw(self, shape, seed, offset):
        return np.full(shape, 0.5)


@dataclass(frozen=True)
class Double(Layer):
    name: str | None = None

    def lower(self, builder, x, parameters, index):
        y = builder.activation(x.shape)
        builder.emit("forward", np.add, y, x, x)
        return y, lambda dy, need_dx: dy


square = fastnn.activation(lambda x: x * x, derivative=lambda x, y: 2 * x, name="square")


@pytest.mark.parametrize("part", [Double(), Dense(2, initializer=Halves()), Dense(2, square)])
def test_parts_of_the_user_are_not_shared_nor_kept(part):
    before = dict(sharing._shared)
    layers = [part, Dense(3)]
    assert plan(layers=layers) is not plan(layers=layers)
    assert sharing._shared == before


def test_freezing_one_network_leaves_the_others():
    nets = [network().build(4) for _ in range(2)]
    nets[0].freeze("dense_1")
    plans = [model_of(net).executors.plan(4, training=True, labels=False) for net in nets]
    assert plans[0] is not plans[1]
    assert plans[1] is plan()
    nets[0].unfreeze("dense_1")
    assert model_of(nets[0]).executors.plan(4, training=True, labels=False) is plans[1]


def test_results_are_those_of_networks_that_share_nothing(monkeypatch):
    X, y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 3

    def weights():
        net = network()
        net.fit(X, y, batch_size=8, epochs=3, verbose=0)
        return [w.tobytes() for w in net.get_weights()], net.predict(X).tobytes()

    first, shared = weights(), weights()
    monkeypatch.setattr(sharing, "_shared", {})
    assert first == shared == weights()


def test_pickles_do_not_depend_on_what_is_shared(monkeypatch):
    def pickled():
        net = network().build(4)
        net.predict(np.ones((3, 4)))
        return pickle.dumps(net)

    shared = pickled()
    assert shared == pickled()
    monkeypatch.setattr(sharing, "_shared", {})
    assert shared == pickled()


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(sharing, "_shared", {})
    for columns in range(1, 3 * sharing.MOST_SHARED):
        plan(columns)
        assert len(sharing._shared) <= sharing.MOST_SHARED
    net = network().build(4)
    for rows in range(1, 100):
        net.fit(np.ones((rows, 4)), np.zeros(rows), batch_size=None, verbose=0)
    assert len(model_of(net).executors._plans) <= executor_pool.MOST_PLANS
