"""Random estimators learn the same bits from a sparse matrix and from the same rows made dense."""

import os
import warnings

import numpy as np
import pytest
import scipy.sparse

from fastnn.estimators import MLPClassifier, MLPRegressor

SEEDS = range(500 if os.environ.get("FASTNN_FULL") == "1" else 30)


def drawn(seed):
    """An estimator, and sparse rows with targets and weights."""
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(6, 50)), int(rng.integers(2, 15))
    X = scipy.sparse.random_array((rows, columns), density=rng.choice([0.05, 0.3]), rng=rng)
    X = X.astype(rng.choice(["f4", "f8"])).asformat(rng.choice(["csr", "csc"]))
    classifies = rng.uniform() < 0.5
    options = {
        "hidden_layer_sizes": tuple(rng.integers(1, 9, rng.integers(1, 3)).tolist()),
        "activation": rng.choice(["relu", "tanh", "logistic"]),
        "solver": rng.choice(["adam", "sgd", "lbfgs"]),
        "batch_size": int(rng.integers(1, rows)),
        "alpha": float(rng.choice([0.0, 0.01])),
        "dropout": float(rng.choice([0.0, 0.2])),
        "batch_norm": bool(rng.uniform() < 0.3),
        "max_iter": 3,
        "random_state": seed,
    }
    y = np.arange(rows) % 3 if classifies else rng.normal(size=rows)
    weight = rng.uniform(0.5, 2.0, rows) if rng.uniform() < 0.5 else None
    return (MLPClassifier if classifies else MLPRegressor)(**options), X, y, weight


@pytest.mark.parametrize("seed", SEEDS)
def test_sparse_rows_train_and_predict_as_dense_ones(seed):
    estimator, X, y, weight = drawn(seed)
    found = []
    for rows in (X, X.toarray()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.fit(rows, y, sample_weight=weight)
        found.append([*estimator.coefs_, *estimator.intercepts_, estimator.predict(rows)])
    for sparse, dense in zip(*found, strict=True):
        np.testing.assert_array_equal(sparse, dense, err_msg=f"{estimator}")
