"""The same random state gives the weights that scikit-learn gives, up to rounding."""

import inspect
import warnings

import numpy as np
import pytest
import sklearn.neural_network
from sklearn.datasets import load_diabetes, load_digits, make_multilabel_classification

import fastnn

DIGITS, DIGIT = load_digits(return_X_y=True)
DIGITS, DIGIT = DIGITS[:600] / 16, DIGIT[:600]
PATIENTS, PROGRESS = load_diabetes(return_X_y=True)
PROGRESS = PROGRESS / 100
SEVERAL = np.c_[PROGRESS, -PROGRESS, np.square(PROGRESS)]
DOCUMENTS, LABELS = make_multilabel_classification(200, random_state=0)
WEIGHT = np.random.default_rng(0).uniform(0.1, 3, 600)

PROBLEMS = {
    "multiclass": ("MLPClassifier", DIGITS, DIGIT, {}, {}),
    "weighted": ("MLPClassifier", DIGITS, DIGIT, {}, {"sample_weight": WEIGHT}),
    "binary": ("MLPClassifier", DIGITS, DIGIT > 4, {"batch_size": 64}, {}),
    "strings": ("MLPClassifier", DIGITS, np.where(DIGIT > 4, "high", "low"), {}, {}),
    "multilabel": ("MLPClassifier", DOCUMENTS, LABELS, {"alpha": 1.0}, {}),
    "two layers": ("MLPClassifier", DIGITS, DIGIT, {"hidden_layer_sizes": (20, 10)}, {}),
    "in order": ("MLPClassifier", DIGITS, DIGIT, {"shuffle": False}, {}),
    "stopping early": ("MLPClassifier", DIGITS, DIGIT, {"early_stopping": True}, {}),
    "stratified": ("MLPClassifier", DIGITS, DIGIT > 7, {"early_stopping": True}, {}),
    "regression": ("MLPRegressor", PATIENTS, PROGRESS, {}, {}),
    "held out": ("MLPRegressor", PATIENTS, PROGRESS, {"early_stopping": True}, {}),
    "several outputs": ("MLPRegressor", PATIENTS, SEVERAL, {"alpha": 0.1}, {}),
    "counts": ("MLPRegressor", PATIENTS, np.floor(PROGRESS * 3), {"loss": "poisson"}, {}),
}


#: scikit-learn's MLPs took weights, and losses other than the squared error, in version 1.7.
BEFORE_WEIGHTS = "loss" not in sklearn.neural_network.MLPRegressor().get_params()


def fitted(name, X, y, options, arguments, **more):
    """scikit-learn's and ours."""
    if BEFORE_WEIGHTS and (arguments or "loss" in options):
        pytest.skip("scikit-learn is too old to compare with")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            getattr(module, name)(**({"random_state": 5} | options | more)).fit(X, y, **arguments)
            for module in (sklearn.neural_network, fastnn)
        ]


def assert_alike(theirs, ours, tolerance=1e-9):
    weights = (estimator.coefs_ + estimator.intercepts_ for estimator in (theirs, ours))
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=tolerance)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-7)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_"):
        if getattr(theirs, name, None) is not None:
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-7)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_epochs(problem, solver):
    theirs, ours = fitted(*PROBLEMS[problem], solver=solver, max_iter=5)
    assert_alike(theirs, ours)
    _, X, y, _, _ = PROBLEMS[problem]
    np.testing.assert_allclose(ours.score(X, y), theirs.score(X, y))
    predictions = ours.predict(X), theirs.predict(X)
    if predictions[0].dtype.kind == "f":
        np.testing.assert_allclose(*predictions)
    else:
        np.testing.assert_array_equal(*predictions)


@pytest.mark.parametrize("problem", ["multiclass", "multilabel", "several outputs", "counts"])
def test_iterations_of_lbfgs(problem):
    theirs, ours = fitted(*PROBLEMS[problem], solver="lbfgs", max_iter=8)
    assert_alike(theirs, ours, tolerance=1e-6)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_activations(activation):
    assert_alike(*fitted(*PROBLEMS["multiclass"], activation=activation, max_iter=3))


SCHEDULES = {
    "invscaling": {"learning_rate": "invscaling", "power_t": 0.1, "max_iter": 5},
    "adaptive": {"learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 2, "max_iter": 40},
    "no momentum": {"momentum": 0.0, "max_iter": 5},
    "heavy ball": {"nesterovs_momentum": False, "max_iter": 5},
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_learning_rates(schedule):
    options = {"solver": "sgd", "learning_rate_init": 0.1} | SCHEDULES[schedule]
    assert_alike(*fitted(*PROBLEMS["multiclass"], **options))


def test_a_fit_until_it_no_longer_improves():
    theirs, ours = fitted(*PROBLEMS["regression"], max_iter=1000, tol=1e-3)
    assert theirs.n_iter_ < 1000
    assert_alike(theirs, ours)


def test_a_random_state_moves_on_as_far():
    states = [np.random.RandomState(3) for _ in range(2)]
    classes = sklearn.neural_network.MLPClassifier, fastnn.MLPClassifier
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(2):
            pair = [
                cls(max_iter=2, batch_size=600, random_state=state).fit(DIGITS, DIGIT)
                for cls, state in zip(classes, states, strict=True)
            ]
            assert_alike(*pair)


def test_warm_starts_and_partial_fits_go_on_alike():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pair = [
            module.MLPClassifier(solver="sgd", max_iter=2, warm_start=True, random_state=0)
            for module in (sklearn.neural_network, fastnn)
        ]
        for estimator in pair:
            estimator.fit(DIGITS, DIGIT).fit(DIGITS, DIGIT).partial_fit(DIGITS, DIGIT)
            estimator.partial_fit(DIGITS[::-1], DIGIT[::-1])
    assert_alike(*pair)


@pytest.mark.skipif(BEFORE_WEIGHTS, reason="scikit-learn is too old to compare with")
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_arguments_begin_with_those_of_scikit_learn(name):
    theirs, ours = (
        list(inspect.signature(getattr(module, name)).parameters.values())
        for module in (sklearn.neural_network, fastnn)
    )
    for a, b in zip(theirs, ours, strict=False):
        assert (a.name, a.default, a.kind) == (b.name, b.default, b.kind)
    assert len(ours) >= len(theirs)


def test_a_generator_is_drawn_from():
    fits = [
        fastnn.MLPClassifier(max_iter=2, tol=1, random_state=np.random.default_rng(seed))
        for seed in (0, 0, 1)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        a, b, c = (fit.fit(DIGITS, DIGIT).coefs_[0] for fit in fits)
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)
