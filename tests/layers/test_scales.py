"""Penalties, losses and ε on other scales than the usual ones: those of scikit-learn."""

import math

import numpy as np
import pytest

import fastnn
from fastnn import Dense, Network
from fastnn.compiler.lowering import compile_plan
from fastnn.execution.batches import BatchPass
from fastnn.execution.python_executor import GRADIENT_STAGES, PythonExecutor
from fastnn.ir.builder import PlanMode
from fastnn.ir.per_step import EpsilonHat
from fastnn.ir.program import Batch, PerWeight, Result
from fastnn.model.data_sets import data_set

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 4)), RNG.normal(size=(12, 3))
WEIGHT = RNG.uniform(0.5, 2, 12)


def linear(loss="mean_squared_error", **options):
    return Network([Dense(3)], loss=loss, dtype="float64", seed=0, **options).build(4)


def loss_and_gradient(net, y, weight):
    """Return loss and gradients of one batch of all rows, by the plain plan."""
    data = data_set(net._model.architecture, X, y, weight)
    plan = compile_plan(net._model.architecture, 12, PlanMode(training=True))
    arena, batch = net._model.arena, BatchPass(data, 12).batch(0, plan)
    results = PythonExecutor(plan, arena).run_stages(GRADIENT_STAGES, batch, net.state)
    return results[Result.LOSS], arena.view(arena.gradients, arena.segments[0])


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_penalties_of_scale_sum_are_divided_by_the_sum_of_the_weights(weight):
    total = 12 if weight is None else weight.sum()
    plain, scaled = linear(), linear(l1=0.3, l2=0.7, penalty_scale="sum")
    w = scaled.get_weights()[0]
    loss, gradient = loss_and_gradient(plain, Y, weight)
    with_penalty, its_gradient = loss_and_gradient(scaled, Y, weight)
    penalty = (0.3 * abs(w).sum() + 0.35 * np.square(w).sum()) / total
    assert with_penalty == pytest.approx(loss + penalty)
    slope = (0.3 * np.sign(w) + 0.7 * w) / total
    np.testing.assert_allclose(its_gradient, gradient + slope)
    assert scaled.evaluate(X, Y, sample_weight=weight)["loss"] == pytest.approx(loss)
    assert scaled.train_on_batch(X, Y, sample_weight=weight)["loss"] == pytest.approx(with_penalty)


def test_the_step_divides_them_too():
    net = linear(l2=0.7, penalty_scale="sum", optimizer=fastnn.SGD(0.1))
    w, (_, gradient) = net.get_weights()[0], loss_and_gradient(net, Y, WEIGHT)
    expected = w - 0.1 * gradient
    net.train_on_batch(X, Y, sample_weight=WEIGHT)
    np.testing.assert_allclose(net.get_weights()[0], expected)


def test_the_scale_is_checked_saved_and_loaded(tmp_path):
    with pytest.raises(ValueError, match="penalty_scale"):
        linear(penalty_scale="summ")
    net = linear(l2=0.7, penalty_scale="sum")
    net.save(tmp_path / "net.safetensors")
    loaded = Network.load(tmp_path / "net.safetensors")
    assert loaded.penalty_scale == "sum"
    assert loaded.evaluate(X, Y) == net.evaluate(X, Y)


def test_a_batch_knows_the_sum_of_its_weights():
    assert Batch(X).total_weight == 12
    assert Batch(X, weight=WEIGHT.astype(np.float32)).total_weight == pytest.approx(WEIGHT.sum())
    assert PerWeight(2.0).strength == 2


def test_half_the_squared_error_has_the_gradient_of_the_sum_and_the_value_of_the_mean():
    net = linear(fastnn.HalfSquaredError())
    w, b = net.get_weights()
    error = X @ w + b - Y
    loss, gradient = loss_and_gradient(net, Y, WEIGHT)
    assert loss == pytest.approx(0.5 * np.average(np.square(error), axis=0, weights=WEIGHT).mean())
    np.testing.assert_allclose(gradient, X.T @ (WEIGHT[:, None] * error) / WEIGHT.sum())


@pytest.mark.parametrize(
    ("loss", "target"),
    [(fastnn.SigmoidCrossEntropy, (Y > 0) * 1.0), (fastnn.Poisson, np.floor(abs(3 * Y)))],
)
def test_a_sum_over_outputs_is_so_many_means(loss, target):
    mean, slope = loss_and_gradient(linear(loss()), target, WEIGHT)
    total, total_slope = loss_and_gradient(linear(loss(reduction="sum")), target, WEIGHT)
    assert total == pytest.approx(3 * mean)
    np.testing.assert_allclose(total_slope, 3 * slope)
    assert fastnn.losses.Loss.from_config(loss(reduction="sum").to_config()).reduction == "sum"
    with pytest.raises(ValueError, match="reduction"):
        loss(reduction="median")


def test_epsilon_hat_is_added_before_the_bias_correction():
    net = linear(optimizer=fastnn.Adam(0.1, beta2=0.9, epsilon=0.5, epsilon_hat=True))
    w, m, v = net.get_weights()[0], 0.0, 0.0
    for t in (1, 2, 3):
        _, g = loss_and_gradient(net, Y, None)
        m, v = 0.9 * m + 0.1 * g, 0.9 * v + 0.1 * np.square(g)
        rate = 0.1 * math.sqrt(1 - 0.9**t) / (1 - 0.9**t)
        w = w - rate * m / (np.sqrt(v) + 0.5)
        net.train_on_batch(X, Y)
        np.testing.assert_allclose(net.get_weights()[0], w)
    assert EpsilonHat(0.5, 0.9, skipped=2).value(3, 0.1) == pytest.approx(0.5 / math.sqrt(0.1))


def test_lbfgs_ends_after_so_many_evaluations():
    net = linear(optimizer=fastnn.LBFGS(max_evaluations=3, tolerance_grad=0, tolerance_change=0))
    assert len(net.fit(X, Y, epochs=50, verbose=0).epoch) <= 3
    with pytest.raises(ValueError, match="max_evaluations"):
        fastnn.LBFGS(max_evaluations=0)
