"""Columns that are no plain numbers: categories that are embedded, missing values filled in."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OrdinalEncoder

from fastnn import MLPClassifier, MLPRegressor, TabularInput, UnknownCategoryWarning

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
ROWS = 300
FRAME = pd.DataFrame(
    {
        "size": RNG.normal(size=ROWS),
        "colour": pd.Categorical(RNG.choice(["red", "green", "blue"], ROWS)),
        "weight": RNG.normal(size=ROWS),
        "grade": pd.Categorical(RNG.integers(5, 9, ROWS)),
    }
)
WORTH = {"red": 2.0, "green": 0.0, "blue": -1.0}
PRICE = (FRAME["size"] + FRAME["colour"].map(WORTH).astype(float)).to_numpy()
CATEGORICAL = np.array([False, True, False, True])

PATIENTS, PROGRESS = load_diabetes(return_X_y=True)
PROGRESS = PROGRESS / 100
HOLES = np.where(RNG.uniform(size=PATIENTS.shape) < 0.1, np.nan, PATIENTS)


def regressor(X=FRAME, y=PRICE, **options):
    given = {"categorical_features": "from_dtype", "max_iter": 5, "random_state": 0} | options
    return MLPRegressor(**given).fit(X, y)


# --- categories -----------------------------------------------------------------------------------


def by_hand(net, colour, grade, numbers):
    """The forward pass in NumPy, for codes (n,) and numbers (n, 2)."""
    colours, grades, w1, b1, w2, b2 = net.network_.get_weights()
    x = np.hstack([colours[colour], grades[grade], numbers])
    return (np.maximum(x @ w1 + b1, 0) @ w2 + b2)[:, 0]


def test_categories_are_looked_up_and_numbers_stay():
    net = regressor()
    assert isinstance(net.network_.layers[0], TabularInput)
    np.testing.assert_array_equal(net.is_categorical_, CATEGORICAL)
    assert net.coefs_[0].shape == (2 + 3 + 2, 100)  # vectors of half of 4, and of 5, categories
    codes = OrdinalEncoder().fit_transform(FRAME[["colour", "grade"]]).astype(int)
    expected = by_hand(net, *codes.T, FRAME[["size", "weight"]].to_numpy())
    np.testing.assert_allclose(net.predict(FRAME), expected, rtol=1e-12)


def test_categories_are_learned():
    options = {"max_iter": 200, "learning_rate_init": 0.01}
    assert regressor(**options).score(FRAME, PRICE) > 0.99
    numbers = FRAME[["size", "weight"]]
    assert regressor(numbers, PRICE, **options).score(numbers, PRICE) < 0.6


def test_unknown_and_missing_categories_share_a_vector():
    net = regressor()
    other = FRAME.copy()
    other["colour"] = other["colour"].cat.add_categories(["mauve"])
    other.loc[0, "colour"], other.loc[1, "colour"] = "mauve", None
    codes = np.array([3, 3]), OrdinalEncoder().fit_transform(FRAME[["grade"]])[:2, 0].astype(int)
    expected = by_hand(net, *codes, FRAME[["size", "weight"]].to_numpy()[:2])
    with pytest.warns(UnknownCategoryWarning, match="1 of 300 rows .*'mauve'"):
        np.testing.assert_allclose(net.predict(other)[:2], expected, rtol=1e-12)
    tables = net.network_.get_weights()[:2]
    assert not any(table[-1].any() for table in tables)  # nothing was missing in the fit
    holes = FRAME.copy()
    holes.loc[::5, "colour"] = None
    assert regressor(holes).network_.get_weights()[0][-1].any()
    assert np.isfinite(regressor(holes).predict(holes)).all()


@pytest.mark.parametrize("chosen", [[1, 3], ["colour", "grade"], CATEGORICAL, "from_dtype"])
def test_ways_to_name_the_columns(chosen):
    net = regressor(categorical_features=chosen)
    np.testing.assert_array_equal(net.predict(FRAME), regressor().predict(FRAME))


@pytest.mark.parametrize(
    "chosen", [[4], [-1], ["weight", "none"], [True, False], [0.5], ["grade"], [], None, [1, 3]]
)
def test_columns_are_those_of_histogram_gradient_boosting(chosen):
    X = FRAME.assign(colour=FRAME["colour"].cat.codes, grade=FRAME["grade"].cat.codes)
    theirs = HistGradientBoostingRegressor(categorical_features=chosen, max_iter=1)
    try:
        expected = theirs.fit(X, PRICE).is_categorical_
    except ValueError:
        with pytest.raises(ValueError, match="categorical_features"):
            regressor(X, categorical_features=chosen)
    else:
        np.testing.assert_array_equal(
            regressor(X, categorical_features=chosen).is_categorical_, expected
        )


def test_names_need_a_frame_and_arrays_have_no_categories_of_their_own():
    with pytest.raises(ValueError, match="X has no names"):
        regressor(PATIENTS, PROGRESS, categorical_features=["sex"])
    assert regressor(PATIENTS, PROGRESS).is_categorical_ is None
    plain = regressor(PATIENTS, PROGRESS, categorical_features=None)
    np.testing.assert_array_equal(
        plain.predict(PATIENTS), regressor(PATIENTS, PROGRESS).predict(PATIENTS)
    )


def test_strings_of_an_object_array():
    X = FRAME.to_numpy(object)
    net = regressor(X, categorical_features=[1, 3])
    np.testing.assert_allclose(net.predict(X), regressor().predict(FRAME), rtol=1e-12)


def test_only_categories():
    X = FRAME[["colour", "grade"]]
    net = regressor(X, PRICE, imputer="mean", max_iter=100, learning_rate_init=0.01)
    assert net.score(X, PRICE) > 0.4
    assert net.predictor()(["red", 6]) == pytest.approx(
        net.predict(pd.DataFrame({"colour": ["red"], "grade": [6]}))
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_settle_the_dtype(dtype):
    X = FRAME.astype({"size": dtype, "weight": dtype})
    assert regressor(X).network_.dtype == dtype
    assert regressor(X, embedding_dim=7).coefs_[0].shape == (7 + 7 + 2, 100)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_columns_live_as_long_as_the_estimator(solver):
    net = regressor(solver=solver, imputer="median")
    X = FRAME.copy()
    X.loc[0, "size"] = np.nan
    expected = net.predict(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net)).predict(X), expected)
    np.testing.assert_array_equal(clone(net).fit(FRAME, PRICE).predict(X), expected)
    assert list(net.feature_names_in_) == list(FRAME)
    with pytest.raises(ValueError, match="feature names"):
        net.predict(X[["colour", "size", "weight", "grade"]])
    with pytest.raises(ValueError, match="embeddings"):
        net.to_sklearn()


def test_embeddings_are_drawn_from_the_random_state():
    tables = [regressor(random_state=seed).network_.get_weights()[0] for seed in (1, 1, 2)]
    np.testing.assert_array_equal(tables[0], tables[1])
    assert not np.array_equal(tables[0], tables[2])


def test_the_first_of_several_fits_settles_the_categories():
    few, all_labels = FRAME["colour"] != "blue", np.unique(PRICE > 0)
    net = MLPClassifier(categorical_features="from_dtype", random_state=0)
    net.partial_fit(FRAME[few], PRICE[few] > 0, classes=all_labels)
    tables = [w.shape for w in net.network_.get_weights()[:2]]
    with pytest.warns(UnknownCategoryWarning, match="column 'colour' of X: .* such as 'blue'"):
        net.partial_fit(FRAME, PRICE > 0)
    assert [w.shape for w in net.network_.get_weights()[:2]] == tables == [(3, 2), (5, 3)]
    assert net.network_.get_weights()[0][-1].any()

    warm = regressor(warm_start=True)
    warm.fit(FRAME[few], PRICE[few])
    assert warm.network_.get_weights()[0].shape == (4, 2)


# --- missing values -------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
def test_imputation_is_scikit_learns(strategy):
    filled = SimpleImputer(strategy=strategy, keep_empty_features=True).fit_transform(HOLES)
    plain = regressor(filled, PROGRESS)
    net = regressor(HOLES, PROGRESS, imputer=strategy)
    np.testing.assert_array_equal(net.coefs_[0], plain.coefs_[0])
    np.testing.assert_array_equal(net.predict(HOLES), plain.predict(filled))
    assert net.n_features_in_ == PATIENTS.shape[1]


def test_an_imputer_with_settings_of_its_own():
    imputer = SimpleImputer(strategy="median", add_indicator=True)
    filled = imputer.fit_transform(HOLES)
    net = regressor(HOLES, PROGRESS, imputer=SimpleImputer(strategy="median", add_indicator=True))
    np.testing.assert_array_equal(net.predict(HOLES), regressor(filled, PROGRESS).predict(filled))
    assert net.coefs_[0].shape[0] == filled.shape[1] == 20
    predictor = net.predictor()
    np.testing.assert_allclose([predictor(row)[0] for row in HOLES[:5]], net.predict(HOLES)[:5])


def test_validation_rows_may_have_holes_too():
    X, y = HOLES[:300], PROGRESS[:300]
    net = MLPRegressor(imputer="mean", max_iter=3, random_state=0, alpha=0)
    net.fit(X, y, X_val=HOLES[300:], y_val=PROGRESS[300:])
    error = net.predict(HOLES[300:]) - PROGRESS[300:]
    assert net.validation_loss_curve_[-1] == pytest.approx((error**2).mean() / 2)


def test_missing_numbers_are_refused_unless_asked_for():
    with pytest.raises(ValueError, match="Input X contains NaN"):
        regressor(HOLES, PROGRESS)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        regressor(FRAME.assign(size=np.nan))
    net = regressor(imputer="mean")
    with pytest.raises(ValueError, match="infinity"):
        net.predict(FRAME.assign(size=np.inf))
    assert not MLPRegressor().__sklearn_tags__().input_tags.allow_nan
    assert MLPRegressor(imputer="mean").__sklearn_tags__().input_tags.allow_nan
    odd = MLPRegressor(imputer=SimpleImputer(missing_values=-1))
    assert not odd.__sklearn_tags__().input_tags.allow_nan
    with pytest.raises(ValueError, match="contains NaN"):
        regressor(HOLES, PROGRESS, imputer=odd.imputer)


def test_holes_and_categories_together():
    X = FRAME.copy()
    X.loc[::7, "size"] = np.nan
    X.loc[::11, "colour"] = None
    encoder = OrdinalEncoder(encoded_missing_value=3)
    pipeline = ColumnTransformer(
        [("c", encoder, ["colour", "grade"]), ("n", SimpleImputer(), ["size", "weight"])]
    )
    numbers = pipeline.fit_transform(X)
    net = regressor(X, imputer="mean")
    expected = by_hand(net, numbers[:, 0].astype(int), numbers[:, 1].astype(int), numbers[:, 2:])
    np.testing.assert_allclose(net.predict(X), expected, rtol=1e-12)
    predictor = net.predictor()
    rows = X.astype(object).to_numpy()
    np.testing.assert_allclose([predictor(row)[0] for row in rows], expected, rtol=1e-12)


def test_settings_are_checked():
    for wrong in ({"imputer": "knn"}, {"categorical_features": "all"}, {"embedding_dim": 0}):
        with warnings.catch_warnings(), pytest.raises(ValueError, match=next(iter(wrong))):
            regressor(**wrong)
