"""The verdict on errors, planted and made up, and what is advised."""

import math

import numpy as np
import planted
import pytest
from sklearn.metrics import hamming_loss, root_mean_squared_error, zero_one_loss

import fastnn
from fastnn import Activation, BatchNorm, Dense, Dropout, Network
from fastnn.diagnostics.bias_variance import BiasVariance, ErrorRate


def judged(training, validation, human=None, rows=10_000, baseline=0.9):
    """A verdict on shares of wrong answers among so many rows."""
    rates = (
        ErrorRate(error, math.sqrt(error * (1 - error) / rows), baseline)
        for error in (training, validation)
    )
    return BiasVariance(*rates, human, classification=True)


@pytest.mark.parametrize(
    ("training", "validation", "human", "verdict", "dominant"),
    [
        # The examples of the course, for an optimal error near 0.
        (0.01, 0.11, None, "high variance", "variance"),
        (0.15, 0.16, None, "high bias", "bias"),
        (0.15, 0.30, None, "high bias and high variance", "bias"),
        (0.005, 0.01, None, "low bias, low variance", None),
        # The same errors call for different work where people err more.
        (0.08, 0.0999, 0.01, "high bias", "bias"),
        (0.08, 0.1001, 0.075, "high variance", "variance"),
        (0.05, 0.30, None, "high bias and high variance", "variance"),
    ],
)
def test_verdicts(training, validation, human, verdict, dominant):
    found = judged(training, validation, human, rows=100_000)
    assert (found.verdict, found.dominant) == (verdict, dominant)


def test_parts_add_up():
    found = judged(0.05, 0.12, 0.02)
    assert found.avoidable_bias == pytest.approx(0.03)
    assert found.variance == pytest.approx(0.07)


def test_few_rows_prove_nothing():
    assert judged(0.10, 0.14, 0.10).verdict == "high variance"
    assert judged(0.10, 0.14, 0.10, rows=200).verdict == "low bias, low variance"


def test_rare_classes_lower_the_threshold():
    assert judged(0.0, 0.01).threshold == 0.02
    rare = judged(0.0, 0.01, baseline=0.03)
    assert rare.threshold == pytest.approx(0.0015)
    assert rare.verdict == "high variance"


@pytest.mark.parametrize(
    ("problem", "verdict", "dominant"),
    [
        (planted.underfitting, "high bias", "bias"),
        (planted.overfitting, "high variance", "variance"),
        (planted.both, "high bias and high variance", "bias"),
        (planted.healthy, "low bias, low variance", None),
    ],
)
def test_planted_networks(problem, verdict, dominant):
    found = fastnn.diagnose(*problem(), curve_sizes=None)
    assert (found.verdict, found.errors.dominant) == (verdict, dominant)
    first = found.actions[0]
    expected = {
        "bias": "Against bias, a bigger network",
        "variance": "Against variance, more data",
        None: "Nothing urgent",
    }
    assert first.startswith(expected[dominant])


def test_human_error_shifts_the_verdict():
    problem = planted.both()
    assert fastnn.diagnose(*problem, curve_sizes=None).errors.dominant == "bias"
    found = fastnn.diagnose(*problem, human_error=0.41, curve_sizes=None)
    assert (found.verdict, found.errors.dominant) == ("high variance", "variance")
    assert not any("bias" in action for action in found.actions)


# ------------------------------------------------------------------------------------- error rates


def test_multiclass_error_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    target, prediction = rng.integers(0, 4, 200), rng.random((200, 4))
    rate = ErrorRate.of("multiclass", target, prediction)
    error = zero_one_loss(target, prediction.argmax(axis=1))
    assert rate.value == pytest.approx(error)
    assert rate.standard_error == pytest.approx(math.sqrt(error * (1 - error) / 200))
    assert rate.baseline == pytest.approx(1 - np.bincount(target).max() / 200)
    assert ErrorRate.of("multiclass", np.eye(4)[target], prediction) == rate


