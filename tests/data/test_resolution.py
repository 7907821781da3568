"""Columns and targets that float32 rounds to nearly one number: learned, or refused by name."""

import numpy as np
import pytest

from fastnn import (
    Adam,
    BatchNorm,
    Dense,
    Embedding,
    FastnnError,
    Flatten,
    Network,
    Normalization,
    Rescaling,
    TabularInput,
    fit_population,
)
from fastnn.estimators import MLPRegressor
from fastnn.metrics import scoring

rng = np.random.default_rng(0)
MINUTE = 1.7e9 + rng.uniform(0, 60, size=(200, 1))
Y = (MINUTE[:, 0] - 1.7e9) / 60

NORMALIZING = {
    "normalization": [Normalization()],
    "given statistics": [Normalization(mean=1.7e9, variance=300.0)],
    "behind rescaling": [Rescaling(1e-3), Flatten(), Normalization()],
    "batch norm": [BatchNorm()],
}


def network(layers, **options):
    return Network([*layers, Dense(1)], loss="mean_squared_error", seed=0, **options)


@pytest.mark.parametrize("kind", NORMALIZING)
def test_a_column_that_float32_cannot_tell_apart_is_refused(kind):
    net = network(NORMALIZING[kind])
    message = r"X has values around 1\.7e\+09 that differ by 1\d, which float32 cannot tell apart"
    with pytest.raises(FastnnError, match=message):
        net.fit(MINUTE, Y, verbose=0)
    assert not net.built
    with pytest.raises(FastnnError, match=message):
        fit_population([net], MINUTE, Y, epochs=1)
    whole = MINUTE.astype(np.int64)
    with pytest.raises(FastnnError, match=message):
        net.fit(whole, Y, verbose=0)


def test_the_column_is_named_and_float64_learns_it():
    X = np.hstack([rng.normal(size=(200, 1)), MINUTE])
    net = network([Normalization()], optimizer=Adam(0.05))
    with pytest.raises(FastnnError, match="in column 1, which float32"):
        net.fit(X, Y, verbose=0)
    exact = network([Normalization()], optimizer=Adam(0.05), dtype="float64")
    exact.fit(X, Y, epochs=60, verbose=0)
    assert exact.evaluate(X, Y)["loss"] < 0.01 * Y.var()


def test_a_table_with_embedded_columns_is_looked_at_too():
    X = np.hstack([rng.integers(0, 3, size=(200, 1)), MINUTE])
    net = network([TabularInput({0: Embedding(3, 2)}, normalize=True)])
    with pytest.raises(FastnnError, match="in column 1, which float32"):
        net.fit(X, Y, verbose=0)


def test_later_fits_are_looked_at_too():
    net = network([Normalization()]).build(1)
    net.fit(rng.normal(size=(50, 1)), np.zeros(50), verbose=0)
    before = net.get_weights()
    with pytest.raises(FastnnError, match="cannot tell apart"):
        net.fit(MINUTE, Y, verbose=0)
    for was, now in zip(before, net.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)
    with pytest.raises(FastnnError, match="cannot tell apart"):
        net.adapt(MINUTE)


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(1.7e9 + rng.uniform(0, 1e8, 200), id="years in seconds"),
        pytest.param(np.arange(200) + 10_000_000, id="whole numbers that float32 holds"),
        pytest.param(rng.integers(1990, 2030, 200), id="years"),
        pytest.param(np.where(rng.uniform(size=200) < 0.5, 0.0, MINUTE[:, 0]), id="with zeros"),
        pytest.param(MINUTE[:, 0].astype(np.float32), id="float32 as given"),
        pytest.param(np.full(200, 0.1), id="constant"),
    ],
)
def test_what_float32_tells_apart_is_taken(column):
    X = np.column_stack([column])
    net = network([Normalization()])
    net.fit(X, Y, epochs=1, verbose=0)
    assert np.isfinite(net.predict(X)).all()
    assert np.isfinite(net.predict(X[:2])).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_column_that_differs_by_rounding_alone_is_constant(dtype):
    """Its deviation would blow up the noise of 0.1 + 0.2 to the size of a signal."""
    X = np.full((100, 2), 0.3, dtype)
    X[::2, 0] = np.nextafter(X[0, 0], X.dtype.type(1))
    X[:, 1] = rng.normal(size=100)
    net = network([Normalization()], dtype=dtype)
    net.adapt(X)
    variance = net.buffers["normalization_1/variance"]
    assert variance[0] == 1
    np.testing.assert_allclose(variance[1], X[:, 1].var(), rtol=1e-5)


# --- targets --------------------------------------------------------------------------------------


def test_targets_beyond_float32_are_named():
    X, y = rng.normal(size=(20, 2)), np.ones(20)
    y[3] = 1e40
    net = network([])
    message = r"y\[3\] is 1e\+40, which float32 cannot hold; scale y, or use dtype='float64'"
    with pytest.raises(FastnnError, match=message):
        net.fit(X, y, verbose=0)
    assert not net.built
    net.build(2)
    with pytest.raises(FastnnError, match=message):
        net.evaluate(X, y)
    with pytest.raises(ValueError, match=r"y\[3, 0\] is 1e\+40, which float32 cannot hold"):
        MLPRegressor(max_iter=2).fit(X.astype(np.float32), y)
    network([], dtype="float64").fit(X, y, verbose=0)


def test_targets_that_float32_cannot_tell_apart_are_refused():
    X = rng.normal(size=(200, 2))
    message = r"y has values around 1\.7e\+09 that differ by 1\d, which float32 cannot tell apart"
    net = network([])
    with pytest.raises(FastnnError, match=message):
        net.fit(X, MINUTE, verbose=0)
    assert not net.built
    with pytest.raises(FastnnError, match=message):
        fit_population([net], X, MINUTE, epochs=1)
    with pytest.raises(ValueError, match=message):
        MLPRegressor(max_iter=2).fit(X.astype(np.float32), MINUTE[:, 0])
    both = Network([Dense(2)], loss="mean_squared_error", seed=0)
    with pytest.raises(FastnnError, match="in column 1, which float32"):
        both.fit(X, np.hstack([X[:, :1], MINUTE]), verbose=0)


def test_constant_targets_and_single_rows_are_taken():
    X = rng.normal(size=(20, 2))
    net = network([])
    net.fit(X, np.full(20, 0.1), epochs=1, verbose=0)
    net.train_on_batch(X[:1], [1.7e9])
    assert np.isfinite(net.evaluate(X[:2], [1.7e9, 1.7e9 + 1])["loss"])


def test_scores_are_computed_in_float64():
    true, predicted = 1e25 * rng.normal(size=(2, 50, 1)).astype(np.float32)
    [metric] = scoring.get(["r2"], "regression")
    rows = scoring.compared(metric, "regression", true, predicted)
    [r2] = scoring.scored(metric, *rows, None, 1)
    wide = true.astype(float), predicted.astype(float)
    expected = 1 - ((wide[0] - wide[1]) ** 2).sum() / ((wide[0] - wide[0].mean()) ** 2).sum()
    assert r2 == pytest.approx(expected, rel=1e-6)
