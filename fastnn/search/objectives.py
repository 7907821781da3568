"""Objectives: numbers that score a trained model, to be minimized or maximized."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names

from ..errors import ArgumentError, ArgumentTypeError
from ..metrics.scoring import METRICS, THRESHOLD, rises
from ..network import Network
from ..utils import checks
from ..utils.counting import count

Direction = Literal["minimize", "maximize"]
MINIMIZE: Direction = "minimize"
MAXIMIZE: Direction = "maximize"


#: Number of predictions whose median time is the latency.
_LATENCY_REPEATS = 31


@dataclass(frozen=True)
class Evaluation:
    """A trained model and the data that score it.

    Attributes
    ----------
    model : Network or estimator of scikit-learn's kind
    logs : mapping
        The values that the last epoch of a network reported.
    X, y : arrays
        The validation rows.
    """

    model: Any
    logs: Mapping[str, float]
    X: Any
    y: Any


@dataclass(frozen=True)
class Objective:
    """A number that scores a trained model.

    Attributes
    ----------
    name : str
    direction : {"minimize", "maximize"}
    measure : callable
        From an `Evaluation` to a number.
    """

    name: str
    direction: Direction
    measure: Callable[[Evaluation], float]

    @property
    def sign(self) -> int:
        """Factor that turns values into ones to be minimized."""
        return 1 if self.direction == MINIMIZE else -1


def objectives_of(objective: Any, direction: Any, model: Any) -> tuple[Objective, ...]:
    """Return the objectives that the arguments of `search` describe.

    Parameters
    ----------
    objective, direction
        The arguments of `search`.
    model : Network or estimator
        A result of `build`.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A name is unknown or does not suit the model; a direction is unknown, or their number is not
        that of the objectives.
    """
    several = isinstance(objective, Sequence) and not isinstance(objective, str)
    wanted = list(objective) if several else [objective]
    if not wanted:
        raise ArgumentError("objective is an empty list")
    directions = [direction] * len(wanted)
    if direction is not None and not isinstance(direction, str):
        directions = list(direction)
    if len(directions) != len(wanted):
        raise ArgumentError(
            f"direction has {count(len(directions), 'entry')} for {count(len(wanted), 'objective')}"
        )
    found = tuple(_objective(w, d, model) for w, d in zip(wanted, directions, strict=True))
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise ArgumentError(f"objective names one thing twice: {', '.join(names)}")
    return found


def _objective(wanted: Any, direction: str | None, model: Any) -> Objective:
    if wanted is None:
        wanted = "val_loss" if isinstance(model, Network) else "score"
    if callable(wanted):
        name = getattr(wanted, "__name__", None) or repr(wanted)
        found = Objective(name, MAXIMIZE, _Scorer(wanted))
    elif isinstance(wanted, str):
        found = _named(wanted, model)
    else:
        raise ArgumentTypeError(
            "objective must be a name, a scorer of scikit-learn, a function of (estimator, X, y), "
            f"or a list of them, got {wanted!r}"
        )
    if direction is None:
        return found
    chosen = checks.one_of("direction", direction, {d: d for d in (MINIMIZE, MAXIMIZE)})
    return Objective(found.name, chosen, found.measure)


def _named(name: str, model: Any) -> Objective:
    if name in _OWN:
        return _OWN[name]
    if name.startswith("val_"):
        return _reported(name, model)
    try:
        return Objective(name, MAXIMIZE, _Scorer(get_scorer(name)))
    except ValueError:
        reported = ["val_loss", *(f"val_{metric}" for metric in METRICS)]
        known = [*_OWN, *reported, *get_scorer_names()]
        raise checks.unknown_name("objective", name, known) from None


def _reported(name: str, model: Any) -> Objective:
    """Return the objective of a value that networks report after each epoch."""
    if not isinstance(model, Network):
        raise ArgumentError(
            f"objective {name!r} is reported by networks, but build returned a "
            f"{type(model).__name__}; choose a scorer of scikit-learn"
        )
    kind = name.removeprefix("val_")
    metrics = [metric.name for metric in model.metrics]
    if kind != "loss" and not any(kind.startswith(metric) for metric in metrics):
        raise ArgumentError(
            f"objective {name!r} is not reported: the networks that build returns have "
            f"metrics={metrics}"
        )
    return Objective(name, MAXIMIZE if rises(kind, model.metrics) else MINIMIZE, _Reported(name))


@dataclass(frozen=True)
class _Reported:
    """Measure a value that the last epoch reported."""

    name: str

    def __call__(self, evaluation: Evaluation) -> float:
        if self.name not in evaluation.logs:
            raise ArgumentError(f"objective {self.name!r} was not reported by {evaluation.model!r}")
        return evaluation.logs[self.name]


@dataclass(frozen=True)
class _Scorer:
    """Measure the score of a scorer of scikit-learn."""

    scorer: Callable[[Any, Any, Any], float]

    def __call__(self, evaluation: Evaluation) -> float:
        return float(self.scorer(as_estimator(evaluation.model), evaluation.X, evaluation.y))


def _parameters(evaluation: Evaluation) -> float:
    network = getattr(evaluation.model, "network_", evaluation.model)
    if not isinstance(network, Network):
        raise ArgumentTypeError(
            f"objective 'parameters' counts those of networks, not of {type(network).__name__}"
        )
    return network.n_parameters


def _latency(evaluation: Evaluation) -> float:
    """Return the median seconds of predicting one row."""
    row = evaluation.X.iloc[:1] if hasattr(evaluation.X, "iloc") else evaluation.X[:1]
    times = []
    for _ in range(_LATENCY_REPEATS):
        start = time.perf_counter()
        evaluation.model.predict(row)
        times.append(time.perf_counter() - start)
    return median(times)


def _score(evaluation: Evaluation) -> float:
    return float(evaluation.model.score(evaluation.X, evaluation.y))


_OWN = {
    "parameters": Objective("parameters", MINIMIZE, _parameters),
    "latency": Objective("latency", MINIMIZE, _latency),
    "score": Objective("score", MAXIMIZE, _score),
}


def mean_values(objectives: Sequence[Objective], folds: Sequence[Evaluation]) -> tuple[float, ...]:
    """Return the mean of each objective over the folds.

    Raises
    ------
    ArgumentError
        One of them is not finite.
    """
    values = []
    for objective in objectives:
        value = float(np.mean([objective.measure(evaluation) for evaluation in folds]))
        if not np.isfinite(value):
            raise ArgumentError(f"objective {objective.name!r} is {value}")
        values.append(value)
    return tuple(values)


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether a point is nowhere greater than another, and somewhere less."""
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def as_estimator(model: Any) -> Any:
    """Return a network as a fitted estimator of scikit-learn; an estimator as it is."""
    if not isinstance(model, Network):
        return model
    return _Regressor(model) if model.loss.task == "regression" else _Classifier(model)


