"""GaussianNoise and AlphaDropout: their distributions, their randomness, and where they act."""

import numpy as np
import pytest
from layer_networks import network
from scipy import stats

import fastnn
from fastnn import AlphaDropout, Dense, Dropout, GaussianNoise, Network, kernels
from fastnn.errors import ArgumentError, ArgumentTypeError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 6)), RNG.integers(0, 3, 20)


def noise(n, dtype=np.float64, **options):
    y = np.empty(n, dtype)
    kernels.gaussian_noise_fwd(y, np.zeros_like(y), 1.0, **{"seed": 3, "offset": 5} | options)
    return y


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noise_is_normal(backend, dtype):
    drawn = noise(100_000, dtype).astype(float)
    assert stats.kstest(drawn, "norm").pvalue > 1e-3
    assert np.abs(drawn).max() < 5.8
    pairs = drawn.reshape(-1, 2)
    for power in (1, 2):
        assert abs(np.corrcoef(pairs**power, rowvar=False)[0, 1]) < 0.015
    assert abs(np.corrcoef(drawn, noise(100_000, offset=6))[0, 1]) < 0.015


def test_noise_depends_on_the_element_alone(backend):
    whole = noise(20_000, np.float32)
    for n in (1, 2, 3, 63, 64, 65, 8191, 8193):
        np.testing.assert_array_equal(noise(n, np.float32), whole[:n])


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5])
def test_alpha_dropout_keeps_mean_and_variance(backend, rate):
    x = np.random.default_rng(1).normal(size=200_000)
    y, mask = np.empty_like(x), np.empty(25_000, np.uint8)
    kernels.alpha_dropout_fwd(y, mask, x, rate, seed=0, offset=0)
    assert y.mean() == pytest.approx(0, abs=0.01)
    assert y.std() == pytest.approx(1, abs=0.01)
    kept = np.unpackbits(mask, bitorder="little").astype(bool)
    assert kept.mean() == pytest.approx(1 - rate, abs=0.01)
    assert len(set(y[~kept])) == 1  # selu's limit, moved and scaled
    slope, intercept = np.polyfit(x[kept], y[kept], 1)
    limit = -1.0507009873554805 * 1.6732632423543772
    assert y[~kept][0] == pytest.approx(slope * limit + intercept, rel=1e-9)


def test_alpha_dropout_agrees_with_torch_where_elements_are_kept():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    ours, mask = np.empty(1000), np.empty(125, np.uint8)
    kernels.alpha_dropout_fwd(ours, mask, np.ones(1000), 0.5, seed=0, offset=0)
    theirs = torch.nn.functional.alpha_dropout(torch.ones(1000, dtype=torch.float64), 0.5, True)
    np.testing.assert_allclose(np.unique(ours), np.unique(theirs.numpy()), rtol=1e-9)


LAYERS = {
    "noise": [Dense(7, "tanh"), GaussianNoise(0.5), Dense(3)],
    "alpha dropout": [Dense(7, "selu"), AlphaDropout(0.2), Dense(3)],
    "in front": [GaussianNoise(0.1), AlphaDropout(0.1), Dense(3)],
    "beside dropout": [Dense(7, "selu"), Dropout(0.1), AlphaDropout(0.2), Dense(3)],
}


@pytest.mark.parametrize("layers", LAYERS)
def test_gradients(backend, layers):
    check = fastnn.gradient_check(network(LAYERS[layers]), X, Y, verbose=0)
    assert check.max_relative_error <= 1e-7, str(check)


@pytest.mark.parametrize("layer", [GaussianNoise(0.5), AlphaDropout(0.5)])
def test_they_act_in_training_alone_and_anew_in_every_step(layer):
    net = network([layer, Dense(3)], loss="mean_squared_error", optimizer=fastnn.SGD(1e-300))
    net.build(6)
    plain = network([Dense(3)], loss="mean_squared_error").build(6)
    plain.set_weights(net.get_weights())
    np.testing.assert_array_equal(net.predict(X), plain.predict(X))
    losses = [net.train_on_batch(X, X[:, :3])["loss"] for _ in range(3)]
    assert len(set(losses)) == 3


@pytest.mark.parametrize("layer", [GaussianNoise(0.0), AlphaDropout(0.0)])
def test_none_is_nothing(layer):
    net = network([layer, Dense(3)]).build(6)
    plan = net._model.executors.plan(8, training=True, labels=True)
    assert [op.kernel for op in plan.stages["forward"]] == ["dense_fwd"]


def test_they_survive_a_file(tmp_path):
    net = network([GaussianNoise(0.25), Dense(3), AlphaDropout(0.125), Dense(3)]).build(6)
    net.save(tmp_path / "net.safetensors")
    assert Network.load(tmp_path / "net.safetensors").layers == net.layers


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: GaussianNoise(-0.1), ArgumentError, "stddev must be a finite number >= 0"),
        (lambda: GaussianNoise(np.inf), ArgumentError, "stddev must be"),
        (lambda: GaussianNoise("1"), ArgumentTypeError, "stddev must be"),
        (lambda: AlphaDropout(1.0), ArgumentError, r"rate must be a number in \[0, 1\)"),
        (lambda: AlphaDropout(None), ArgumentTypeError, "rate must be"),
    ],
)
def test_arguments(make, error, match):
    with pytest.raises(error, match=match):
        make()
