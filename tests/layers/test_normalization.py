"""BatchNorm and LayerNorm: what they compute, how they learn, keep, and fold away."""

from __future__ import annotations

import numpy as np
import pytest

import fastnn
from fastnn import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    LayerNorm,
    Network,
    Normalization,
    kernels,
)
from fastnn.errors import ArgumentError, ArgumentTypeError, DivergenceError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(1, 3, (23, 6)), RNG.integers(0, 3, 23)
IMAGES = RNG.normal(2, 4, (11, 3, 2, 5))


def network(layers, **options):
    settings = {"loss": "softmax_cross_entropy", "seed": 1, "dtype": "float64"} | options
    return Network(layers, **settings)


def train_output(net, x):
    """What the network's last layer gives in training mode, as the loss of zeros shows it."""
    return net.train_on_batch(x, np.zeros((len(x), *net.output_shape)))["loss"]


def normalized(x, axes, epsilon=1e-3):
    deviation = np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)
    return (x - x.mean(axis=axes, keepdims=True)) / deviation


PLACES = {
    "before the activation": [Dense(7), BatchNorm(), Activation("tanh"), Dense(3)],
    "after the activation": [Dense(7, "tanh"), BatchNorm(), Dense(3)],
    "first, with dropout": [BatchNorm(), Dense(5, "silu"), Dropout(0.3), BatchNorm(), Dense(3)],
    "without a bias": [Dense(7, use_bias=False), BatchNorm(scale=False), Dense(3)],
    "last": [Dense(3), BatchNorm(center=False)],
    "layer norm": [Dense(7), LayerNorm(), Activation("gelu"), Dense(3)],
    "layer norm first and last": [LayerNorm(scale=False), Dense(3), LayerNorm(center=False)],
    "both": [Dense(6, "elu"), BatchNorm(), LayerNorm(), Dropout(0.2), Dense(3)],
}


@pytest.mark.parametrize("place", PLACES)
def test_gradients(backend, place):
    net = network(PLACES[place])
    weights = np.random.default_rng(1).uniform(0.5, 2, len(X))
    check = fastnn.gradient_check(net, X, Y, sample_weight=weights, verbose=0)
    assert check.max_relative_error <= 1e-7, str(check)


def test_gradients_of_channels(backend):
    net = network([BatchNorm(), LayerNorm(), Flatten(), Dense(3)])
    check = fastnn.gradient_check(net, IMAGES, Y[:11], verbose=0)
    assert check.max_relative_error <= 1e-7, str(check)


def test_a_gradient_that_ignored_the_statistics_would_be_noticed(monkeypatch):
    reference = kernels.implementation("reference")

    def constant_statistics(dx, dgamma, dbeta, dy, x, mean, variance, gamma, eps):
        if dx is not None:
            dx[...] = dy * (1 if gamma is None else gamma) / np.sqrt(variance + eps)

    monkeypatch.setattr(reference, "batch_norm_bwd", constant_statistics)
    with kernels.use("reference"):
        check = fastnn.gradient_check(network(PLACES["before the activation"]), X, Y, verbose=0)
    assert check.relative_errors["dense_1/weights"] > 1e-2


