"""Metrics: scores of predictions, by name from scikit-learn, or functions of the user."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..utils import checks, signatures
from . import ranking

CLASSIFICATION = frozenset({"multiclass", "binary"})
REGRESSION = frozenset({"regression"})
ALL = CLASSIFICATION | REGRESSION
THRESHOLD = 0.5  # probability from which a yes/no output counts as yes

#: Words in the names of values that ought to fall, and of those that ought to rise.
FALLING = ("error", "loss", "mae", "mse", "mape", "deviation", "distance")
RISING = ("acc", "auc", "precision", "recall", "f1", "r2", "score", "corr", "variance")


class Compared(Enum):
    """The kind of predictions that a metric compares."""

    DECISIONS = "class numbers or yes/no answers"
    VALUES = "targets, as class numbers or yes/no answers, with predicted probabilities or values"
    OWN = "targets and predictions as a function of the user takes them"


@dataclass(frozen=True)
class Metric:
    """A named score of predictions.

    `score` takes true and predicted rows, as `compares` says, sample weights or None, and the
    number of classes; `per_class` ones return an array, which is reported as name_0, name_1 …
    The score of a `mean` is the weighted mean of the rows' scores, so batches can be added up.
    `rises` tells whether larger is better; None is unknown.
    """

    name: str
    tasks: frozenset[str]
    score: Callable[..., float | np.ndarray]
    rises: bool | None = True
    compares: Compared = Compared.DECISIONS
    per_class: bool = False
    mean: bool = False

    def __reduce__(self) -> Any:
        if self.compares is Compared.OWN:
            return _own, (self.name, self.score)
        return _named, (self.name,)

    @property
    def in_pieces(self) -> bool:
        """True if decisions at most, and no other predictions, are kept until all are scored."""
        return self.mean or self.compares is Compared.DECISIONS

    def to_config(self) -> str | dict[str, str]:
        """Return the entry of model files: the name, or that of an object for `Network.load`."""
        if self.compares is Compared.OWN:
            return {"custom": "metric", "name": self.name}
        return self.name

    def names(self, classes: int) -> list[str]:
        """Return the names of the values that the metric reports."""
        return [f"{self.name}_{k}" for k in range(classes)] if self.per_class else [self.name]


def _sklearn(function: str, **options):
    """Return the scikit-learn metric of that name, imported when first used."""

    def score(true, predicted, weight, classes):
        import sklearn.metrics

        return getattr(sklearn.metrics, function)(true, predicted, sample_weight=weight, **options)

    return score


def _per_class(function: str):
    """Return a score of each class or output, NaN without samples and predictions."""

    def score(true, predicted, weight, classes):
        one_of_several = {"labels": np.arange(classes)} if true.ndim == 1 else {}
        per_class = _sklearn(function, average=None, zero_division=np.nan, **one_of_several)
        return per_class(true, predicted, weight, classes)

    return score


def _balanced_accuracy(true, predicted, weight, classes):
    """Return the mean recall of the classes that the rows have."""
    recalls = _per_class("recall_score")(true, predicted, weight, classes)
    present = np.unique(true if weight is None else true[weight > 0])
    return float(np.mean(recalls[present]))


def _table() -> dict[str, Metric]:
    values: dict[str, Any] = {"compares": Compared.VALUES}
    metrics = [
        Metric("accuracy", CLASSIFICATION, _sklearn("accuracy_score")),
        Metric("balanced_accuracy", CLASSIFICATION, ranking.by_output(_balanced_accuracy)),
        Metric(
            "matthews_corrcoef", CLASSIFICATION, ranking.by_output(_sklearn("matthews_corrcoef"))
        ),
        Metric("roc_auc", CLASSIFICATION, ranking.roc_auc, **values),
        Metric("average_precision", CLASSIFICATION, ranking.average_precision, **values),
        Metric("log_loss", CLASSIFICATION, ranking.log_loss, rises=False, mean=True, **values),
        Metric("r2", REGRESSION, _sklearn("r2_score"), **values),
        Metric("explained_variance", REGRESSION, _sklearn("explained_variance_score"), **values),
    ]
    for name, function, mean in (
        ("mae", "mean_absolute_error", True),
        ("mse", "mean_squared_error", True),
        ("mape", "mean_absolute_percentage_error", True),
        ("rmse", "root_mean_squared_error", False),
        ("median_absolute_error", "median_absolute_error", False),
    ):
        score = _sklearn(function)
        metrics.append(Metric(name, REGRESSION, score, rises=False, mean=mean, **values))
    for name in ("precision", "recall", "f1"):
        function = f"{name}_score"
        macro = _sklearn(function, average="macro", zero_division=0.0)
        metrics.append(Metric(name, CLASSIFICATION, macro))
        each = Metric(f"{name}_per_class", CLASSIFICATION, _per_class(function), per_class=True)
        metrics.append(each)
    return {metric.name: metric for metric in metrics}


#: Every metric, by name. Precision, recall and F1 are means over the classes, or one per class.
METRICS: dict[str, Metric] = _table()


def _named(name: str) -> Metric:
    """Return the metric that pickled as its name."""
    return METRICS[name]


# ---------------------------------------------------------------------------- functions of the user


@dataclass(frozen=True)
class OwnScore:
    """A function of the user as the score of a metric."""

    function: Callable[..., Any]

    def __call__(self, true: np.ndarray, predicted: np.ndarray, weight: Any, classes: int) -> float:
        weighted = signatures.accepts_keyword(self.function, "sample_weight")
        options = {"sample_weight": weight} if weighted else {}
        value = self.function(true, predicted, **options)
        number = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
        if not isinstance(number, (numbers.Real, np.bool_)):
            raise ArgumentTypeError(f"it must return a number, got {value!r:.80}")
        return float(number)


def _own(name: str, function: Any) -> Metric:
    score = function if isinstance(function, OwnScore) else OwnScore(function)
    rises = None
    for parts, rising in ((RISING, True), (FALLING, False)):
        if any(part in name for part in parts):
            rises = rising if rises is None else None
    return Metric(name, ALL, score, rises, Compared.OWN)


def own(function: Any, name: str | None = None) -> Metric:
    """Return a metric of the user's own; its name is that of the function unless given."""
    name = getattr(function, "__name__", type(function).__name__) if name is None else name
    if not isinstance(name, str) or not name.isidentifier():
        raise ArgumentError(
            f"a function among the metrics needs a name, such as {{'my_score': function}}; "
            f"got {name!r}"
        )
    if name in METRICS or name.startswith("val_") or name == "loss":
        raise ArgumentError(f"a metric of your own cannot be called {name!r}: that name is taken")
    takes_weight = signatures.accepts_keyword(function, "sample_weight")
    keywords = ["sample_weight"] * takes_weight
    signatures.require(f"metric {name!r}", function, ("targets", "predictions"), keywords)
    return _own(name, function)


