"""scikit-learn's MLPClassifier and MLPRegressor."""

from __future__ import annotations

import warnings

import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from workloads import Workload

NEVER = 10**9


def version() -> str:
    return sklearn.__version__


def _fitted(workload: Workload, shuffle: bool):
    """Return an estimator with the workload's first weights, ready to go on from there."""
    estimator = MLPRegressor if workload.regression else MLPClassifier
    mlp = _fit(
        estimator(
            hidden_layer_sizes=workload.sizes[1:-1],
            alpha=0,
            batch_size=workload.batch,
            learning_rate_init=workload.learning_rate,
            max_iter=1,
            shuffle=shuffle,
            random_state=0,
            tol=0,
            n_iter_no_change=NEVER,
            warm_start=True,
        ),
        *workload.data,
    )
    if not _one_for_two_classes(workload):
        mlp.coefs_ = [w.copy() for w in workload.weights[::2]]
        mlp.intercepts_ = [b.copy() for b in workload.weights[1::2]]
    return mlp.set_params(max_iter=workload.epochs)


def _fit(mlp, x, y):
    with warnings.catch_warnings():  # the number of epochs is ours to say
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mlp.fit(x, y)


def _one_for_two_classes(workload: Workload) -> bool:
    """Return whether one logistic output stands for two classes, with other weights and losses."""
    return workload.sizes[-1] == 2


def trainer(workload: Workload, shuffle: bool = True):
    mlp, (x, y) = _fitted(workload, shuffle), workload.data
    halved = 2 if workload.regression else 1  # its squared error has a factor 1/2

    def train():
        _fit(mlp, x, y)
        return [halved * loss for loss in mlp.loss_curve_[-workload.epochs :]]

    return train


def comparable(workload: Workload) -> bool:
    """Return whether its losses can be held against those of the others."""
    return not _one_for_two_classes(workload)


def predictor(workload: Workload):
    mlp, row = _fitted(workload, shuffle=True), workload.data[0][:1]
    predict = mlp.predict if workload.regression else mlp.predict_proba
    return lambda: predict(row)
