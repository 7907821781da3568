"""Scores of classes: the logits of which probabilities are made, for calibration."""

import copy

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss, roc_auc_score

import fastnn
from fastnn import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, DIGIT = load_digits(return_X_y=True)
DIGITS = DIGITS / 16
CELLS, CANCER = load_breast_cancer(return_X_y=True)
CELLS = (CELLS - CELLS.mean(axis=0)) / CELLS.std(axis=0)


def fitted(X, y, **options):
    return MLPClassifier((16,), max_iter=20, random_state=0, **options).fit(X, y)


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def last_layer(net, X):
    """The outputs by hand, of one hidden layer of rectified units."""
    hidden = np.maximum(X @ net.coefs_[0] + net.intercepts_[0], 0)
    return hidden @ net.coefs_[1] + net.intercepts_[1]


def test_logits_of_several_classes():
    net = fitted(DIGITS, DIGIT)
    scores = net.decision_function(DIGITS)
    np.testing.assert_allclose(scores, last_layer(net, DIGITS), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(softmax(scores), net.predict_proba(DIGITS), rtol=1e-9)
    np.testing.assert_array_equal(net.classes_[scores.argmax(axis=1)], net.predict(DIGITS))


@pytest.mark.parametrize("loss", ["log_loss", "softmax_cross_entropy", "sigmoid_cross_entropy"])
def test_two_classes_have_one_score_positive_for_the_second(loss):
    net = fitted(CELLS, np.array(["a", "b"])[CANCER], loss=loss)
    scores = net.decision_function(CELLS)
    assert scores.shape == CANCER.shape
    np.testing.assert_allclose(
        1 / (1 + np.exp(-scores)), net.predict_proba(CELLS)[:, 1], rtol=1e-9, atol=1e-300
    )
    np.testing.assert_array_equal(net.classes_[(scores > 0).astype(int)], net.predict(CELLS))
    assert roc_auc_score(CANCER, scores) > 0.95


def test_logits_of_labels():
    y = np.c_[DIGIT % 2, DIGIT > 4, DIGIT == 3].astype(int)
    net = fitted(DIGITS, y)
    scores = net.decision_function(DIGITS)
    np.testing.assert_allclose(1 / (1 + np.exp(-scores)), net.predict_proba(DIGITS), rtol=1e-9)


def test_scores_keep_what_probabilities_lose():
    net = fitted(CELLS, CANCER)
    net.coefs_[1] = 1000 * net.coefs_[1]
    scores, probabilities = net.decision_function(CELLS), net.predict_proba(CELLS)[:, 1]
    assert len(np.unique(scores)) > 2 * len(np.unique(probabilities))


def test_one_class_has_scores_too():
    net = MLPClassifier(max_iter=2).fit(DIGITS[:5], np.ones(5))
    assert net.decision_function(DIGITS).shape == DIGIT.shape


def test_scores_need_a_fit_and_the_columns_of_the_fit():
    with pytest.raises(NotFittedError):
        MLPClassifier().decision_function(DIGITS)
    with pytest.raises(ValueError, match="3 features"):
        fitted(DIGITS, DIGIT).decision_function(DIGITS[:, :3])


@pytest.mark.parametrize("method", ["sigmoid", "temperature"])
@pytest.mark.parametrize(("X", "y"), [(DIGITS, DIGIT), (CELLS, CANCER)], ids=["ten", "two"])
def test_calibration_sees_the_logits(X, y, method):
    """A network made a hundred times too sure is calibrated to the same probabilities."""
    half = len(y) // 2
    net = MLPClassifier((16,), max_iter=30, random_state=0).fit(X[:half], y[:half])
    sure = copy.deepcopy(net)
    sure.coefs_[-1], sure.intercepts_[-1] = 100 * net.coefs_[-1], 100 * net.intercepts_[-1]

    def calibrated(fitted):
        calibration = CalibratedClassifierCV(FrozenEstimator(fitted), method=method)
        return calibration.fit(X[half:], y[half:]).predict_proba(X[half:])

    try:
        expected = calibrated(net)
    except ValueError:  # scikit-learn has temperatures from 1.8 on
        pytest.skip(f"no {method}")
    np.testing.assert_allclose(calibrated(sure), expected, atol=0.02)
    assert log_loss(y[half:], expected) < 0.5 * log_loss(y[half:], sure.predict_proba(X[half:]))


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_back_ends_agree(backend):
    net = fitted(DIGITS, DIGIT)
    expected = last_layer(net, DIGITS)
    with fastnn.kernels.use(backend):
        np.testing.assert_allclose(net.decision_function(DIGITS), expected, rtol=1e-9, atol=1e-12)
