"""Warnings of estimators: unknown categories, poor fits."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

import fastnn
from fastnn import MLPClassifier, MLPRegressor, UnknownCategoryWarning
from fastnn.data.data_set import DataSet
from fastnn.estimators.baseline import constant_loss

PATIENTS, PROGRESS = load_diabetes(return_X_y=True)
IRIS, KIND = load_iris(return_X_y=True)
RANDOM = np.random.default_rng(0)
WEIGHT = RANDOM.uniform(0, 3, len(KIND))


# --- unknown categories ---------------------------------------------------------------------------

TOWNS = np.array([["Ulm", 1], ["Bern", 2], ["Linz", 3]] * 20, object)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_unknown_categories_are_counted_by_column():
    net = MLPClassifier(categorical_features=[0, 1], max_iter=2, random_state=0)
    net.fit(TOWNS, np.arange(60) % 2)
    rows = [["Graz", 1], ["Ulm", None], ["Wien", 9], [np.nan, 2]]
    for use in (net.predict, net.predict_proba, net.decision_function):
        with pytest.warns(UnknownCategoryWarning) as caught:
            use(rows)
        assert [str(w.message) for w in caught] == [
            "column 0 of X: 2 of 4 rows hold unknown categories, such as 'Graz', which count as "
            "missing",
            "column 1 of X: 1 of 4 rows hold unknown categories, such as 9, which count as missing",
        ]
        assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.predict(TOWNS)
        net.predict([[None, 3]])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_unknown_categories_of_frames_have_the_name_of_the_column():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"town": pd.Categorical(TOWNS[:, 0]), "size": RANDOM.normal(size=60)})
    net = MLPRegressor(categorical_features="from_dtype", max_iter=2, random_state=0)
    net.fit(frame, RANDOM.normal(size=60))
    with pytest.warns(UnknownCategoryWarning, match="column 'town' of X: 60 of 60 .*'Graz'"):
        net.predict(frame.assign(town="Graz"))


# --- fits that end above the baseline -------------------------------------------------------------


def said(net, X, y, weight=None):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net.fit(X, y, weight)
    return " ".join(str(w.message) for w in caught if w.category is ConvergenceWarning)


def test_a_regression_on_raw_targets_is_told_from_a_good_one():
    options = {"tol": 1.0, "random_state": 0}
    words = said(MLPRegressor(max_iter=20, **options), PATIENTS, PROGRESS)
    assert "Maximum iterations (20) reached" in words
    assert f"above {PROGRESS.var() / 2:.4g}, that of always predicting their mean" in words
    assert "scale_target=True" in words
    slow = MLPRegressor(learning_rate_init=1e-9, n_iter_no_change=2, **options)
    words = said(slow, PATIENTS, PROGRESS)  # it stops by itself
    assert words.startswith("The training loss")
    good = MLPRegressor(scale_target=True, **options)
    assert said(good, PATIENTS, PROGRESS) == ""


def test_a_classifier_worse_than_the_shares_of_the_classes_says_so():
    far = 1000 * IRIS + 1e4
    slow = {"solver": "sgd", "learning_rate_init": 1e-9, "tol": 0.1, "random_state": 0}
    assert "the shares of the classes: scale the columns of X, or" in said(
        MLPClassifier(n_iter_no_change=2, **slow), far, KIND
    )
    assert said(MLPClassifier(tol=0.01, random_state=0), IRIS, KIND) == ""


def test_lbfgs_that_stops_at_once_says_so():
    net = MLPRegressor(solver="lbfgs", tol=1e9, max_iter=5, random_state=0)
    assert "always predicting their mean" in said(net, PATIENTS, PROGRESS)


@pytest.mark.parametrize("y", [np.zeros(150), np.full(150, 5.0), KIND % 1])
def test_targets_that_never_change_have_no_baseline(y):
    for net in (MLPRegressor(max_iter=2), MLPClassifier(max_iter=2)):
        assert "always predicting" not in said(net, IRIS, y)


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_the_constant_loss_is_that_of_the_best_one(weight):
    shares = np.bincount(KIND, weight) / np.bincount(KIND, weight).sum()
    expected = log_loss(KIND, np.tile(shares, (150, 1)), sample_weight=weight)
    found = constant_loss(fastnn.SoftmaxCrossEntropy(), DataSet(IRIS, KIND, weight))
    np.testing.assert_allclose(found, expected)
    labels = np.c_[KIND == 0, KIND == 1].astype(float)
    loss = fastnn.SigmoidCrossEntropy(reduction="sum")
    expected = sum(
        log_loss(y, np.full(150, np.average(y, weights=weight)), sample_weight=weight)
        for y in labels.T
    )
    np.testing.assert_allclose(constant_loss(loss, DataSet(IRIS, labels, weight)), expected)
    values = RANDOM.normal(size=(150, 2))
    mean = np.average(values, axis=0, weights=weight)
    expected = 0.5 * np.average(((values - mean) ** 2).mean(axis=1), weights=weight)
    half = fastnn.HalfSquaredError()
    np.testing.assert_allclose(constant_loss(half, DataSet(IRIS, values, weight)), expected)
    assert constant_loss(fastnn.Huber(), DataSet(IRIS, values)) is None
    rows = np.arange(0, 150, 3)
    part = constant_loss(half, DataSet(IRIS, values, weight, rows))
    own = None if weight is None else weight[rows]
    np.testing.assert_allclose(part, constant_loss(half, DataSet(IRIS, values[rows], own)))
