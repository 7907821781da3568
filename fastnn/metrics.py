"""Metrics by name, computed by scikit-learn on the predictions of a whole epoch or data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from . import checks
from .errors import ArgumentError, ArgumentTypeError

CLASSIFICATION = frozenset({"multiclass", "binary"})
REGRESSION = frozenset({"regression"})
THRESHOLD = 0.5  # probability from which a yes/no output counts as yes


@dataclass(frozen=True)
class Metric:
    """A named score of predictions.

    `score` takes true and predicted decisions (or values), sample weights and the number of
    classes; `per_class` ones return an array, which is reported as name_0, name_1 …
    """

    name: str
    tasks: frozenset[str]
    score: Callable[[np.ndarray, np.ndarray, np.ndarray | None, int], float | np.ndarray]
    per_class: bool = False

    def __reduce__(self) -> tuple[Callable[[str], Metric], tuple[str]]:
        return _named, (self.name,)


def _sklearn(function: str, **options):
    """The scikit-learn metric of that name, imported when first used."""

    def score(true, predicted, weight, classes):
        import sklearn.metrics

        return getattr(sklearn.metrics, function)(true, predicted, sample_weight=weight, **options)

    return score


def _per_class(function: str):
    """One value per class or output, NaN where a class has neither samples nor predictions."""

    def score(true, predicted, weight, classes):
        one_of_several = {"labels": np.arange(classes)} if true.ndim == 1 else {}
        per_class = _sklearn(function, average=None, zero_division=np.nan, **one_of_several)
        return per_class(true, predicted, weight, classes)

    return score


def _table() -> dict[str, Metric]:
    rows = [
        Metric("accuracy", CLASSIFICATION, _sklearn("accuracy_score")),
        Metric("r2", REGRESSION, _sklearn("r2_score")),
        Metric("mae", REGRESSION, _sklearn("mean_absolute_error")),
    ]
    for name in ("precision", "recall", "f1"):
        function = f"{name}_score"
        macro = _sklearn(function, average="macro", zero_division=0.0)
        rows.append(Metric(name, CLASSIFICATION, macro))
        rows.append(Metric(f"{name}_per_class", CLASSIFICATION, _per_class(function), True))
    return {row.name: row for row in rows}


#: Every metric, by name. Precision, recall and F1 are means over the classes, or one per class.
METRICS: dict[str, Metric] = _table()


def _named(name: str) -> Metric:
    """How a metric pickles: as its name."""
    return METRICS[name]


def get(names: Sequence[str | Metric], task: str) -> tuple[Metric, ...]:
    """The metrics called `names`, or given; one that does not fit the task is refused."""
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise ArgumentTypeError(f"metrics must be a list of names, got {names!r}")
    metrics = tuple(
        name if isinstance(name, Metric) else checks.member("metric", name, METRICS)
        for name in names
    )
    for metric in metrics:
        if task not in metric.tasks:
            fitting = ", ".join(m.name for m in METRICS.values() if task in m.tasks)
            raise ArgumentError(
                f"metric {metric.name!r} does not fit a {task} loss, which knows {fitting}"
            )
    return metrics


def decisions(task: str, values: np.ndarray) -> np.ndarray:
    """What scikit-learn's metrics compare: class numbers, yes/no columns, or float64 values.

    `values` are targets or predictions: (n,) class numbers or (n, outputs).
    """
    if task == "multiclass":
        return values if values.ndim == 1 else values.argmax(axis=1)
    if task == "binary":
        answers = (values >= THRESHOLD).astype(np.int64)
        return answers[:, 0] if answers.shape[1] == 1 else answers
    return values.astype(np.float64)  # squares of float32 may be beyond it


def evaluate(
    metrics: Sequence[Metric],
    task: str,
    target: np.ndarray,
    prediction: np.ndarray,
    weight: np.ndarray | None,
) -> dict[str, float]:
    """Scores by name of predictions against prepared targets."""
    if not metrics:
        return {}
    true, predicted = decisions(task, target), decisions(task, prediction)
    classes = max(prediction.shape[1], 2)
    scores: dict[str, float] = {}
    for metric in metrics:
        value = metric.score(true, predicted, weight, classes)
        if metric.per_class:
            scores |= {f"{metric.name}_{k}": float(v) for k, v in enumerate(np.atleast_1d(value))}
        else:
            scores[metric.name] = float(value)
    return scores
