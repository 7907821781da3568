"""Spaces of hyper-parameters: a dict of scales, or a function of a trial."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import ArgumentError, ArgumentTypeError
from .scales import Scale, scale_of


class Space(ABC):
    """A function from an Optuna trial to the parameters that `build` takes."""

    @abstractmethod
    def __call__(self, trial: Any) -> dict[str, Any]:
        """Draw all hyper-parameters of a trial."""

    @abstractmethod
    def grid(self) -> dict[str, list[Any]]:
        """Return all stored values of each hyper-parameter, by stored name.

        Raises
        ------
        ArgumentError
            There are infinitely many, or the space is a function.
        """

    @abstractmethod
    def describe(self) -> dict[str, str]:
        """Return a description that distinguishes this space from others."""

    def shown(self, name: str, value: Any) -> tuple[str, Any]:
        """Return the name and value that plots and reports show for a stored value."""
        return name, value

    def params(self, trial: Any) -> dict[str, Any]:
        """Return the parameters that `build` got in a stored trial."""
        from optuna.trial import FixedTrial

        return self(FixedTrial(trial.params, number=trial.number))


class DictSpace(Space):
    """Independent hyper-parameters, by name."""

    def __init__(self, scales: dict[str, Scale]):
        self._scales = scales
        self._stored = {scale.stored_name(name): name for name, scale in scales.items()}

    def __call__(self, trial: Any) -> dict[str, Any]:
        return {name: scale.suggest(trial, name) for name, scale in self._scales.items()}

    def grid(self) -> dict[str, list[Any]]:
        return {s.stored_name(name): s.grid(f"space[{name!r}]") for name, s in self._scales.items()}

    def shown(self, name: str, value: Any) -> tuple[str, Any]:
        own = self._stored[name]
        return self._scales[own].shown(own, value)

    def describe(self) -> dict[str, str]:
        return {name: repr(scale) for name, scale in self._scales.items()}


class FunctionSpace(Space):
    """Hyper-parameters that a function draws, some of them depending on others."""

    def __init__(self, suggest: Callable[[Any], Mapping[str, Any] | None]):
        self._suggest = suggest

    def __call__(self, trial: Any) -> dict[str, Any]:
        params = self._suggest(trial)
        if params is None:
            return dict(trial.params)
        if not isinstance(params, Mapping):
            raise ArgumentTypeError(
                "space must return a dict of parameters, or None for all that it asked the trial "
                f"for; it returned {type(params).__name__}"
            )
        return dict(params)

    def grid(self) -> dict[str, list[Any]]:
        raise ArgumentError("sampler='grid' needs a space that is a dict of lists, got a function")

    def describe(self) -> dict[str, str]:
        return {"function": getattr(self._suggest, "__qualname__", type(self._suggest).__name__)}


class StoredSpace(Space):
    """The space of a study that is loaded without its space: parameters are as stored."""

    def __init__(self, described: dict[str, str]):
        self._described = described

    def __call__(self, trial: Any) -> dict[str, Any]:
        raise ArgumentError("the space of the study is not known: give space")

    def params(self, trial: Any) -> dict[str, Any]:
        return dict(trial.params)

    def grid(self) -> dict[str, list[Any]]:
        raise ArgumentError("the space of the study is not known: give space")

    def describe(self) -> dict[str, str]:
        return self._described


def space_of(space: Any) -> Space:
    """Return the space that the argument of `search` describes."""
    if callable(space):
        return FunctionSpace(space)
    if not isinstance(space, Mapping):
        raise ArgumentTypeError(
            "space must be a dict from names to values, or a function of an Optuna trial, "
            f"got {type(space).__name__}"
        )
    if not space:
        raise ArgumentError("space is empty: there is nothing to search")
    for name in space:
        if not isinstance(name, str):
            raise ArgumentTypeError(f"names in space must be strings, got {name!r}")
    return DictSpace({name: scale_of(name, values) for name, values in space.items()})


def grid_size(grid: Mapping[str, list[Any]]) -> int:
    """Return the number of points."""
    return math.prod(map(len, grid.values()))
