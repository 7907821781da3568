"""Kernels of tables, folding and averages: answers from independent formulas and libraries."""

import numpy as np
import pytest
from scipy import sparse

from fastnn import kernels
from fastnn.kernels.functions import SlopeFunction

REALS = [np.float32, np.float64]
every_dtype = pytest.mark.parametrize("dtype", REALS)


def tolerance(dtype):
    return {"rtol": 64 * np.finfo(dtype).eps, "atol": 64 * np.finfo(dtype).eps}


def selection(codes, count):
    """The look-up of rows as a sparse matrix (B, N) of zeros and ones."""
    return sparse.csr_matrix(
        (np.ones(len(codes)), (np.arange(len(codes)), codes)), (len(codes), count)
    )


@pytest.fixture
def table(dtype):
    """Codes (B,), x (B, 3) with the codes in column 1, w (N, D) and dy (B, 7)."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 11, 40)
    x = rng.normal(size=(40, 3)).astype(dtype)
    x[:, 1] = codes
    return codes, x, rng.normal(size=(11, 5)).astype(dtype), rng.normal(size=(40, 7)).astype(dtype)


@every_dtype
def test_embedding_is_a_product_with_a_selection_matrix(backend, dtype, table):
    codes, x, w, dy = table
    y = np.zeros((40, 7), dtype)
    kernels.embedding_fwd(y, x, w, 1, 2)
    np.testing.assert_array_equal(y[:, 2:], selection(codes, 11) @ w)
    assert not y[:, :2].any()
    dw = np.empty_like(w)
    kernels.embedding_bwd(dw, dy, x, 1, 2)
    np.testing.assert_allclose(dw, selection(codes, 11).T @ dy[:, 2:], **tolerance(dtype))


@every_dtype
def test_sparse_gradient_of_an_embedding_is_the_dense_one(backend, dtype, table):
    codes, x, w, dy = table
    dw, rows, order = np.empty((40, 5), dtype), np.empty(40, np.int64), np.empty(40, np.int64)
    kernels.embedding_sparse_bwd(dw, rows, order, dy, x, 11, 1, 2)
    assert sorted(rows[rows >= 0]) == sorted(set(codes))
    whole = np.zeros(w.shape)
    whole[rows[rows >= 0]] = dw[rows >= 0]
    np.testing.assert_allclose(whole, selection(codes, 11).T @ dy[:, 2:], **tolerance(dtype))


@every_dtype
def test_rows_of_a_table_go_out_and_come_back(backend, dtype):
    table = np.arange(15, dtype=dtype).reshape(5, 3)
    rows = np.array([3, -1, 0])
    values = np.empty((3, 3), dtype)
    kernels.gather_rows(values, table, rows)
    np.testing.assert_array_equal(values, [[9, 10, 11], [0, 0, 0], [0, 1, 2]])
    kernels.scatter_rows(table, -values, rows)
    np.testing.assert_array_equal(table[[0, 3]], [[0, -1, -2], [-9, -10, -11]])
    np.testing.assert_array_equal(table[[1, 2, 4]], [[3, 4, 5], [6, 7, 8], [12, 13, 14]])


@every_dtype
def test_columns_are_standardized_as_scikit_learn_does(backend, dtype):
    from sklearn.preprocessing import StandardScaler

    x = np.random.default_rng(1).normal(3, 2, size=(50, 6))
    scaler = StandardScaler().fit(x[:, 2:5])
    y = np.zeros((50, 8), dtype)
    mean, variance = scaler.mean_.astype(dtype), scaler.var_.astype(dtype)
    kernels.standardize_columns_fwd(y, x.astype(dtype), mean, variance, 2, 4)
    np.testing.assert_allclose(y[:, 4:7], scaler.transform(x[:, 2:5]), **tolerance(dtype))
    assert not y[:, [0, 1, 2, 3, 7]].any()


@every_dtype
def test_alpha_dropout_keeps_mean_and_variance_and_its_gradient_is_its_slope(backend, dtype):
    """For selu's fixed point, mean 0 and variance 1 (Klambauer et al. 2017, section 2)."""
    x = np.random.default_rng(2).normal(size=200_000).astype(dtype)
    y, moved = np.empty_like(x), np.empty_like(x)
    mask = np.empty(len(x) // 8, np.uint8)
    kernels.alpha_dropout_fwd(y, mask, x, 0.2, 3, 0)
    assert abs(y.mean()) < 0.01
    assert abs(y.var() - 1) < 0.02
    kernels.alpha_dropout_fwd(moved, mask, x + 1, 0.2, 3, 0)
    dx = np.empty_like(x)
    kernels.alpha_dropout_bwd(dx, mask, np.ones_like(x), 0.2)
    np.testing.assert_allclose(dx, moved - y, atol=1e-5 if dtype == np.float32 else 1e-12)
    assert abs((dx == 0).mean() - 0.2) < 0.005


@every_dtype
@pytest.mark.parametrize("learnt", [True, False])
def test_folded_weights_do_what_layer_and_normalization_do(backend, dtype, learnt):
    """Against the two steps one after the other, in float64."""
    rng = np.random.default_rng(4)
    x, w, b = rng.normal(size=(9, 6)), rng.normal(size=(6, 4)), rng.normal(size=4)
    eps = 1e-3

    def statistics(columns):
        gamma, beta = (rng.normal(size=columns) for _ in range(2)) if learnt else (None, None)
        return rng.normal(size=columns), rng.uniform(0.5, 2, columns), gamma, beta

    def normalized(values, mean, variance, gamma, beta):
        standard = (values - mean) / np.sqrt(variance + eps)
        return standard * gamma + beta if learnt else standard

    def cast(arrays):
        return [None if array is None else array.astype(dtype) for array in arrays]

    wf, bf = np.empty((6, 4), dtype), np.empty(4, dtype)
    behind = statistics(4)
    kernels.dense_fold_output(wf, bf, *cast([w, b, *behind]), eps)
    np.testing.assert_allclose(x @ wf + bf, normalized(x @ w + b, *behind), **tolerance(dtype))
    before = statistics(3)  # of three channels, which stand twice in a row of x
    kernels.dense_fold_input(wf, bf, *cast([w, b, *before]), eps)
    channels = normalized(x.reshape(9, 2, 3), *before).reshape(9, 6)
    np.testing.assert_allclose(x @ wf + bf, channels @ w + b, **tolerance(dtype))


@every_dtype
def test_a_moving_average_is_that_of_pandas(backend, dtype):
    pandas = pytest.importorskip("pandas")
    values = np.random.default_rng(5).normal(size=(30, 17)).astype(dtype)
    average = values[0].copy()
    for value in values[1:]:
        kernels.moving_average_step(average, value, 0.9)
    expected = pandas.DataFrame(values.astype(float)).ewm(alpha=0.1, adjust=False).mean().iloc[-1]
    np.testing.assert_allclose(average, expected, **tolerance(dtype))


@every_dtype
def test_slopes_of_own_functions_multiply_the_gradient(backend, dtype):
    z = np.linspace(-2, 2, 37).astype(dtype)
    y, dy, dz = z**3, np.cos(z), np.empty_like(z)
    kernels.custom_activation_bwd(dz, dy, y, z, SlopeFunction(lambda x, value: 3 * x * x))
    np.testing.assert_allclose(dz, np.cos(z) * 3 * z**2, **tolerance(dtype))


@every_dtype
def test_products_and_sums_of_whole_arrays(backend, dtype):
    x = np.random.default_rng(6).normal(size=1001).astype(dtype)
    squares = float(np.square(x.astype(np.longdouble)).sum())
    assert kernels.sum_of_squares(x) == pytest.approx(squares, rel=1e-6)
    scaled = x.copy()
    kernels.scale(scaled, 0.25)
    np.testing.assert_array_equal(scaled, x / 4)