def test_a_bias_in_front_of_batch_norm_has_gradient_zero():
    net = network([Dense(7), BatchNorm(), Dense(3)])
    net.train_on_batch(X, Y)
    arena = net._model.arena
    bias = next(s for s in arena.segments if s.name == "dense_1/bias")
    assert np.abs(arena.view(arena.gradients, bias)).max() < 1e-15


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_uses_the_batch_and_moves_the_averages(backend, dtype):
    net = network([BatchNorm(momentum=0.75)], loss="mean_squared_error", dtype=dtype).build(6)
    x = X.astype(dtype)
    loss = train_output(net, x)
    expected = normalized(x.astype(float), 0)
    assert loss == pytest.approx(np.square(expected).mean(), rel=1e-6)
    mean, variance = net.buffers.values()
    np.testing.assert_allclose(mean, 0.25 * x.mean(axis=0, dtype=float), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(variance, 0.75 + 0.25 * x.astype(float).var(axis=0), rtol=1e-6)


def test_inference_uses_the_averages(backend):
    net = network([BatchNorm()], loss="mean_squared_error").build(6)
    net.buffers["batchnorm_1/moving_mean"][:] = 2.0
    net.buffers["batchnorm_1/moving_variance"][:] = 9.0
    gamma, beta = np.arange(1.0, 7), np.arange(6.0)
    net.set_weights([gamma, beta])
    expected = (X - 2) / np.sqrt(9.001) * gamma + beta
    np.testing.assert_allclose(net.predict(X), expected, rtol=1e-12)


def test_statistics_of_images_are_those_of_channels(backend):
    net = network([BatchNorm(momentum=0.0), Flatten()], loss="mean_squared_error").build((3, 2, 5))
    loss = train_output(net, IMAGES)
    assert loss == pytest.approx(np.square(normalized(IMAGES, (0, 1, 2))).mean(), rel=1e-12)
    mean, variance = net.buffers.values()
    np.testing.assert_allclose(mean, IMAGES.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(variance, IMAGES.var(axis=(0, 1, 2)), rtol=1e-12)


def test_layer_norm_is_the_same_in_training_and_inference(backend):
    net = network([LayerNorm(), Flatten()], loss="mean_squared_error").build((3, 2, 5))
    expected = normalized(IMAGES, 3).reshape(11, 30)
    np.testing.assert_allclose(net.predict(IMAGES), expected, rtol=1e-12, atol=1e-15)
    assert train_output(net, IMAGES) == pytest.approx(np.square(expected).mean(), rel=1e-12)


@pytest.mark.parametrize("rows", [1, 2, 15, 16, 17, 33, 300])
@pytest.mark.parametrize("columns", [1, 3, 40, 65])
def test_a_mean_far_from_zero_costs_no_digits(rows, columns):
    rng = np.random.default_rng(rows)
    x = (1e6 + rng.normal(size=(rows, columns))).astype(np.float32)
    x[0] += 1000  # what numbers are taken relative to may be an outlier
    y, mean, variance = np.empty_like(x), *np.empty((2, columns), np.float32)
    kernels.batch_norm_fwd(y, mean, variance, x, None, None, 1e-3)
    wide = x.astype(float)
    np.testing.assert_allclose(variance, wide.var(axis=0), rtol=1e-5)
    np.testing.assert_allclose(y, normalized(wide, 0), atol=2e-5 * np.sqrt(rows))


ROWS_TO_NORMALISE = {
    "shifted": (1e6, 0.1),
    "shifted far": (3e7, 100.0),
    "large": (1e30, 1e29),
    "near the largest": (0.0, 5e37),
    "small": (0.0, 1e-3),
}


@pytest.mark.parametrize("columns", [2, 5, 16, 67, 3000])
@pytest.mark.parametrize("kind", ROWS_TO_NORMALISE)
def test_rows_of_any_size_are_normalised(backend, kind, columns):
    mean, deviation = ROWS_TO_NORMALISE[kind]
    rng = np.random.default_rng(columns)
    x = np.clip(mean + deviation * rng.normal(size=(4, columns)), -3.4e38, 3.4e38)
    x = x.astype(np.float32)
    y, centre, rstd = np.empty_like(x), *np.empty((2, 4), np.float32)
    kernels.layer_norm_fwd(y, centre, rstd, x, None, None, 1e-9)
    wide = x.astype(float)
    np.testing.assert_allclose(y, normalized(wide, 1, 1e-9), atol=1e-5)
    np.testing.assert_allclose(centre, wide.mean(axis=1), rtol=1e-6, atol=1e-6 * deviation)
    np.testing.assert_allclose(rstd, 1 / np.sqrt(wide.var(axis=1) + 1e-9), rtol=2e-3)


def test_rows_of_any_size_are_normalised_in_float64(backend):
    x = 1e300 * np.random.default_rng(0).normal(size=(3, 9))
    y, rstd = np.empty_like(x), np.empty(3)
    kernels.layer_norm_fwd(y, None, rstd, x, None, None, 1e-3)
    np.testing.assert_allclose(y, normalized(x / 1e300, 1, 0), rtol=1e-12)
    np.testing.assert_allclose(rstd * 1e300, 1 / (x / 1e300).std(axis=1), rtol=1e-12)
    y = np.empty_like(x)
    kernels.layer_norm_fwd(y, None, None, np.full_like(x, 1e300), None, None, 1e-3)
    np.testing.assert_array_equal(y, 0)


def test_gradients_of_large_rows_are_those_of_small_ones(backend):
    """LayerNorm does not see the size of a row: dx shrinks as x grows."""
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 3, 20)).astype(np.float32)
    found = []
    for size in (1.0, 2.0**80):
        y, dx, mean, rstd = np.empty_like(x), np.empty_like(x), *np.empty((2, 3), np.float32)
        large = x * np.float32(size)
        kernels.layer_norm_fwd(y, mean, rstd, large, None, None, 1e-12)
        kernels.layer_norm_bwd(dx, None, None, dy, large, mean, rstd, None)
        found.append(dx * np.float32(size))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-4, atol=1e-6)


