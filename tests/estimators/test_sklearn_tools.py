"""Estimators among scikit-learn's tools: pipelines, searches, weights that are routed, copies."""

import pickle

import joblib
import numpy as np
import pytest
import sklearn
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    cross_validate,
    learning_curve,
)
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import fastnn
from fastnn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, DIGIT = load_digits(return_X_y=True)
DIGITS, DIGIT = DIGITS[:300] / 16, DIGIT[:300]
PATIENTS, PROGRESS = load_diabetes(return_X_y=True)
WEIGHT = np.random.default_rng(0).uniform(0.1, 3, 300)


def classifier(**options):
    return MLPClassifier(**{"max_iter": 3, "random_state": 0} | options)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_a_table_goes_through_transformers_to_the_estimator():
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    town = rng.choice(["Bern", "Rome"], 200)
    table = pandas.DataFrame({"town": town, "size": rng.normal(100, 20, 200)})
    price = table["size"] * np.where(town == "Bern", 2, 1) / 100
    columns = ColumnTransformer(
        [("town", OneHotEncoder(sparse_output=False), ["town"]), ("s", StandardScaler(), ["size"])]
    )
    model = make_pipeline(columns, MLPRegressor(solver="lbfgs", random_state=0))
    model.set_output(transform="pandas").fit(table, price)
    assert model.score(table, price) > 0.99
    assert list(model[-1].feature_names_in_) == ["town__town_Bern", "town__town_Rome", "s__size"]
    with pytest.warns(UserWarning, match="feature names"):
        model[-1].predict(columns.transform(table).to_numpy())


def test_clones_have_the_parameters_and_nothing_else():
    net = classifier(dropout=0.3, solver=fastnn.RMSProp(0.01), class_weight={0: 2.0}).fit(
        DIGITS, DIGIT
    )
    copied = clone(net)
    assert copied.get_params() == net.get_params()
    assert vars(copied).keys() == net.get_params().keys()
    np.testing.assert_array_equal(copied.fit(DIGITS, DIGIT).coefs_[0], net.coefs_[0])


@pytest.mark.parametrize("options", [{}, {"dropout": 0.2, "batch_norm": True}, {"solver": "lbfgs"}])
def test_copies_predict_the_same_bits_and_go_on_alike(options, tmp_path):
    net = classifier(**options).fit(DIGITS, DIGIT)
    joblib.dump(net, tmp_path / "net.joblib")
    copies = pickle.loads(pickle.dumps(net)), joblib.load(tmp_path / "net.joblib")
    expected = net.predict_proba(DIGITS)
    for copied in copies:
        np.testing.assert_array_equal(copied.predict_proba(DIGITS), expected)
    if options.get("solver") != "lbfgs":
        going_on = [model.partial_fit(DIGITS, DIGIT).coefs_[0] for model in (net, *copies)]
        np.testing.assert_array_equal(going_on[0], going_on[1])
        np.testing.assert_array_equal(going_on[0], going_on[2])


