"""Inference folds normalisations into the weights of dense layers."""

import numpy as np
import pytest
from layer_networks import network

from fastnn import Activation, BatchNorm, Conv1D, Conv2D, Dense, Dropout, Flatten, Normalization

RNG = np.random.default_rng(0)
X, Y = RNG.normal(1, 3, (23, 6)), RNG.integers(0, 3, 23)
IMAGES = RNG.normal(2, 4, (11, 3, 2, 5))


FOLDED = {
    "behind": ([Dense(5), BatchNorm(), Dense(3)], ["dense_fwd"] * 2),
    "behind, with its activation": (
        [Dense(5, use_bias=False), BatchNorm(), Activation("relu"), Dropout(0.5), Dense(3)],
        ["dense_fwd"] * 2,
    ),
    "in front": ([Dense(5, "tanh"), BatchNorm(), Dropout(0.5), Dense(3)], ["dense_fwd"] * 2),
    "first": ([BatchNorm(), Dense(5, "tanh"), Dense(3)], ["dense_fwd"] * 2),
    "last": ([Dense(3), BatchNorm()], ["dense_fwd"]),
    "twice": ([BatchNorm(), Dense(5), BatchNorm(), Dense(3)], ["dense_fwd"] * 2),
    "input": ([Normalization(), Dense(3)], ["dense_fwd"]),
    "not": (
        [Dense(5), Activation("relu"), BatchNorm(), Activation("tanh"), Dense(3)],
        ["dense_fwd", "standardize_fwd", "activation_fwd", "dense_fwd"],
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", FOLDED)
def test_inference_folds_normalisations_into_weights(backend, form, dtype):
    layers, expected = FOLDED[form]
    net = network(layers, dtype=dtype)
    net.fit(X, Y, batch_size=8, epochs=3, verbose=0)
    plans = [
        net._model.executors.plan(32, training=False, labels=False, folded=f) for f in (True, False)
    ]
    assert [op.kernel for op in plans[0].stages["forward"]] == expected
    assert not plans[1].stages["prepare"]
    together = net.predict(X)
    alone = np.concatenate([net.predict(row) for row in X[:, None]])  # plans of one row do not fold
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(together, alone, rtol=tolerance, atol=tolerance)


def test_channels_fold_into_a_dense_layer_behind_flatten(backend):
    net = network([BatchNorm(), Flatten(), Dense(3)])
    net.fit(IMAGES, Y[:11], epochs=2, verbose=0)
    plan = net._model.executors.plan(16, training=False, labels=False)
    assert [op.kernel for op in plan.stages["forward"]] == ["dense_fwd"]
    alone = np.concatenate([net.predict(row) for row in IMAGES[:, None]])
    np.testing.assert_allclose(net.predict(IMAGES), alone, rtol=1e-12)


@pytest.mark.parametrize("layer", [Dense(4), Conv1D(4, 1), Conv2D(4, (1, 2))])
def test_statistics_of_positions_do_not_fold_into_weights_of_channels(backend, layer):
    x = IMAGES.reshape(11, 6, 5) if isinstance(layer, Conv1D) else IMAGES
    net = network([layer, Flatten(), BatchNorm(), Dense(3)])
    net.fit(x, Y[:11], epochs=2, verbose=0)
    alone = np.concatenate([net.predict(row) for row in x[:, None]])
    np.testing.assert_allclose(net.predict(x), alone, rtol=1e-12)


def test_small_plans_do_not_fold():
    net = network([Dense(5), BatchNorm(), Dense(3)]).build(6)
    for rows, folds in ((2, False), (8, True)):
        plan = net._model.executors.plan(rows, training=False, labels=False)
        assert bool(plan.stages["prepare"]) == folds


def test_folded_weights_follow_the_parameters():
    """Nothing that is derived from parameters or buffers outlives one call."""
    net = network([Dense(5), BatchNorm(), Dense(3)], loss="mean_squared_error").build(6)
    before = net.predict(X)
    net.buffers["batchnorm_1/moving_mean"][:] = 1.0
    shifted = net.predict(X)
    assert np.abs(shifted - before).max() > 0.1
    net.parameters[:] = 0
    assert not net.predict(X).any()


def test_means_that_would_cost_digits_are_not_folded(backend):
    rng = np.random.default_rng(3)
    x = rng.normal(1e5, 1, (200, 4))
    net = network([Normalization(), Dense(3)], dtype="float32", loss="mean_squared_error")
    net.adapt(x)
    mean, deviation = x.astype("f").mean(axis=0, dtype=float), x.std(axis=0)
    weights = net.get_weights()[0]
    centred = x.astype("f") - mean.astype("f").astype(float)
    np.testing.assert_allclose(net.predict(x), centred / deviation @ weights, atol=2e-3)
