"""The numbers of the two of scikit-learn's tests that drive private methods."""

import warnings

import numpy as np
import pytest

from fastnn import MLPClassifier, gradient_check


def test_one_step_from_given_weights():
    """By hand: a step of size 0.1 from weights of a 3-2-1 network with logistic units."""
    X, y = np.array([[0.6, 0.8, 0.7]]), np.array([0])
    net = MLPClassifier(
        solver="sgd", learning_rate_init=0.1, alpha=0.1, activation="logistic", max_iter=1,
        hidden_layer_sizes=2, momentum=0, random_state=1,
    ).partial_fit(X, y, classes=[0, 1])  # fmt: skip
    weights = [
        np.array([[0.1, 0.2], [0.3, 0.1], [0.5, 0.0]]),
        np.array([0.1, 0.1]),
        np.array([[0.1], [0.2]]),
        np.array([1.0]),
    ]
    net.network_.set_weights(weights)
    net.partial_fit(X, y)

    w1, b1, w2, b2 = weights
    hidden = 1 / (1 + np.exp(-(X @ w1 + b1)))
    error = 1 / (1 + np.exp(-(hidden @ w2 + b2)))
    below = error @ w2.T * hidden * (1 - hidden)
    expected = [
        w1 - 0.1 * (X.T @ below + 0.1 * w1),
        b1 - 0.1 * below[0],
        w2 - 0.1 * (hidden.T @ error + 0.1 * w2),
        b2 - 0.1 * error[0],
    ]
    for ours, theirs in zip(net.network_.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs)
    np.testing.assert_allclose(net.coefs_[1], [[0.04706], [0.154089]], atol=5e-4)
    assert net.predict_proba(X)[0, 1] == pytest.approx(0.739, abs=5e-4)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("classes", [2, 3])
def test_gradients_agree_with_differences(classes, activation):
    X = np.random.RandomState(42).rand(5, 10)
    y = 1 + np.arange(1, 6) % classes
    net = MLPClassifier(
        activation=activation, hidden_layer_sizes=10, solver="lbfgs", alpha=1e-5, max_iter=1,
        random_state=1,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.fit(X, y)
    target = y - 1 if classes == 3 else (y - 1).reshape(-1, 1)
    assert gradient_check(net.network_, X, target).max_relative_error < 1e-7
