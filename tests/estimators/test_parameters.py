"""Parameters that change between fits, at their limits, and as they are shown."""

import re
import warnings

import numpy as np
import pytest
import sklearn.neural_network
from sklearn.datasets import load_diabetes, load_digits

import fastnn
from fastnn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, DIGIT = load_digits(return_X_y=True)
DIGITS, DIGIT = DIGITS[:300] / 16, DIGIT[:300]
PATIENTS, PROGRESS = load_diabetes(return_X_y=True)
PROGRESS = PROGRESS / 100


def regressors(**options):
    """scikit-learn's and ours."""
    given = {"solver": "sgd", "random_state": 0} | options
    return [module.MLPRegressor(**given) for module in (sklearn.neural_network, fastnn)]


def assert_same_weights(theirs, ours):
    for a, b in zip(
        theirs.coefs_ + theirs.intercepts_, ours.coefs_ + ours.intercepts_, strict=True
    ):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-10)


CHANGES = {
    "alpha": {"alpha": 10.0},
    "activation": {"activation": "tanh"},
    "batch size": {"batch_size": 20},
    "order": {"shuffle": False},
    "rate": {"learning_rate_init": 0.5},
    "momentum": {"momentum": 0.1, "nesterovs_momentum": False},
}
SOLVERS = {
    "sgd": {"solver": "sgd"},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    "adam": {"solver": "adam"},
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("change", CHANGES)
def test_partial_fits_follow_what_scikit_learn_follows(change, solver):
    pair = regressors(**SOLVERS[solver])
    for estimator in pair:
        estimator.partial_fit(PATIENTS, PROGRESS).set_params(**CHANGES[change])
        estimator.partial_fit(PATIENTS, PROGRESS).partial_fit(PATIENTS, PROGRESS)
    assert_same_weights(*pair)
    for estimator in pair:
        np.testing.assert_allclose(estimator.predict(PATIENTS), pair[0].predict(PATIENTS))


def test_partial_fits_follow_dropout_and_penalties():
    net = MLPClassifier(random_state=0).partial_fit(DIGITS, DIGIT, classes=range(10))
    net.set_params(dropout=0.5, l1=0.25)
    before, slots = net.coefs_[0].copy(), net.network_._model.arena.slots.copy()
    net.partial_fit(DIGITS, DIGIT)
    assert fastnn.Dropout(0.5) in net.network_.layers
    assert net.network_.l1 == 0.25
    assert not np.array_equal(net.coefs_[0], before)
    assert not np.array_equal(net.network_._model.arena.slots, slots)
    assert net.network_.state.step == 4  # two epochs of two batches


@pytest.mark.parametrize("change", [{"hidden_layer_sizes": 50}, {"batch_norm": True}])
def test_partial_fits_do_not_change_the_shapes(change):
    net = MLPRegressor(random_state=0).partial_fit(PATIENTS, PROGRESS)
    before = net.network_.parameters.copy()
    net.set_params(**change)
    with pytest.raises(ValueError, match="other names or shapes"):
        net.partial_fit(PATIENTS, PROGRESS)
    np.testing.assert_array_equal(net.network_.parameters, before)


def test_a_network_that_was_changed_stays_as_it_is():
    """Only what changed of the estimator reaches the network."""
    net = MLPRegressor(random_state=0).partial_fit(PATIENTS, PROGRESS)
    net.network_.freeze("dense_1")
    first = net.coefs_[0].copy()
    net.partial_fit(PATIENTS, PROGRESS)
    np.testing.assert_array_equal(net.coefs_[0], first)


def test_what_came_from_scikit_learn_follows_too():
    theirs, _ = regressors(momentum=0.0, shuffle=False)  # so that the optimizer keeps nothing
    ours = MLPRegressor.from_sklearn(theirs.partial_fit(PATIENTS, PROGRESS))
    back = ours.to_sklearn()
    for estimator in (theirs, ours, back):
        estimator.set_params(alpha=5.0).partial_fit(PATIENTS, PROGRESS)
    assert_same_weights(theirs, ours)
    assert_same_weights(theirs, back)
    assert len(theirs.loss_curve_) == len(ours.loss_curve_) == len(back.loss_curve_) == 2


@pytest.mark.parametrize("nesterov", [True, False])
def test_a_velocity_that_never_falls(nesterov):
    pair = regressors(momentum=1.0, nesterovs_momentum=nesterov, max_iter=4)
    for estimator in pair:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.fit(PATIENTS, PROGRESS)
    assert_same_weights(*pair)
    assert pair[1].network_.optimizer == fastnn.SGD(0.001, momentum=1.0, nesterov=nesterov)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_progress_bar(capsys, solver):
    net = MLPRegressor(max_iter=3, solver=solver, random_state=0)
    quiet = net.fit(PATIENTS, PROGRESS).coefs_[0].copy()
    assert capsys.readouterr() == ("", "")
    net.set_params(progress=True).fit(PATIENTS, PROGRESS)
    captured = capsys.readouterr()
    assert "epoch 3/3" in captured.err
    assert captured.out == ""
    np.testing.assert_array_equal(net.coefs_[0], quiet)
    net.set_params(progress=False, verbose=True).fit(PATIENTS, PROGRESS)
    assert capsys.readouterr().out.startswith("Iteration 1, loss = ")


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_how_notebooks_show_it(cls):
    net = cls(dropout=0.25, hidden_layer_sizes=(7,), max_iter=2)
    page = net._repr_html_()
    assert cls.__name__ in page
    assert "Not fitted" in page
    assert "dropout" in page
    assert "0.25" in page
    fitted = net.fit(DIGITS, DIGIT)._repr_html_()
    assert "Not fitted" not in fitted
    assert "Fitted" in fitted
    assert not re.search(r'href="https?://scikit-learn\.org', page + fitted)
    assert repr(net) == f"{cls.__name__}(dropout=0.25, hidden_layer_sizes=(7,), max_iter=2)"


WARM = {
    "to early stopping": ({}, {"early_stopping": True}),
    "from early stopping": ({"early_stopping": True}, {"early_stopping": False}),
    "from lbfgs": ({"solver": "lbfgs"}, {"solver": "adam"}),
    "from lbfgs to early stopping": (
        {"solver": "lbfgs"},
        {"solver": "sgd", "early_stopping": True},
    ),
    "to lbfgs": ({}, {"solver": "lbfgs"}),
}


@pytest.mark.parametrize("change", WARM)
def test_a_warm_start_may_change_solver_and_early_stopping(change):
    before, after = WARM[change]
    net = MLPClassifier(warm_start=True, max_iter=3, random_state=0, **before).fit(DIGITS, DIGIT)
    net.set_params(**after).fit(DIGITS, DIGIT)
    if net.early_stopping:
        assert net.best_validation_score_ == max(net.validation_scores_)
    elif net.solver != "lbfgs":
        assert net.best_loss_ == min(net.loss_curve_[-3:])


def test_a_partial_fit_may_follow_early_stopping():
    net = MLPClassifier(early_stopping=True, max_iter=3, random_state=0).fit(DIGITS, DIGIT)
    net.set_params(early_stopping=False).partial_fit(DIGITS, DIGIT)
    assert len(net.loss_curve_) == 4
    assert net.best_loss_ == net.loss_curve_[-1]
