"""`scale_target`: the network learns numbers of mean 0 and deviation 1, predictions are as y is."""

import copy

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

import fastnn
from fastnn import MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_diabetes(return_X_y=True)
X = 20 * X
OPTIONS = {"max_iter": 5, "random_state": 0}
SEVERAL = {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}


def regressor(y=Y, rows=X, weight=None, **options):
    return MLPRegressor(scale_target=True, **OPTIONS | options).fit(rows, y, weight)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"solver": "lbfgs"},
        {"solver": "sgd", "early_stopping": True},
        {"loss": "huber"},
        {"loss": "absolute_error", "batch_norm": True},
        {"loss": "quantile", "quantile": 0.8},
    ],
)
def test_it_equals_a_scaler_around_the_regressor(options):
    inner = MLPRegressor(**OPTIONS | options)
    scaled = TransformedTargetRegressor(inner, transformer=StandardScaler()).fit(X, Y)
    np.testing.assert_allclose(regressor(**options).predict(X), scaled.predict(X), rtol=1e-9)


def test_targets_far_from_zero_are_learnt():
    prices = 200_000 + 1_000 * Y
    plain = MLPRegressor(max_iter=50, random_state=0).fit(X, prices)
    assert plain.score(X, prices) < 0
    assert regressor(prices, max_iter=50).score(X, prices) > 0.4


def test_predictions_scale_and_shift_with_the_targets():
    for options in ({}, SEVERAL):
        plain, moved = regressor(**options), regressor(1e6 * Y - 3e9, **options)
        np.testing.assert_allclose(moved.predict(X), 1e6 * plain.predict(X) - 3e9, rtol=1e-7)
    intervals = [net.predict_interval(X) for net in (plain, moved)]
    np.testing.assert_allclose(intervals[1], 1e6 * intervals[0] - 3e9, rtol=1e-7)
    assert (np.diff(intervals[1]) >= 0).all()


def test_float32_keeps_what_varies_around_a_large_mean():
    moved = regressor(1e9 + Y, X.astype(np.float32), max_iter=50)
    assert moved.network_.dtype == np.float32
    assert moved.score(X.astype(np.float32), 1e9 + Y) > 0.4


def test_several_targets_are_scaled_each():
    both = np.c_[Y, -1000 * Y + 5]
    values = regressor(both, max_iter=50).predict(X)
    assert values.shape == both.shape
    assert np.corrcoef(values[:, 0], Y)[0, 1] > 0.6
    assert np.corrcoef(values[:, 1], Y)[0, 1] < -0.6


def test_weights_count_as_rows_do():
    counts = np.random.default_rng(0).integers(0, 3, len(Y))
    rows = np.repeat(np.arange(len(Y)), counts)
    options = {"solver": "lbfgs", "max_iter": 3, "alpha": 0.0}
    weighted, repeated = regressor(weight=counts, **options), regressor(Y[rows], X[rows], **options)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-6)


def test_a_constant_target_is_predicted():
    values = regressor(np.full(len(Y), 12345.678), max_iter=100).predict(X)
    np.testing.assert_allclose(values, 12345.678, atol=1)


def test_everything_that_predicts_speaks_in_the_units_of_the_targets():
    net = regressor(dropout=0.2)
    expected = net.predict(X)
    np.testing.assert_allclose(net.predictor()(X[0]), expected[:1], rtol=1e-12)
    np.testing.assert_allclose(net.to_network().predict(X)[:, 0], expected, rtol=1e-10)
    np.testing.assert_allclose(net.to_sklearn().predict(X), expected, rtol=1e-10)
    mean, deviation = net.predict(X, return_std=True, n_draws=200)
    assert abs(mean - expected).mean() < Y.std()
    small = regressor(Y / 100, dropout=0.2).predict(X, return_std=True, n_draws=200)
    np.testing.assert_allclose(deviation, 100 * small[1], rtol=1e-6)


def test_the_scaling_of_the_first_fit_is_kept():
    net = MLPRegressor(scale_target=True, random_state=0).partial_fit(X, Y)
    mean = net._scaling.mean.copy()
    net.partial_fit(X[:50], 10 * Y[:50])
    np.testing.assert_array_equal(net._scaling.mean, mean)
    warm = regressor(warm_start=True)
    before = warm.predict(X)
    warm.set_params(learning_rate_init=1e-12).fit(X[:50], 10 * Y[:50])
    np.testing.assert_allclose(warm.predict(X), before, rtol=1e-6)
    cold = regressor().set_params(scale_target=False).fit(X, Y)
    same = MLPRegressor(**OPTIONS).fit(X, Y)
    np.testing.assert_array_equal(cold.predict(X), same.predict(X))


def test_data_to_validate_on_are_scaled_alike():
    net = MLPRegressor(scale_target=True, **OPTIONS).fit(X[:300], Y[:300], X_val=X, y_val=Y)
    net.fit(X, Y, X_val=X, y_val=Y)
    assert 0.1 < net.validation_loss_curve_[-1] < 1


def test_losses_with_a_link_are_refused_and_change_nothing():
    net = regressor()
    before = copy.deepcopy(net.predict(X))
    for loss in ("poisson", fastnn.Poisson()):
        with pytest.raises(ValueError, match="scale_target=True is for losses without a link"):
            net.set_params(loss=loss).fit(X, Y)
    np.testing.assert_array_equal(net.predict(X), before)
    with pytest.raises(ValueError, match="'scale_target' parameter"):
        net.set_params(scale_target="yes").fit(X, Y)
    with pytest.raises(ValueError, match="variance of y is beyond float64"):
        regressor(Y * 1e300)