class _Fitted(BaseEstimator):
    """A trained network with the interface of scikit-learn."""

    def __init__(self, network: Network):
        self.network = network

    def fit(self, X: Any, y: Any) -> Any:
        raise NotImplementedError("the network is trained already")

    def __sklearn_is_fitted__(self) -> bool:
        return True


class _Regressor(RegressorMixin, _Fitted):
    def predict(self, X: Any) -> np.ndarray:
        """Values, (n,) or (n, outputs)."""
        values = self.network.predict(X)
        return values[:, 0] if values.shape[1] == 1 else values


class _Classifier(ClassifierMixin, _Fitted):
    @property
    def classes_(self) -> np.ndarray:
        return np.arange(max(2, self.network.output_shape[0]))

    def predict(self, X: Any) -> np.ndarray:
        """Class numbers, (n,), or 0 and 1 for each label, (n, outputs)."""
        outputs = self.network.predict(X)
        if self.network.loss.task == "multiclass":
            return outputs.argmax(axis=1)
        decided = (outputs >= THRESHOLD).astype(np.int64)
        return decided[:, 0] if decided.shape[1] == 1 else decided

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, (n, classes), or of each label, (n, outputs)."""
        outputs = self.network.predict(X)
        if outputs.shape[1] == 1:
            return np.hstack([1 - outputs, outputs])
        return outputs