def test_a_file_of_another_version_is_loaded_with_a_warning(tmp_path, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr("fastnn.estimators.state.__version__", "0.0.1")
        joblib.dump(classifier().fit(DIGITS, DIGIT), tmp_path / "net.joblib")
    with pytest.warns(UserWarning, match=r"pickled by fastnn 0\.0\.1"):
        net = joblib.load(tmp_path / "net.joblib")
    assert net.predict(DIGITS).shape == DIGIT.shape


SEARCHES = {
    "grid": lambda model, **k: GridSearchCV(
        model, {"net__alpha": [1e-4, 1.0], "net__dropout": [0.0, 0.3]}, cv=2, **k
    ),
    "random": lambda model, **k: RandomizedSearchCV(
        model, {"net__alpha": loguniform(1e-4, 1)}, n_iter=3, cv=2, random_state=0, **k
    ),
    "halving": lambda model, **k: HalvingRandomSearchCV(
        model,
        {"net__alpha": loguniform(1e-4, 1)},
        resource="net__max_iter",
        max_resources=4,
        n_candidates=4,
        cv=2,
        random_state=0,
        **k,
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_searches_find_the_same_bits_with_processes_and_threads(name):
    model = Pipeline([("scale", StandardScaler()), ("net", classifier())])
    serial = SEARCHES[name](model, n_jobs=1).fit(DIGITS, DIGIT)
    for backend in ("loky", "threading"):
        with joblib.parallel_backend(backend):
            search = SEARCHES[name](model, n_jobs=2).fit(DIGITS, DIGIT)
        for key in ("mean_test_score", "split0_test_score"):
            np.testing.assert_array_equal(search.cv_results_[key], serial.cv_results_[key])
        assert search.best_params_ == serial.best_params_
        weights = (found.best_estimator_["net"].coefs_ for found in (search, serial))
        for found, expected in zip(*weights, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_scores_of_folds():
    net = classifier(max_iter=30, learning_rate_init=0.01)
    scores = cross_validate(net, DIGITS, DIGIT, cv=3, scoring=("accuracy", "roc_auc_ovr"))
    assert scores["test_accuracy"].min() > 0.8
    assert scores["test_roc_auc_ovr"].min() > 0.95
    sizes, train, test = learning_curve(classifier(), DIGITS, DIGIT, cv=2, train_sizes=[0.5, 1.0])
    assert train.shape == test.shape == (len(sizes), 2)


def test_models_made_of_models():
    net = classifier(max_iter=20, learning_rate_init=0.01)
    calibrated = CalibratedClassifierCV(net, cv=2).fit(DIGITS, DIGIT, sample_weight=WEIGHT)
    np.testing.assert_allclose(calibrated.predict_proba(DIGITS).sum(axis=1), 1)
    bags = BaggingClassifier(net, 2, random_state=0).fit(DIGITS, DIGIT)
    stack = StackingClassifier([("net", net)], LogisticRegression(), cv=2).fit(DIGITS, DIGIT)
    for model in (calibrated, bags, stack):
        assert model.score(DIGITS, DIGIT) > 0.8
    several = MultiOutputClassifier(net).fit(DIGITS, np.c_[DIGIT, DIGIT % 3])
    assert several.predict(DIGITS).shape == (300, 2)
    scaled = TransformedTargetRegressor(
        MLPRegressor(solver="lbfgs", random_state=0), transformer=StandardScaler()
    ).fit(PATIENTS, PROGRESS)
    assert scaled.score(PATIENTS, PROGRESS) > 0.5


def test_importances_are_those_of_the_features():
    X = np.random.default_rng(0).normal(size=(200, 3))
    net = MLPRegressor(solver="lbfgs", random_state=0).fit(X, X[:, 1])
    found = permutation_importance(net, X, X[:, 1], n_repeats=2, random_state=0)
    assert found.importances_mean.argmax() == 1


def test_weights_find_their_way(routing):
    net = classifier().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    direct = clone(net).fit(DIGITS, DIGIT, WEIGHT)
    piped = make_pipeline("passthrough", net).fit(DIGITS, DIGIT, sample_weight=WEIGHT)
    np.testing.assert_array_equal(piped[-1].coefs_[0], direct.coefs_[0])
    search = GridSearchCV(net, {"alpha": [1e-4, 1.0]}, cv=2)
    weighted = search.fit(DIGITS, DIGIT, sample_weight=WEIGHT).cv_results_["mean_test_score"]
    equal = search.fit(DIGITS, DIGIT, sample_weight=np.ones(300)).cv_results_["mean_test_score"]
    assert not np.array_equal(weighted, equal)
    indifferent = make_pipeline("passthrough", classifier().set_fit_request(sample_weight=False))
    with pytest.raises(TypeError, match="sample_weight"):
        indifferent.fit(DIGITS, DIGIT, sample_weight=WEIGHT)


def test_validation_data_go_through_the_steps_before(routing):
    net = classifier().set_fit_request(X_val=True, y_val=True)
    held_out = {"X_val": DIGITS[200:], "y_val": DIGIT[200:]}
    pipeline = Pipeline([("scale", StandardScaler()), ("net", net)], transform_input=["X_val"])
    pipeline.fit(DIGITS[:200], DIGIT[:200], **held_out)
    scale = StandardScaler().fit(DIGITS[:200])
    direct = clone(net).fit(
        scale.transform(DIGITS[:200]), DIGIT[:200],
        X_val=scale.transform(DIGITS[200:]), y_val=DIGIT[200:],
    )  # fmt: skip
    assert pipeline[-1].validation_loss_curve_ == direct.validation_loss_curve_
    search = GridSearchCV(net, {"alpha": [1e-4, 1.0]}, cv=2).fit(
        DIGITS[:200], DIGIT[:200], **held_out
    )
    assert len(search.best_estimator_.validation_loss_curve_) == 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_of_all_kinds_give_the_same_predictions(dtype):
    """A plain array of floats takes a shorter way through the checks than the others."""
    X = DIGITS.astype(dtype)
    model = classifier().fit(X, DIGIT)
    expected = model.predict_proba(X)
    for other in (X.tolist(), np.asfortranarray(X), X.astype(object), np.ma.array(X).data):
        np.testing.assert_allclose(model.predict_proba(other), expected, rtol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_in_one_row(value):
    model = classifier().fit(DIGITS, DIGIT)
    row = DIGITS[:1].copy()
    row[0, 3] = value
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        model.predict(row)
    with pytest.raises(ValueError, match="expecting 64 features"):
        model.predict(DIGITS[:1, 1:])
    row[0, 3:] = 1e308  # finite, though their sum is not
    assert model.predict(row).shape == (1,)