# ---------------------------------------------------------------------------------------- arguments


def get(wanted: Any, task: str) -> tuple[Metric, ...]:
    """Return the metrics of these names, or functions; refuse those that do not fit the task."""
    if isinstance(wanted, Mapping):
        found = [_given(function, name) for name, function in wanted.items()]
    elif isinstance(wanted, str) or not isinstance(wanted, Sequence):
        raise ArgumentTypeError(
            "metrics must be a list of names and functions, or a dict of name to function, "
            f"got {wanted!r}"
        )
    else:
        found = [_given(metric) for metric in wanted]
    for metric in found:
        if task not in metric.tasks:
            fitting = ", ".join(m.name for m in METRICS.values() if task in m.tasks)
            raise ArgumentError(
                f"metric {metric.name!r} does not fit a {task} loss, which knows {fitting}"
            )
    known = [metric.name for metric in found]
    if twice := [name for name in known if known.count(name) > 1]:
        raise ArgumentError(f"metrics has {twice[0]!r} twice")
    return tuple(found)


def _given(metric: Any, name: str | None = None) -> Metric:
    if isinstance(metric, Metric):
        return metric
    if callable(metric):
        return own(metric, name)
    found = checks.one_of("metric", metric, METRICS)
    if name is not None and name != found.name:
        raise ArgumentError(f"metric {found.name!r} cannot be called {name!r}")
    return found


def names(metrics: Sequence[Metric], outputs: int) -> tuple[str, ...]:
    """Return the names of the scores of a network with so many outputs, in their order."""
    return tuple(name for metric in metrics for name in metric.names(max(outputs, 2)))


def rises(name: str, metrics: Sequence[Metric] = ()) -> bool | None:
    """Return whether a reported value ought to rise; None if unknown."""
    name = name.removeprefix("val_")
    for metric in (*metrics, *METRICS.values()):
        if name == metric.name or (metric.per_class and name.startswith(f"{metric.name}_")):
            return metric.rises
    return not any(part in name for part in FALLING)


# ------------------------------------------------------------------------------------------- scores


def decisions(task: str, values: np.ndarray) -> np.ndarray:
    """Return what scikit-learn's metrics compare: classes, yes/no columns, or float64 values.

    `values` are targets or predictions: (n,) class numbers or (n, outputs).
    """
    if task == "multiclass":
        return values if values.ndim == 1 else values.argmax(axis=1)
    if task == "binary":
        answers = (values >= THRESHOLD).astype(np.int64)
        return answers[:, 0] if answers.shape[1] == 1 else answers
    return values.astype(np.float64)  # squares of float32 may be beyond it


def compared(
    metric: Metric, task: str, target: np.ndarray, prediction: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return true and predicted rows as a metric takes them."""
    if metric.compares is Compared.DECISIONS:
        return decisions(task, target), decisions(task, prediction)
    if metric.compares is Compared.VALUES:
        target = decisions(task, target)
        single = task == "binary" and prediction.shape[1] == 1
        return target, prediction[:, 0] if single else prediction
    # One shape for both, or (n,) beside (n, 1) would become (n, n) when they are subtracted.
    if prediction.shape[1] == 1:
        return target.reshape(-1), prediction[:, 0]
    return target, prediction


def scored(
    metric: Metric, true: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None, classes: int
) -> np.ndarray:
    """Return the values that a metric reports, float64; NaN where no row weighs anything."""
    if weight is not None and not weight.any():
        return np.full(len(metric.names(classes)), math.nan)
    try:
        return np.atleast_1d(np.asarray(metric.score(true, predicted, weight, classes), float))
    except Exception as error:
        if metric.compares is not Compared.OWN:
            raise
        if isinstance(error, ArgumentTypeError):
            raise ArgumentTypeError(f"metric {metric.name!r}: {error}") from None
        error.add_note(f"raised by the metric {metric.name!r}")
        raise
