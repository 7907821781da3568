"""A gradient check leaves the network as it was, and depends on the seed alone."""

import copy
import pickle

import numpy as np
import pytest
from checking import LIMIT, assert_right, check, data

import fastnn
from fastnn import Dense, Dropout, Network, gradient_check
from fastnn.diagnostics.gradient_check import _compare, _in_float64, _sample
from fastnn.diagnostics.loss_surface import LossSurface


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_trained_network_is_unchanged_bit_for_bit(backend, dtype):
    X, y = data("mean_squared_error", rows=20)
    layers = [Dense(5, "relu", l1=1e-3), Dropout(0.3), Dense(2)]
    net = Network(layers, loss="mean_squared_error", seed=2, dtype=dtype)
    net.fit(X, y, batch_size=8, epochs=2, verbose=0)
    before, executor, twin = (
        pickle.dumps(net),
        net._model.executors.training(8, False),
        copy.deepcopy(net),
    )
    first = gradient_check(net, X, y, n=6, verbose=0)
    assert pickle.dumps(net) == before  # parameters, gradients, slots, state, history
    assert net._model.executors.training(8, False) is executor
    assert gradient_check(net, X, y, n=6, verbose=0) == first
    for network in (net, twin):
        network.fit(X, y, batch_size=8, epochs=2, verbose=0)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


def test_an_unbuilt_network_is_built_as_build_would():
    X, y = data("mean_squared_error")
    net, twin = (Network([Dense(2)], loss="mean_squared_error", seed=5) for _ in range(2))
    gradient_check(net, X, y, verbose=0)
    assert pickle.dumps(net) == pickle.dumps(twin.build(3))


def test_a_float32_network_is_checked_in_float64(backend):
    X, y = data("softmax_cross_entropy", features=17)
    layers = [Dense(17, "gelu", l2=0.1), Dense(2)]
    narrow, wide = (
        Network(layers, loss="softmax_cross_entropy", seed=3, dtype=dtype).build(17)
        for dtype in ("float32", "float64")
    )
    wide.set_weights(narrow.get_weights())
    result = gradient_check(narrow, X, y, n=30, verbose=0)
    assert result == gradient_check(wide, X, y, n=30, verbose=0)
    assert_right(result)


def test_masks_are_those_of_the_current_step():
    X, y = data("mean_squared_error")
    net = Network([Dropout(0.5), Dense(2)], loss="mean_squared_error", seed=0)
    now = gradient_check(net, X, y, verbose=0)
    net.train_on_batch(X, y)
    net.set_weights(Network(net.layers, loss=net.loss, seed=0).build(3).get_weights())
    then = gradient_check(net, X, y, verbose=0)
    assert now.loss != then.loss
    assert max(now.max_relative_error, then.max_relative_error) <= LIMIT


def test_the_sample_is_drawn_by_the_seed():
    X, y = data("mean_squared_error", features=20)
    layers = [Dense(9, "tanh"), Dense(2)]

    def sampled(**options):
        return check(layers, X, y, n=5, **options)

    net = Network(layers, loss="mean_squared_error", seed=1, dtype="float64")
    assert [a.compared for a in sampled().arrays] == [5, 5, 5, 2]
    assert sampled() == gradient_check(net, X, y, n=5, verbose=0)
    scales = {gradient_check(net, X, y, n=5, seed=s, verbose=0).arrays[0].scale for s in range(8)}
    assert len(scales) == 8


def test_every_array_has_a_sample_of_its_own():
    samples = [_sample(50, 5, seed, index) for seed in (0, 1) for index in (0, 1)]
    assert len({tuple(sample) for sample in samples}) == 4
    for sample in samples:
        assert (len(set(sample)), min(sample) >= 0, max(sample) < 50) == (5, True, True)


def test_moved_parameters_are_restored_exactly():
    X, y = data("mean_squared_error")
    tiny = fastnn.initializers.Normal(1e-9)  # where (p + epsilon) - epsilon is not p
    layers = [Dense(9, "tanh", initializer=tiny), Dense(2)]
    net = Network(layers, loss="mean_squared_error", seed=1, dtype="float64").build(3)
    surface = LossSurface(net, *_in_float64(net, X, y, None))
    before = surface.arena.parameters.copy()
    _compare(surface, 1e-6, None, 0)
    np.testing.assert_array_equal(surface.arena.parameters, before)


def test_a_callback_may_check_the_network_it_trains():
    X, y = data("mean_squared_error")

    class Checker(fastnn.Callback):
        def on_epoch_end(self, network, epoch, logs):
            errors.append(gradient_check(network, X, y, verbose=0).max_relative_error)

    errors, layers = [], [Dense(4, "tanh"), Dropout(0.3), Dense(2)]
    net, twin = (Network(layers, loss="mean_squared_error", seed=1) for _ in range(2))
    net.fit(X, y, batch_size=3, epochs=3, callbacks=[Checker()], verbose=0)
    twin.fit(X, y, batch_size=3, epochs=3, verbose=0)
    assert (len(errors), max(errors) <= LIMIT) == (3, True)
    np.testing.assert_array_equal(net.parameters, twin.parameters)
