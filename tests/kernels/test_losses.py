"""Losses against scikit-learn and SciPy, and their gradients against differences."""

import numpy as np
import pytest
from scipy import special
from sklearn import metrics

from fastnn import kernels
from fastnn.kernels import native

ROWS, OUTPUTS = 12, 3
RNG = np.random.default_rng(0)
Z = RNG.normal(0, 2, (ROWS, OUTPUTS))
TARGET = RNG.normal(0, 2, (ROWS, OUTPUTS))
LABELS = RNG.integers(0, OUTPUTS, ROWS)
SHARES = RNG.dirichlet(np.ones(OUTPUTS), ROWS)
ANSWERS = RNG.integers(0, 2, (ROWS, OUTPUTS)).astype(float)
COUNTS = RNG.poisson(2.0, (ROWS, OUTPUTS)).astype(float)
WEIGHT = RNG.uniform(0, 3, ROWS) * (np.arange(ROWS) % 4 > 0)  # with rows of no weight
CLASSES = np.arange(OUTPUTS)
LEVELS = np.array([0.2, 0.5, 0.95])


def smoothed(shares, s):
    return (1 - s) * shares + s / OUTPUTS


def cross_entropy(shares):
    return lambda z, w: np.average(
        -np.sum(shares * special.log_softmax(z, axis=1), axis=1), weights=w
    )


def binary(z, w):
    columns = zip(ANSWERS.T, special.expit(z).T, strict=True)
    return np.mean([metrics.log_loss(t, p, sample_weight=w, labels=[0, 1]) for t, p in columns])


def smoothed_binary(z, w):
    t = 0.7 * ANSWERS + 0.3 / 2
    losses = -t * special.log_expit(z) - (1 - t) * special.log_expit(-z)
    return np.average(losses.mean(axis=1), weights=w)


def huber(delta):
    return lambda y, w: np.average(special.huber(delta, y - TARGET).mean(axis=1), weights=w)


def half_poisson_deviance(z, w):
    columns = zip(COUNTS.T, np.exp(z).T, strict=True)
    return np.mean([metrics.mean_poisson_deviance(t, r, sample_weight=w) for t, r in columns]) / 2


def pinball(y, w):
    columns = zip(TARGET.T, y.T, LEVELS, strict=True)
    return np.mean([metrics.mean_pinball_loss(t, v, sample_weight=w, alpha=q)
                    for t, v, q in columns])  # fmt: skip