def test_multilabel_error_is_the_share_of_wrong_labels():
    rng = np.random.default_rng(0)
    target, prediction = rng.integers(0, 2, (100, 3)).astype(float), rng.random((100, 3))
    rate = ErrorRate.of("binary", target, prediction)
    assert rate.value == pytest.approx(hamming_loss(target, prediction >= 0.5))
    assert rate.baseline == pytest.approx(np.minimum(target.mean(0), 1 - target.mean(0)).mean())


def test_regression_error_is_the_root_mean_square():
    rng = np.random.default_rng(0)
    target = rng.normal(5, 2, size=(400, 1))
    prediction = target + rng.normal(0, 0.5, size=(400, 1))
    rate = ErrorRate.of("regression", target, prediction)
    assert rate.value == pytest.approx(root_mean_squared_error(target, prediction))
    assert rate.baseline == pytest.approx(target.std())
    drawn = rng.integers(0, 400, (2000, 400))  # bootstrap
    spread = np.sqrt(((target - prediction)[drawn] ** 2).mean(axis=(1, 2))).std()
    assert rate.standard_error == pytest.approx(spread, rel=0.1)
    assert ErrorRate.of("regression", target, target).standard_error == 0


# ------------------------------------------------------------------------------------------ advice


def actions(problem, **options):
    return "\n".join(fastnn.diagnose(*problem, curve_sizes=None, **options).actions)


def test_advice_knows_the_regularisation_there_is():
    net, *rows = planted.overfitting()
    assert "none so far; add Dropout" in actions((net, *rows))
    X, y, *_ = rows
    layers = [Dense(256, "relu", l2=1e-5), Dropout(0.1), Dense(2)]
    held = Network(layers, loss="softmax_cross_entropy", seed=0)
    held.fit(X, y, epochs=60, verbose=0)
    found = actions((held, *rows))
    assert "more than it has (Dropout 0.1, l2 1e-05), or weight_decay" in found


def test_advice_against_bias_loosens_regularisation_and_reads_the_history():
    net, *rows = planted.both()
    found = actions((net, *rows))
    assert "still falling after 5 epochs" in found
    assert "less regularisation" not in found
    held = Network(
        [Dense(64, "relu"), Dropout(0.9), Dense(2)], loss="softmax_cross_entropy", seed=0
    )
    held.fit(rows[0], rows[1], epochs=5, verbose=0)
    assert "less regularisation: it has Dropout 0.9" in actions((held, *rows))


def test_advice_names_the_hidden_layers_and_any_penalty():
    _, *rows = planted.both()
    layers = [Dense(12, l1=1e-3), BatchNorm(), Activation("relu"), Dense(7, "relu"), Dense(2)]
    net = Network(layers, loss="softmax_cross_entropy", seed=0)
    found = actions((net, *rows))
    assert "its hidden 12-7, until" in found
    assert "it has l1 0.001." in found


def test_advice_names_the_epoch_to_stop_at():
    net, X, y, X_val, y_val = planted.overfitting()
    again = net.clone()
    history = again.fit(X, y, epochs=40, validation_data=(X_val, y_val), verbose=0)
    best = history.epoch[int(np.argmin(history["val_loss"]))]
    found = actions((again, X, y, X_val, y_val))
    assert f"the validation loss was lowest in epoch {best}, so stop there" in found


def test_advice_cures_layers_first_and_trains_the_untrained():
    X, y = planted.noise()
    net = planted.stack("sigmoid", 20)
    found = fastnn.diagnose(net, X[:200], y[:200], X[200:], y[200:], curve_sizes=None).actions
    assert found[0].startswith("Train the network")
    assert found[1].startswith("Cure what is flagged in the layers first: vanishing gradient")


def test_advice_on_uneven_classes():
    X, _ = planted.noise(600)
    y = (X[:, 0] > 1.5).astype(int)
    net = planted.stack("relu", 1)
    net.fit(X[:400], y[:400], epochs=5, verbose=0)
    found = actions((net, X[:400], y[:400], X[400:], y[400:]))
    share = y[:400].mean()
    assert f"uneven, {(1 - share) / share:.0f} : 1" in found
