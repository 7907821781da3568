"""Losses of the classifier."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, make_multilabel_classification

import fastnn
from fastnn import MLPClassifier, SigmoidCrossEntropy, SoftmaxCrossEntropy

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, DIGIT = load_digits(return_X_y=True)
DIGITS, DIGIT = DIGITS[:400] / 16, DIGIT[:400]
DOCUMENTS, LABELS = make_multilabel_classification(200, random_state=0)


def fitted(loss, X=DIGITS, y=DIGIT, **options):
    return MLPClassifier(**{"max_iter": 30, "random_state": 0, "loss": loss} | options).fit(X, y)


def hinge(output, target):
    """Return the loss of yes/no targets."""
    total = 0.0
    for i in range(output.size):
        total += max(0.0, 1.0 - (2.0 * target[i] - 1.0) * output[i])
    return total / output.size


def hinge_gradient(output, target, out):
    for i in range(output.size):
        sign = 2.0 * target[i] - 1.0
        out[i] = -sign / output.size if sign * output[i] < 1.0 else 0.0


@pytest.fixture(scope="module")
def margin():
    return fastnn.loss(hinge, hinge_gradient, task="binary")


@pytest.fixture(scope="module")
def margins():
    return fastnn.loss(hinge, hinge_gradient, task="multiclass", name="margins")


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", SoftmaxCrossEntropy()])
def test_the_default_is_the_cross_entropy_that_fits(loss):
    np.testing.assert_array_equal(fitted(loss).coefs_[0], fitted("log_loss").coefs_[0])
    binary = SigmoidCrossEntropy(reduction="sum")
    two = fitted(binary, y=DIGIT > 4), fitted("log_loss", y=DIGIT > 4)
    np.testing.assert_array_equal(*(net.coefs_[0] for net in two))


def test_smoothed_labels_make_modest_predictions():
    sharp, smooth = (fitted(SoftmaxCrossEntropy(s), alpha=0, max_iter=200) for s in (0.0, 0.3))
    probability = smooth.predict_proba(DIGITS)[np.arange(400), DIGIT]
    assert np.median(probability) == pytest.approx(0.7 + 0.03, abs=0.05)
    assert np.median(sharp.predict_proba(DIGITS).max(axis=1)) > 0.9
    assert smooth.score(DIGITS, DIGIT) > 0.95


def test_a_softmax_of_two_classes():
    net = fitted("softmax_cross_entropy", y=np.where(DIGIT > 4, "high", "low"))
    assert net.predict_proba(DIGITS).shape == (400, 2)
    assert (net.n_outputs_, net.out_activation_) == (2, "softmax")
    assert net.score(DIGITS, np.where(DIGIT > 4, "high", "low")) > 0.9
    np.testing.assert_allclose(net.predictor()(DIGITS[0]), net.predict_proba(DIGITS[:1])[0])


def test_scores_of_two_classes(margin):
    y = np.where(DIGIT > 4, "high", "low")
    net = fitted(margin, y=y, early_stopping=True)
    scores = net.decision_function(DIGITS)
    np.testing.assert_array_equal(net.predict(DIGITS), np.where(scores > 0, "low", "high"))
    assert net.score(DIGITS, y) > 0.85
    np.testing.assert_allclose(net.predictor()(DIGITS[0]), scores[:1])
    with pytest.raises(AttributeError, match="predict_proba"):
        net.predict_proba(DIGITS)
    assert not hasattr(net, "predict_log_proba")
    calibrated = CalibratedClassifierCV(net, cv=2).fit(DIGITS, y)
    assert calibrated.predict_proba(DIGITS).shape == (400, 2)


def test_scores_of_several_classes(margins):
    options = {"early_stopping": True, "learning_rate_init": 0.01}
    net = fitted(margins, **options)
    scores = net.decision_function(DIGITS)
    np.testing.assert_array_equal(net.predict(DIGITS), scores.argmax(axis=1))
    assert net.score(DIGITS, DIGIT) > 0.9
    assert net.best_validation_score_ > 0.8
    assert hasattr(fitted("log_loss"), "decision_function")


def test_scores_of_labels(margin):
    net = fitted(margin, DOCUMENTS, LABELS)
    scores = net.decision_function(DOCUMENTS)
    np.testing.assert_array_equal(net.predict(DOCUMENTS), scores > 0)


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        (fastnn.Huber(), DIGIT, "for numbers"),
        ("softmax_cross_entropy", LABELS, "several labels"),
        ("sigmoid_cross_entropy", DIGIT, "two classes or several labels"),
        ("huber", DIGIT, "'loss' parameter"),
    ],
)
def test_losses_for_other_targets_are_refused(loss, y, message):
    with pytest.raises(ValueError, match=message):
        fitted(loss, DIGITS if y is DIGIT else DOCUMENTS, y)


def test_a_regressor_refuses_losses_of_classes():
    with pytest.raises(ValueError, match="for classes"):
        fastnn.MLPRegressor(loss=SoftmaxCrossEntropy()).fit(DIGITS, DIGIT)