# kernel, target, settings, loss of (prediction, weight)
CASES = {
    "labels": ("softmax_cross_entropy", LABELS, (0.0,), lambda z, w: metrics.log_loss(
        LABELS, special.softmax(z, axis=1), sample_weight=w, labels=CLASSES)),
    "labels smoothed": ("softmax_cross_entropy", LABELS, (0.2,),
                        cross_entropy(smoothed(np.eye(OUTPUTS)[LABELS], 0.2))),
    "shares": ("softmax_cross_entropy", SHARES, (0.0,), cross_entropy(SHARES)),
    "shares smoothed": ("softmax_cross_entropy", SHARES, (0.1,),
                        cross_entropy(smoothed(SHARES, 0.1))),
    "not normalised": ("softmax_cross_entropy", 2 * SHARES, (0.0,), cross_entropy(2 * SHARES)),
    "binary": ("sigmoid_cross_entropy", ANSWERS, (0.0,), binary),
    "binary smoothed": ("sigmoid_cross_entropy", ANSWERS, (0.3,), smoothed_binary),
    "squared": ("mean_squared_error", TARGET, (),
                lambda y, w: metrics.mean_squared_error(TARGET, y, sample_weight=w)),
    "absolute": ("mean_absolute_error", TARGET, (),
                 lambda y, w: metrics.mean_absolute_error(TARGET, y, sample_weight=w)),
    "huber": ("huber", TARGET, (1.0,), huber(1.0)),
    "huber, narrow": ("huber", TARGET, (0.3,), huber(0.3)),
    "poisson": ("poisson", COUNTS, (), half_poisson_deviance),
    "quantile": ("quantile", TARGET, (LEVELS,), pinball),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
def test_loss_and_gradient(backend, case, weight):
    name, target, settings, oracle = CASES[case]
    gradient = np.empty_like(Z)
    loss = getattr(kernels, name)(gradient, Z, target, weight, *settings)
    assert loss == pytest.approx(oracle(Z, weight), rel=1e-12)
    assert getattr(kernels, name)(None, Z, target, weight, *settings) == loss
    h = 1e-6
    for index in np.ndindex(Z.shape):
        step = np.zeros_like(Z)
        step[index] = h
        difference = (oracle(Z + step, weight) - oracle(Z - step, weight)) / (2 * h)
        assert gradient[index] == pytest.approx(difference, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_batches_without_weight_or_rows_cost_nothing(backend, case):
    name, target, settings, _ = CASES[case]
    gradient = np.full_like(Z, 9.0)
    assert getattr(kernels, name)(gradient, Z, target, np.zeros(ROWS), *settings) == 0.0
    np.testing.assert_array_equal(gradient, 0.0)
    empty = np.empty((0, OUTPUTS))
    assert getattr(kernels, name)(empty, empty, target[:0].copy(), None, *settings) == 0.0


@pytest.mark.parametrize("case", CASES)
def test_scale_of_the_weights_does_not_matter(backend, case):
    name, target, settings, _ = CASES[case]
    function = getattr(kernels, name)
    once = function(None, Z, target, WEIGHT, *settings)
    assert function(None, Z, target, 1024 * WEIGHT, *settings) == pytest.approx(once, rel=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropies_of_large_logits_stay_finite(backend, dtype):
    z = np.array([[1e4, 0.0, -1e4]], dtype)
    dz = np.empty_like(z)
    assert kernels.softmax_cross_entropy(dz, z, np.array([2]), None, 0.0) == 2e4
    np.testing.assert_array_equal(dz, [[1, 0, -1]])
    t = np.array([[0, 1, 1]], dtype)
    assert kernels.sigmoid_cross_entropy(dz, z, t, None, 0.0) == pytest.approx(
        (2e4 + np.log(2)) / 3
    )
    np.testing.assert_allclose(dz, [[1 / 3, -1 / 6, -1 / 3]], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [1, 2, 10, 16, 17, 31, 32, 33, 70])
def test_cross_entropy_of_any_number_of_classes(backend, classes, dtype):
    """Few classes and many take different ways; 37 rows fill no whole number of vectors."""
    rng = np.random.default_rng(classes)
    z, weight = rng.normal(0, 3, (37, classes)).astype(dtype), rng.uniform(0, 2, 37).astype(dtype)
    labels = rng.integers(0, classes, 37)
    log_shares = special.log_softmax(z.astype(np.float64), axis=1)
    shares, one_hot = np.exp(log_shares), np.eye(classes)[labels]
    for w in (None, weight):
        factor = np.full(37, 1 / 37) if w is None else w.astype(np.float64) / w.sum(dtype=float)
        dz = np.empty_like(z)
        loss = kernels.softmax_cross_entropy(dz, z, labels, w, 0.0)
        eps = float(np.finfo(dtype).eps)
        assert loss == pytest.approx(-(factor @ (one_hot * log_shares).sum(1)), rel=20 * eps)
        np.testing.assert_allclose(
            dz, factor[:, None] * (shares - one_hot), rtol=40 * eps, atol=4 * eps * factor.max()
        )
        in_place = z.copy()
        assert kernels.softmax_cross_entropy(in_place, in_place, labels, w, 0.0) == loss
        np.testing.assert_array_equal(in_place, dz)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 10, 33])
def test_cross_entropy_of_a_row_does_not_depend_on_the_rows_beside_it(classes, dtype):
    rng = np.random.default_rng(0)
    z, labels = rng.normal(0, 3, (40, classes)).astype(dtype), rng.integers(0, classes, 40)
    for row in (0, 15, 16, 39):
        batch, alone = np.empty_like(z), np.empty_like(z[:1])
        weight = (np.arange(40) == row).astype(dtype)
        one = slice(row, row + 1)
        loss = native.softmax_cross_entropy(batch, z, labels, weight, 0.0)
        alone_loss = native.softmax_cross_entropy(alone, z[one], labels[one], None, 0.0)
        assert loss == alone_loss
        np.testing.assert_array_equal(batch[one], alone)
        assert np.count_nonzero(np.delete(batch, row, 0)) == 0


def test_loss_of_a_confident_row_keeps_its_digits():
    """The sum of the exponentials is 1 + 2e-9, which is 1 in float32; C adds it up in double."""
    z = np.array([[20.0, 0.0]], np.float32)
    loss = native.softmax_cross_entropy(None, z, np.array([0]), None, 0.0)
    assert loss == pytest.approx(np.log1p(np.exp(-20.0)), rel=1e-5)


def test_kinks_have_slope_zero(backend):
    y, dy = np.ones((1, 2)), np.empty((1, 2))
    for name, settings in {"mean_absolute_error": (), "quantile": (LEVELS[:2],)}.items():
        assert getattr(kernels, name)(dy, y, y, None, *settings) == 0.0
        np.testing.assert_array_equal(dy, 0.0)


@pytest.mark.parametrize("case", CASES)
def test_nan_shows_in_the_loss(backend, case):
    name, target, settings, _ = CASES[case]
    z = Z.copy()
    z[3, 1] = np.nan
    assert np.isnan(getattr(kernels, name)(None, z, target, None, *settings))


def test_softmax(backend):
    y = np.empty_like(Z)
    kernels.softmax(y, 50 * Z)
    np.testing.assert_allclose(y, special.softmax(50 * Z, axis=1), rtol=1e-12)


def test_penalty(backend):
    dp, before = np.ones(5), np.ones(5)
    p = np.array([-2.0, 0.0, 0.5, 3.0, -0.0])
    value = kernels.penalty(dp, p, l1=0.1, l2=0.5)
    assert value == pytest.approx(0.1 * 5.5 + 0.25 * (4 + 0.25 + 9))
    np.testing.assert_allclose(dp - before, 0.1 * np.sign(p) + 0.5 * p, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_count_nonfinite(backend, dtype):
    x = np.ones((7, 11), dtype)
    assert kernels.count_nonfinite(x) == 0
    x[0, 0], x[3, 4], x[6, 10], x[6, 9] = np.nan, np.inf, -np.inf, np.finfo(dtype).max
    assert kernels.count_nonfinite(x) == 3
