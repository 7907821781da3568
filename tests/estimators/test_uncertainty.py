"""Quantiles beside the median, and predictions with dropout."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_pinball_loss, r2_score
from sklearn.preprocessing import StandardScaler

import fastnn
from fastnn import MLPRegressor, kernels
from fastnn.kernels.reference.dropout import draw_kept, dropout_scale
from fastnn.model.inference import BATCH_SIZE, FIRST_MC_STEP, mc_dropout_mean_std
from fastnn.runtime.random_streams import Stream, stream_offset

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_diabetes(return_X_y=True)
X, Y = 10 * X, Y / 100
LEVELS = [0.05, 0.5, 0.95]


def regressor(X=X, y=Y, **options):
    return MLPRegressor(**({"max_iter": 5, "random_state": 0} | options)).fit(X, y)


def band(X=X, y=Y, **options):
    return regressor(X, y, loss="quantile", **({"quantile": LEVELS} | options))


# --- quantiles ------------------------------------------------------------------------------------


def test_the_loss_is_the_mean_of_the_pinball_losses():
    net = MLPRegressor("quantile", quantile=LEVELS, alpha=0, max_iter=3)
    net.fit(X, Y, X_val=X[:99], y_val=Y[:99])
    columns = net.network_.predict(X[:99]).T
    losses = [mean_pinball_loss(Y[:99], q, alpha=a) for q, a in zip(columns, LEVELS, strict=True)]
    assert net.validation_loss_curve_[-1] == pytest.approx(np.mean(losses))


def test_the_gradient_of_several_levels():
    net = band()
    target = np.repeat(Y.reshape(-1, 1), 3, axis=1)
    assert fastnn.gradient_check(net.network_, X, target).max_relative_error < 1e-6


def test_quantiles_never_cross_and_the_median_is_predicted():
    net = band(max_iter=2)
    raw = net.network_.predict(X)
    assert (np.diff(raw, axis=1) < 0).any()  # or there would be nothing to sort
    quantiles = net.predict_quantiles(X)
    np.testing.assert_array_equal(quantiles, np.sort(raw, axis=1))
    np.testing.assert_array_equal(net.predict(X), quantiles[:, 1])
    np.testing.assert_array_equal(net.predict_interval(X), quantiles[:, [0, 2]])
    assert net.n_outputs_ == 3
    assert net.score(X, Y) == r2_score(Y, net.predict(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net)).predict_quantiles(X), quantiles)


def test_levels_as_an_array_or_a_loss_of_the_engine():
    expected = band().predict_interval(X)
    np.testing.assert_array_equal(band(quantile=np.array(LEVELS)).predict_interval(X), expected)
    net = regressor(loss=fastnn.Quantile(tuple(LEVELS)))
    np.testing.assert_array_equal(net.predict_interval(X), expected)


def test_early_stopping_scores_the_median():
    net = MLPRegressor("quantile", quantile=LEVELS, early_stopping=True, max_iter=5)
    net.fit(X[:300], Y[:300], X_val=X[300:], y_val=Y[300:])
    assert net.best_validation_score_ == pytest.approx(r2_score(Y[300:], net.predict(X[300:])))


@pytest.mark.parametrize("levels", [[0.05, 0.95], [0.9, 0.5, 0.1], [0.5, 0.5], [], [0.5, 1.0]])
def test_levels_that_make_no_sense(levels):
    with pytest.raises(ValueError, match=r"quantile|q must"):
        band(quantile=levels)


def test_several_levels_are_for_one_target():
    with pytest.raises(ValueError, match="one target, got 2"):
        band(y=np.c_[Y, Y])
    for single in (regressor(), band(quantile=0.9), MLPRegressor()):
        assert not hasattr(single, "predict_interval")
        assert not hasattr(single, "predict_quantiles")
    assert hasattr(MLPRegressor("quantile", quantile=LEVELS), "predict_interval")


def test_a_loss_of_several_levels():
    loss = fastnn.Quantile([0.1, 0.5])
    assert loss == fastnn.Quantile((0.1, 0.5)) == fastnn.losses.Loss.from_config(loss.to_config())
    with pytest.raises(fastnn.FastnnError, match="2 levels"):
        fastnn.Network([fastnn.Dense(3)], loss=loss).build(4)
    with pytest.raises(ValueError, match="at least one level"):
        fastnn.Quantile(())
    same, one = (
        fastnn.Network([fastnn.Dense(2)], loss=fastnn.Quantile(q), seed=0)
        for q in ((0.3, 0.3), 0.3)
    )
    for net in (same, one):
        net.fit(X, np.c_[Y, Y], epochs=2, verbose=0)
    np.testing.assert_array_equal(same.parameters, one.parameters)


@pytest.mark.skipif("FASTNN_DATA" not in os.environ, reason="FASTNN_DATA names no folder of data")
def test_nine_of_ten_houses_cost_what_the_interval_says():
    """California housing: nominal 90 %, on rows that were not trained on."""
    import pandas as pd

    table = pd.read_csv(Path(os.environ["FASTNN_DATA"]) / "california_housing.csv")
    table = table.sample(8000, random_state=0).reset_index(drop=True)
    price = np.log(table.pop("median_house_value").to_numpy())
    table["ocean_proximity"] = table["ocean_proximity"].astype("category")
    numbers = table.columns.drop("ocean_proximity")
    table[numbers] = StandardScaler().fit_transform(table[numbers])
    net = MLPRegressor(
        "quantile", (64, 64), quantile=LEVELS, categorical_features="from_dtype", imputer="median",
        max_iter=30, random_state=0, early_stopping=True, n_iter_no_change=5,
    ).fit(table[:6000], price[:6000])  # fmt: skip
    lower, upper = net.predict_interval(table[6000:]).T
    unseen = price[6000:]
    assert np.mean((lower <= unseen) & (unseen <= upper)) == pytest.approx(0.9, abs=0.04)
    assert np.mean(unseen < lower) == pytest.approx(0.05, abs=0.03)
    constant = np.quantile(price[:6000], [0.05, 0.95])
    losses = [
        mean_pinball_loss(unseen, np.broadcast_to(bound, unseen.shape), alpha=q)
        for bounds in ((lower, upper), constant)
        for bound, q in zip(bounds, (0.05, 0.95), strict=True)
    ]
    assert sum(losses[:2]) < 0.6 * sum(losses[2:])
    assert net.score(table[6000:], unseen) > 0.7


# --- dropout --------------------------------------------------------------------------------------


def by_hand(network, x, rates, draws):
    """Mean and deviation over draws of a network of dense layers, each but the last dropped out."""
    *hidden, w, b = network.get_weights()
    sample = []
    for draw in range(draws):
        y = x
        for i, rate in enumerate(rates):
            y = np.maximum(y @ hidden[2 * i] + hidden[2 * i + 1], 0)
            offset = stream_offset(Stream.LAYER + 2 * i + 1, FIRST_MC_STEP + draw)
            kept = draw_kept(y.size, rate, network.seed, offset).reshape(y.shape)
            y = np.where(kept, y * dropout_scale(rate), 0)
        sample.append(y @ w + b)
    return np.mean(sample, axis=0)[:, 0], np.std(sample, axis=0)[:, 0]


@pytest.mark.parametrize("backend", ["native", "numba", "reference"])
@pytest.mark.parametrize("rates", [[0.3], [0.5, 0.1]])
def test_draws_are_forward_passes_with_masks(rates, backend):
    net = regressor(hidden_layer_sizes=[17, 33][: len(rates)], dropout=rates)
    expected = by_hand(net.network_, X[:50], rates, draws=7)
    with kernels.use(backend=backend):
        drawn = net.predict(X[:50], return_std=True, n_draws=7)
    np.testing.assert_allclose(drawn, expected, rtol=1e-10, atol=1e-12)
    assert not np.array_equal(drawn[0], net.predict(X[:50]))


@pytest.mark.parametrize("threads", [1, 2])
def test_draws_have_the_same_bits(threads, monkeypatch):
    monkeypatch.setenv("FASTNN_TEAM", "force")
    rows = np.resize(X, (BATCH_SIZE + 100, X.shape[1]))
    net = regressor(dropout=0.2, hidden_layer_sizes=(64, 64))
    expected = net.predict(rows, return_std=True, n_draws=3)
    before = fastnn.get_num_threads()
    try:
        fastnn.set_num_threads(threads)
        again = pickle.loads(pickle.dumps(net)).predict(rows, return_std=True, n_draws=3)
    finally:
        fastnn.set_num_threads(before)
    np.testing.assert_array_equal(again, expected)
    assert len(np.unique(again[1])) > BATCH_SIZE  # the rows repeat, their masks do not


@pytest.mark.parametrize("last", [fastnn.Dropout(0.3), fastnn.AlphaDropout(0.1)])
def test_noise_and_normalisation_in_draws(last):
    """Noise is drawn; given statistics stay; layers at the input write no input."""
    layers = [
        fastnn.GaussianNoise(0.5), fastnn.Dropout(0.2), fastnn.Dense(8), fastnn.BatchNorm(),
        last, fastnn.Dense(1),
    ]  # fmt: skip
    network = fastnn.Network(layers, loss="huber", seed=0, dtype="float64")
    network.fit(X, Y, verbose=0)
    x, before = X.copy(), {name: kept.copy() for name, kept in network.buffers.items()}
    mean, deviation = mc_dropout_mean_std(network._model, x, 400)
    with kernels.use(backend="reference"):
        other = mc_dropout_mean_std(network._model, x, 400)
    np.testing.assert_allclose((mean, deviation), other, rtol=1e-9)
    np.testing.assert_array_equal(x, X)
    for name, kept in network.buffers.items():
        np.testing.assert_array_equal(kept, before[name])
    off = mean - network.predict(X)  # the network is linear, so noise moves no mean
    assert np.abs(off).mean() < 3 / 20 * deviation.mean()
    assert network.state.step == 14  # of training alone


def test_draws_of_sparse_rows_of_several_outputs_and_of_other_dtypes():
    from scipy import sparse

    net = regressor(y=np.c_[Y, -Y], dropout=0.3)
    mean, std = net.predict(X, return_std=True, n_draws=4)
    assert mean.shape == std.shape == (len(X), 2)
    rows = sparse.csr_array(X)
    np.testing.assert_array_equal(net.predict(rows, return_std=True, n_draws=4)[1], std)
    single = net.predict(X.astype("f4"), return_std=True, n_draws=4)
    np.testing.assert_allclose(single[0], mean, rtol=1e-4, atol=1e-5)


def test_draws_need_dropout():
    for net in (regressor(), regressor(dropout=0.0)):
        with pytest.raises(ValueError, match="needs a network with dropout"):
            net.predict(X, return_std=True)
    with pytest.raises(ValueError, match="several quantiles"):
        band(dropout=0.1).predict(X, return_std=True)
    with pytest.raises(ValueError, match="n_draws"):
        regressor(dropout=0.1).predict(X, return_std=True, n_draws=0)
