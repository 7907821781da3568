"""Diagnosis of networks on real data: handwritten digits and customers who leave."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import Dense, Dropout, Network

FOLDER = os.environ.get("FASTNN_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="FASTNN_DATA names no folder with data")


@pytest.fixture(scope="module")
def mnist():
    """1,000 images to learn from and 2,000 others, as rows of float32 in [0, 1]."""
    folder = Path(FOLDER) / "mnist10k"
    with gzip.open(folder / "images-idx3-ubyte.gz") as file:
        X = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784).astype("f") / 255
    with gzip.open(folder / "labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8)
    return X[:1000], y[:1000], X[8000:], y[8000:]


@pytest.fixture(scope="module")
def telco():
    """Columns of numbers, standardised, and whether the customer left; 5,000 rows and the rest."""
    pd = pytest.importorskip("pandas")
    frame = pd.read_csv(Path(FOLDER) / "telco_churn.csv")
    y = (frame.pop("Churn") == "Yes").to_numpy(int)
    frame["TotalCharges"] = pd.to_numeric(frame["TotalCharges"], errors="coerce").fillna(0)
    X = pd.get_dummies(frame.drop(columns="customerID")).to_numpy(np.float32)
    X = (X - X[:5000].mean(axis=0)) / (X[:5000].std(axis=0) + 1e-6)
    return X[:5000], y[:5000], X[5000:], y[5000:]


def test_few_images_are_learned_by_heart_and_more_would_help(mnist):
    layers = [Dense(64, "relu"), Dense(10)]
    net = Network(layers, loss="softmax_cross_entropy", seed=0)
    health = fastnn.LayerHealth(*mnist[:2])
    net.fit(*mnist[:2], epochs=15, callbacks=[health], verbose=0)
    found = fastnn.diagnose(net, *mnist, human_error=0.002, curve_epochs=8, health=health)
    assert found.verdict == "high variance"
    assert found.actions[0] == (
        "Against variance, more data: the validation error still falls at 1,000 rows."
    )
    assert "none so far" in found.actions[1]
    assert found.flags == health.flags == ()
    errors = [point.validation.value for point in found.curve.points]
    assert errors == sorted(errors, reverse=True)
    assert found.errors.training.value < 0.02 < found.errors.validation.value


def test_customers_cannot_be_told_apart_without_error(telco):
    """Nothing says for sure who leaves: where that is not said, it counts as bias."""
    layers = [Dense(16, "relu"), Dropout(0.2), Dense(1)]
    net = Network(layers, loss="sigmoid_cross_entropy", seed=0)
    net.fit(*telco[:2], epochs=10, verbose=0)
    assert fastnn.diagnose(net, *telco, curve_sizes=None).verdict == "high bias"
    found = fastnn.diagnose(net, *telco, human_error=0.19, curve_sizes=None)
    assert found.verdict == "low bias, low variance"
    assert found.flags == ()
    _, _, _, y_val = telco
    np.testing.assert_array_equal(found.classes.confusion.sum(axis=1), np.bincount(y_val))
    # The hardest customers are those about whom the network was most sure, and wrong.
    assert all(example.true != example.predicted for example in found.hardest)


def test_a_rate_is_found_for_images(mnist):
    layers = [Dense(64, "relu"), Dense(10)]
    net = Network(layers, loss="softmax_cross_entropy", seed=0)
    found = fastnn.lr_find(net, *mnist[:2])
    assert 1e-4 < found.suggestion < 5e-2
    assert found.diverged
