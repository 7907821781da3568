"""Objectives: what a trained model is judged by, and whether more of it is better."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names

from ..errors import ArgumentError, ArgumentTypeError, unknown_name
from ..metrics.scoring import METRICS, THRESHOLD, rises
from ..network import Network
from ..utils import checks

Direction = Literal["minimize", "maximize"]
MINIMIZE: Direction = "minimize"
MAXIMIZE: Direction = "maximize"


#: Predictions of which the latency is the median.
_LATENCY_REPEATS = 31


@dataclass(frozen=True)
class Judged:
    """A trained model and what it is judged on.

    Attributes
    ----------
    model : Network or estimator of scikit-learn's kind
    logs : mapping
        What the last epoch of a network reported.
    X, y : arrays
        The validation rows.
    """

    model: Any
    logs: Mapping[str, float]
    X: Any
    y: Any


@dataclass(frozen=True)
class Objective:
    """One number about a trained model.

    Attributes
    ----------
    name : str
    direction : {"minimize", "maximize"}
    measure : callable
        Takes a `Judged`, gives a number.
    """

    name: str
    direction: Direction
    measure: Callable[[Judged], float]

    @property
    def sign(self) -> int:
        """What a value is multiplied by so that less is better."""
        return 1 if self.direction == MINIMIZE else -1


def objectives_of(objective: Any, direction: Any, model: Any) -> tuple[Objective, ...]:
    """The objectives that the arguments of `search` describe.

    Parameters
    ----------
    objective, direction
        As `search` takes them.
    model : Network or estimator
        One that `build` made.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A name is unknown, or the model cannot be judged by it; a direction is not one, or there are
        more or fewer of them than objectives.
    """
    several = isinstance(objective, Sequence) and not isinstance(objective, str)
    wanted = list(objective) if several else [objective]
    if not wanted:
        raise ArgumentError("objective is an empty list")
    directions = [direction] * len(wanted)
    if direction is not None and not isinstance(direction, str):
        directions = list(direction)
    if len(directions) != len(wanted):
        raise ArgumentError(f"direction has {len(directions)} entries for {len(wanted)} objectives")
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
        found = Objective(name, MAXIMIZE, _Scored(wanted))
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
        return Objective(name, MAXIMIZE, _Scored(get_scorer(name)))
    except ValueError:
        reported = ["val_loss", *(f"val_{metric}" for metric in METRICS)]
        known = [*_OWN, *reported, *get_scorer_names()]
        raise unknown_name("objective", name, known) from None


def _reported(name: str, model: Any) -> Objective:
    """What a network reports of its validation rows after each epoch."""
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
    """What the last epoch reported."""

    name: str

    def __call__(self, judged: Judged) -> float:
        if self.name not in judged.logs:
            raise ArgumentError(f"objective {self.name!r} was not reported by {judged.model!r}")
        return judged.logs[self.name]


@dataclass(frozen=True)
class _Scored:
    """The verdict of a scorer as scikit-learn has them."""

    scorer: Callable[[Any, Any, Any], float]

    def __call__(self, judged: Judged) -> float:
        return float(self.scorer(as_estimator(judged.model), judged.X, judged.y))


def _parameters(judged: Judged) -> float:
    network = getattr(judged.model, "network_", judged.model)
    if not isinstance(network, Network):
        raise ArgumentTypeError(
            f"objective 'parameters' counts those of networks, not of {type(network).__name__}"
        )
    return network.n_parameters


def _latency(judged: Judged) -> float:
    """Median seconds of predicting one row."""
    row = judged.X.iloc[:1] if hasattr(judged.X, "iloc") else judged.X[:1]
    times = []
    for _ in range(_LATENCY_REPEATS):
        start = time.perf_counter()
        judged.model.predict(row)
        times.append(time.perf_counter() - start)
    return median(times)


def _score(judged: Judged) -> float:
    return float(judged.model.score(judged.X, judged.y))


_OWN = {
    "parameters": Objective("parameters", MINIMIZE, _parameters),
    "latency": Objective("latency", MINIMIZE, _latency),
    "score": Objective("score", MAXIMIZE, _score),
}


def mean_values(objectives: Sequence[Objective], folds: Sequence[Judged]) -> tuple[float, ...]:
    """Each objective's mean over the folds.

    Raises
    ------
    ArgumentError
        One of them is not finite.
    """
    values = []
    for objective in objectives:
        value = float(np.mean([objective.measure(judged) for judged in folds]))
        if not np.isfinite(value):
            raise ArgumentError(f"objective {objective.name!r} is {value}")
        values.append(value)
    return tuple(values)


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether one point is nowhere greater than another, and somewhere less."""
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def as_estimator(model: Any) -> Any:
    """A network as a fitted estimator; an estimator as it is."""
    if not isinstance(model, Network):
        return model
    return _Regressor(model) if model.loss.task == "regression" else _Classifier(model)


class _Fitted(BaseEstimator):
    """What both have: the `network`, and that it needs no fit."""

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
