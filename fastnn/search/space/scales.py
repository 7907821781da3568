"""Scales: the distribution of one hyper-parameter.

A scale draws the value that the study stores, and converts it to the value that `build` gets. The
two are mostly equal; otherwise the stored name says what is stored.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ArgumentError, ArgumentTypeError
from ...utils import checks

#: Types of choices that every storage of Optuna can hold.
STORABLE = (type(None), bool, int, float, str)

#: Names of the log-uniform distribution in scipy.stats.
_LOGARITHMIC = ("loguniform", "reciprocal")


class Scale(ABC):
    """The distribution of one hyper-parameter; for a space, or a function of a trial.

    Examples
    --------
    >>> import optuna
    >>> from fastnn.search import log_integers
    >>> trial = optuna.trial.FixedTrial({"units": 32})
    >>> log_integers(8, 128).suggest(trial, "units")
    32
    """

    @abstractmethod
    def suggest(self, trial: Any, name: str) -> Any:
        """Return a value of the hyper-parameter `name`, drawn by an Optuna trial."""

    def stored_name(self, name: str) -> str:
        """Return the name under which the study stores it."""
        return name

    def shown(self, name: str, stored: Any) -> tuple[str, Any]:
        """Return the name and value that plots and reports show for a stored value."""
        return self.stored_name(name), stored

    def grid(self, name: str) -> list[Any]:
        """Return all values as the study stores them.

        Raises
        ------
        ArgumentError
            There are infinitely many.
        """
        raise ArgumentError(
            f"sampler='grid' needs the values of {name} as a list, got {self}, which is continuous"
        )


@dataclass(frozen=True)
class Real(Scale):
    """Numbers in [low, high], uniform or uniform in their logarithm."""

    low: float
    high: float
    log: bool = False

    def suggest(self, trial: Any, name: str) -> float:
        return trial.suggest_float(name, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class Integer(Scale):
    """Integers in [low, high], uniform or uniform in their logarithm."""

    low: int
    high: int
    log: bool = False

    def suggest(self, trial: Any, name: str) -> int:
        return trial.suggest_int(name, self.low, self.high, log=self.log)

    def grid(self, name: str) -> list[Any]:
        return list(range(self.low, self.high + 1))


@dataclass(frozen=True)
class Momentum(Scale):
    """Numbers β in [low, high] with uniform log(1 − β); the study stores 1 − β."""

    low: float
    high: float

    def suggest(self, trial: Any, name: str) -> float:
        stored = self.stored_name(name)
        return 1 - trial.suggest_float(stored, 1 - self.high, 1 - self.low, log=True)

    def stored_name(self, name: str) -> str:
        return f"1 - {name}"


class Choice(Scale):
    """One of several values; the study stores the names of values that storages cannot hold."""

    def __init__(self, name: str, values: Sequence[Any]):
        values = list(values)
        if not values:
            raise ArgumentError(f"space[{name!r}] is an empty list")
        self._values = dict(zip(_labels(name, values), values, strict=True))

    def __repr__(self) -> str:
        return repr(list(self._values.values()))

    def suggest(self, trial: Any, name: str) -> Any:
        return self._values[trial.suggest_categorical(name, list(self._values))]

    def grid(self, name: str) -> list[Any]:
        return list(self._values)


def _labels(name: str, values: list[Any]) -> list[Any]:
    """Return the stored form of each value: itself, or its name if any is not storable."""
    for i, value in enumerate(values):
        try:
            hash(value)
        except TypeError:
            hint = "; use a tuple" if isinstance(value, list) else ""
            raise ArgumentTypeError(
                f"space[{name!r}][{i}] is {value!r}, which is not hashable{hint}"
            ) from None
    labels = values
    if not all(isinstance(value, STORABLE) for value in values):
        labels = [getattr(value, "__qualname__", None) or repr(value) for value in values]
    for i, label in enumerate(labels):
        if label in labels[:i]:
            raise ArgumentError(f"space[{name!r}] holds {label!r} twice")
    return labels


class Frozen(Scale):
    """A frozen distribution of scipy.stats; the study stores quantiles, in (0, 1)."""

    #: The least quantile, so that values are finite where the distribution is unbounded.
    EDGE = 2.0**-53

    def __init__(self, distribution: Any):
        self._distribution = distribution

    def __repr__(self) -> str:
        kind = self._distribution.dist.name
        arguments = [str(a) for a in self._distribution.args]
        arguments += [f"{key}={value}" for key, value in self._distribution.kwds.items()]
        return f"{kind}({', '.join(arguments)})"

    def suggest(self, trial: Any, name: str) -> float | int:
        quantile = trial.suggest_float(self.stored_name(name), self.EDGE, 1 - self.EDGE)
        return self._value(quantile)

    def _value(self, quantile: float) -> float | int:
        value = self._distribution.ppf(quantile)
        return float(value) if hasattr(self._distribution.dist, "pdf") else int(value)

    def stored_name(self, name: str) -> str:
        return f"quantile of {name}"

    def shown(self, name: str, stored: Any) -> tuple[str, Any]:
        return name, self._value(stored)


class Optuna(Scale):
    """A distribution of Optuna."""

    def __init__(self, distribution: Any):
        self._distribution = distribution

    def __repr__(self) -> str:
        return repr(self._distribution)

    def suggest(self, trial: Any, name: str) -> Any:
        spread = self._distribution
        if hasattr(spread, "choices"):
            return trial.suggest_categorical(name, spread.choices)
        suggest = trial.suggest_int if isinstance(spread.low, int) else trial.suggest_float
        return suggest(name, spread.low, spread.high, step=spread.step, log=spread.log)

    def grid(self, name: str) -> list[Any]:
        spread = self._distribution
        if hasattr(spread, "choices"):
            return list(spread.choices)
        if spread.step is None:
            return super().grid(name)
        steps = math.floor((spread.high - spread.low) / spread.step + 1e-8)
        return [spread.low + i * spread.step for i in range(steps + 1)]


def scale_of(name: str, values: Any) -> Scale:
    """Return the scale that an entry of a space describes.

    Parameters
    ----------
    name : str
    values : Scale, list of values, frozen distribution of scipy.stats, or distribution of Optuna

    Raises
    ------
    ArgumentError, ArgumentTypeError
        It is none of them, is empty, or has a value that is not hashable or occurs twice.
    """
    if isinstance(values, Scale):
        return values
    if hasattr(values, "ppf") and hasattr(values, "dist"):
        return _frozen(name, values)
    if hasattr(values, "to_internal_repr"):
        return Optuna(values)
    if isinstance(values, np.ndarray):
        return Choice(name, values.tolist())
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        return Choice(name, values)
    raise ArgumentTypeError(
        f"space[{name!r}] must be a list of values, a frozen distribution of scipy.stats, a "
        f"distribution of Optuna or a scale of fastnn.search, got {values!r}"
    )


def _frozen(name: str, distribution: Any) -> Scale:
    """Return the scale of a distribution that Optuna has too, else one of quantiles."""
    kind = distribution.dist.name
    low, high = distribution.support()
    if not low < high:  # NaN for invalid parameters
        raise ArgumentError(
            f"space[{name!r}] is {Frozen(distribution)}, which has no values"
            + (": a logarithmic range must begin above 0" if kind in _LOGARITHMIC else "")
        )
    if kind == "uniform":
        return Real(float(low), float(high))
    if kind == "randint":
        return Integer(int(low), int(high))
    if kind in _LOGARITHMIC and math.isclose(distribution.median() ** 2, low * high):  # not shifted
        return Real(float(low), float(high), log=True)
    return Frozen(distribution)


def _bounds(ends: tuple[Any, Any], **limits: Any) -> tuple[float, float]:
    low, high = checks.number("low", ends[0], **limits), checks.number("high", ends[1], **limits)
    if low >= high:
        raise ArgumentError(f"low must be below high, got {low:g} and {high:g}")
    return low, high


def uniform(low: float, high: float) -> Scale:
    """Return a uniform scale of numbers in [low, high], for dropout rates and the like.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The bounds are not finite numbers, low before high.

    Examples
    --------
    >>> from fastnn.search import uniform
    >>> uniform(0, 0.5)
    Real(low=0.0, high=0.5, log=False)
    """
    return Real(*_bounds((low, high)))


def log_uniform(low: float, high: float) -> Scale:
    """Return a log-uniform scale of numbers in [low, high], for learning rates and penalties.

    The order of magnitude of a learning rate matters. Drawn uniformly from [0.0001, 1],
    nine values of ten are above 0.1; on the logarithmic scale, each decade gets a quarter.

    Parameters
    ----------
    low, high : float
        Above 0, low before high.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The bounds are not so.

    References
    ----------
    Bergstra, Bengio: Random search for hyper-parameter optimization. JMLR 13, 2012, section 2.

    Examples
    --------
    >>> from fastnn.search import log_uniform
    >>> log_uniform(1e-4, 1e-1)
    Real(low=0.0001, high=0.1, log=True)
    """
    return Real(*_bounds((low, high), low=0, open_low=True), log=True)


def momentum(low: float, high: float) -> Scale:
    """Return a scale of numbers β in [low, high] with log-uniform 1 − β, for momentum and decay.

    A running mean with momentum β looks back over some 1 / (1 − β) steps: from 0.9 to 0.9005
    nothing changes, from 0.999 to 0.9995 its memory doubles. So it is 1 − β that has an order of
    magnitude, and 1 − β that the study stores, as "1 - " and the name.

    Parameters
    ----------
    low, high : float
        In [0, 1), low before high.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The bounds are not so.

    Examples
    --------
    >>> from fastnn.search import momentum
    >>> momentum(0.9, 0.999)
    Momentum(low=0.9, high=0.999)
    """
    return Momentum(*_bounds((low, high), low=0, high=1, open_high=True))


def integers(low: int, high: int) -> Scale:
    """Return a uniform scale of the integers low to high, for numbers of layers.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The bounds are not integers, low before high.

    Examples
    --------
    >>> from fastnn.search import integers
    >>> integers(2, 4)
    Integer(low=2, high=4, log=False)
    """
    low = checks.integer("low", low, low=-(2**63))
    return Integer(low, checks.integer("high", high, low=low))


def log_integers(low: int, high: int) -> Scale:
    """Return a log-uniform scale of the integers low to high, for numbers of units.

    From 16 to 32 units is a large step, from 1016 to 1032 none: what counts is the ratio.

    Parameters
    ----------
    low, high : int
        At least 1, low before high.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The bounds are not so.

    Examples
    --------
    >>> from fastnn.search import log_integers
    >>> log_integers(16, 512)
    Integer(low=16, high=512, log=True)
    """
    low = checks.integer("low", low, low=1)
    return Integer(low, checks.integer("high", high, low=low), log=True)
