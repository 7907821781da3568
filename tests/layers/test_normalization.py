"""BatchNorm and LayerNorm: outputs, gradients, running statistics and arguments."""

import copy
import pickle

import numpy as np
import pytest
from layer_networks import network, normalized

import fastnn
from fastnn import Activation, BatchNorm, Dense, Dropout, Flatten, LayerNorm, Network, kernels
from fastnn.errors import ArgumentError, ArgumentTypeError, DivergenceError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(1, 3, (23, 6)), RNG.integers(0, 3, 23)
IMAGES = RNG.normal(2, 4, (11, 3, 2, 5))


def train_output(net, x):
    """Return the output of the last layer in training mode, from the loss of zero targets."""
    return net.train_on_batch(x, np.zeros((len(x), *net.output_shape)))["loss"]


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


# ------------------------------------------------------------------ files, errors, all or nothing


def test_buffers_survive_files_copies_and_pickling(tmp_path):
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
