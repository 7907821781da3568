"""Differences of rounding alone are told from errors."""

import pytest
from checking import check, data

import fastnn
from fastnn import Dense
from fastnn.diagnostics.gradient_check_result import ArrayCheck


def test_differences_of_rounding_alone_count_as_zero_and_are_reported(backend):
    X, y = data("mean_squared_error")
    saturated = Dense(4, "sigmoid", bias_initializer=fastnn.initializers.Constant(29.0))
    result = check([saturated, Dense(2)], X, y)
    weights = result.arrays[0]
    assert weights.difference > 0.1 * weights.scale  # as a ratio it would look like a bug
    assert weights.relative_error == result.relative_errors["dense_1/weights"] == 0
    assert "dense_1/weights" in result.noise
    assert "0 (noise)" in str(result).splitlines()[2]


@pytest.mark.parametrize(("scale", "epsilon"), [(1e-3, 1e-6), (30.0, 1e-6), (30.0, 1e-4)])
def test_the_size_of_noise(scale, epsilon):
    X, y = data("mean_squared_error")
    result = check([Dense(2)], 0.1 * X, scale * y, epsilon=epsilon, n=4)
    assert (result.loss > 1) == (scale > 1)
    weights, bias = result.arrays
    step = 10 * 2.0**-52 * max(1, result.loss) / epsilon
    assert (weights.compared, bias.compared) == (4, 2)
    assert weights.noise == pytest.approx(step * 2, rel=1e-12)
    assert bias.noise == pytest.approx(step * 2**0.5, rel=1e-12)


def test_noise_ends_where_rounding_ends():
    def error(difference):
        array = ArrayCheck("a", 4, 4, 0, difference, scale=1e-8, noise=1e-9)
        return array.is_noise, array.relative_error

    assert error(0.0) == (False, 0.0)
    assert error(1e-9) == (True, 0.0)
    assert error(2e-9) == (False, pytest.approx(0.2))