def test_variances_that_float32_holds_do_not_overflow_on_the_way(backend):
    x = (1.2e19 * np.random.default_rng(0).normal(size=(40, 3))).astype(np.float32)
    y, mean, variance = np.empty_like(x), *np.empty((2, 3), np.float32)
    kernels.batch_norm_fwd(y, mean, variance, x, None, None, 1e-3)
    np.testing.assert_allclose(variance, x.astype(float).var(axis=0), rtol=1e-5)
    np.testing.assert_allclose(y, normalized(x.astype(float), 0), atol=1e-5)


def test_a_batch_of_one_row_gives_beta_and_passes_no_gradient():
    net = network([Dense(4), BatchNorm(beta_initializer="ones"), Dense(3)]).build(6)
    before = net.get_weights()
    with pytest.warns(UserWarning, match="'batchnorm_1' gets batches of a single row"):
        net.train_on_batch(X[:1], Y[:1])
    after = net.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert not np.array_equal(before[-1], after[-1])
    assert all(np.isfinite(w).all() for w in after)


def test_short_last_batches_have_statistics_of_their_own():
    net = network([BatchNorm(momentum=0.0)], loss="mean_squared_error").build(6)
    net.fit(X, np.zeros((23, 6)), batch_size=20, shuffle=False, verbose=0)
    np.testing.assert_allclose(net.buffers["batchnorm_1/moving_mean"], X[20:].mean(axis=0))


@pytest.mark.parametrize("shape", [(64, 40), (300, 7)])
def test_agrees_with_torch(shape):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    x, dy = rng.normal(3, 2, (2, *shape))
    gamma, beta = rng.normal(size=(2, shape[1]))
    for kind, forward, backward in (
        (torch.nn.BatchNorm1d, "batch_norm_fwd", "batch_norm_bwd"),
        (torch.nn.LayerNorm, "layer_norm_fwd", "layer_norm_bwd"),
    ):
        layer = kind(shape[1], eps=1e-3, dtype=torch.float64)
        layer.weight.data, layer.bias.data = torch.tensor(gamma), torch.tensor(beta)
        leaf = torch.tensor(x, requires_grad=True)
        output = layer(leaf)
        output.backward(torch.tensor(dy))
        y, dx, dgamma, dbeta = np.empty(shape), np.empty(shape), *np.empty((2, shape[1]))
        a, b = np.empty((2, shape[1] if "batch" in forward else shape[0]))
        getattr(kernels, forward)(y, a, b, x, gamma, beta, 1e-3)
        eps = (1e-3,) if "batch" in forward else ()
        getattr(kernels, backward)(dx, dgamma, dbeta, dy, x, a, b, gamma, *eps)
        np.testing.assert_allclose(y, output.detach().numpy(), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(dx, leaf.grad.numpy(), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(dgamma, layer.weight.grad.numpy(), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(dbeta, layer.bias.grad.numpy(), rtol=1e-10, atol=1e-12)


# ------------------------------------------------------------------------------------- folding

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


# -------------------------------------------------------------------- files, errors, all or nothing


def test_buffers_survive_files_copies_and_pickling(tmp_path):
    import copy
    import pickle

    net = network([Dense(5), BatchNorm(), LayerNorm(), Dense(3)])
    net.fit(X, Y, epochs=2, verbose=0)
    net.save(tmp_path / "net.safetensors")
    for twin in (
        Network.load(tmp_path / "net.safetensors"),
        pickle.loads(pickle.dumps(net)),
        copy.deepcopy(net),
    ):
        np.testing.assert_array_equal(twin.predict(X), net.predict(X))
        for name, values in net.buffers.items():
            np.testing.assert_array_equal(twin.buffers[name], values)
            assert twin.buffers[name] is not values
    assert twin.layers == net.layers


def test_training_goes_on_bit_for_bit_from_a_file(tmp_path):
    nets = [network([Dense(5), BatchNorm(), Dense(3)]) for _ in range(2)]
    for net in nets:
        net.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    nets[1].save(tmp_path / "net.safetensors", optimizer=True)
    nets[1] = Network.load(tmp_path / "net.safetensors")
    for net in nets:
        net.fit(X, Y, batch_size=8, epochs=2, verbose=0)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)
    np.testing.assert_array_equal(*(net._model.arena.buffers for net in nets))


def test_a_step_that_is_given_up_leaves_the_averages_alone():
    net = network([BatchNorm(), Dense(4, "exp"), Dense(1)], loss="mean_squared_error").build(6)
    net.parameters[:] *= 1e6
    before = net._model.arena.buffers.copy()
    with pytest.raises(DivergenceError):
        net.train_on_batch(X, X[:, 0])
    np.testing.assert_array_equal(net._model.arena.buffers, before)


def test_averages_that_overflow_go_back():
    net = network([BatchNorm()], loss="mean_squared_error", dtype="float32").build(6)
    before = net._model.arena.buffers.copy()
    with pytest.raises(DivergenceError, match="an update overflowed"):
        net.train_on_batch(X * 1e30, X)
    np.testing.assert_array_equal(net._model.arena.buffers, before)


def test_the_summary_counts_what_is_kept(capsys):
    network([Dense(5), BatchNorm(), Dense(3)]).build(6).summary()
    assert "and 10 numbers of state" in capsys.readouterr().out


def test_gamma_and_beta_do_not_decay():
    net = network([BatchNorm(), Dense(3)], optimizer=fastnn.AdamW()).build(6)
    decays = {s.parameter.name: s.parameter.decays for s in net._model.arena.segments}
    assert decays == {"gamma": False, "beta": False, "weights": True, "bias": False}


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"momentum": 1.0}, ArgumentError, "momentum must be"),
        ({"momentum": "0.9"}, ArgumentTypeError, "momentum must be"),
        ({"epsilon": 0}, ArgumentError, "epsilon must be a finite number > 0, got 0"),
        ({"axis": -2}, ArgumentError, "axis must be an integer >= -1"),
        ({"axis": 1.0}, ArgumentTypeError, "axis must be"),
        ({"center": 1}, ArgumentTypeError, "center must be True or False"),
        ({"scale": None}, ArgumentTypeError, "scale must be True or False"),
        ({"gamma_initializer": "one"}, ArgumentError, "gamma_initializer .*'one'"),
        ({"beta_initializer": 3}, ArgumentTypeError, "beta_initializer"),
        ({"input_shape": 0}, ArgumentError, "input_shape must be"),
        ({"name": ""}, ArgumentError, "name must be"),
    ],
)
@pytest.mark.parametrize("layer", [BatchNorm, LayerNorm])
def test_arguments(layer, arguments, error, match):
    if layer is LayerNorm and "momentum" in arguments:
        return
    with pytest.raises(error, match=match):
        layer(**arguments)


def test_the_axis_must_be_the_last():
    for axis in (0, 1, 2):
        with pytest.raises(ArgumentError, match="axis must name the last axis"):
            network([BatchNorm(axis=axis), Flatten(), Dense(3)]).build((3, 2, 5))
    network([BatchNorm(axis=3), Flatten(), Dense(3)]).build((3, 2, 5))
