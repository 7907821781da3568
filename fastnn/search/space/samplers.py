"""Samplers by name: Optuna's, seeded, and two that do not depend on the order of calls."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler

from ...errors import ArgumentTypeError
from ...runtime.interrupts import DeferredInterrupt
from ...runtime.random_streams import derived_seed
from ...utils import checks, optional
from ..study.studies import quiet
from .spaces import Space

#: Samplers that ignore results: their trials do not depend on the size of a round.
NON_ADAPTIVE = ("grid", "random", "qmc")
#: Every n-th trial of TPE explores: one of each round.
EXPLORATION_PERIOD = 8


class CountedRandomSampler(BaseSampler):
    """A random sampler whose values are a function of seed, trial number and parameter name.

    Optuna's own draws from one generator, so that its values depend on earlier draws.
    """

    def __init__(self, seed: int):
        self._seed = seed

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: Any
    ) -> Any:
        key = np.random.SeedSequence([self._seed, trial.number, zlib.crc32(param_name.encode())])
        once = optuna.samplers.RandomSampler(int(key.generate_state(1)[0]))
        return once.sample_independent(study, trial, param_name, param_distribution)


class ExploringTPESampler(optuna.samplers.TPESampler):
    """Optuna's TPE with random choices in every `EXPLORATION_PERIOD`-th trial.

    By itself it may stick to some choices after a few lucky trials and never draw others again.
    Numbers stay as it proposes them. Which trials explore follows from their numbers.
    """

    def __init__(self, seed: int, random: CountedRandomSampler):
        super().__init__(seed=seed, multivariate=True, group=True, constant_liar=True)
        self._counted = random

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        """Return the values that are drawn jointly, without choices in a trial that explores."""
        values = super().sample_relative(study, trial, search_space)
        if not _explores(trial):
            return values
        return {name: v for name, v in values.items() if not _is_choice(search_space[name])}

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: Any
    ) -> Any:
        """Draw one value, at random for the choices of a trial that explores."""
        random = _explores(trial) and _is_choice(param_distribution)
        sampler: Any = self._counted if random else super()
        return sampler.sample_independent(study, trial, param_name, param_distribution)


def _explores(trial: Any) -> bool:
    return trial.number % EXPLORATION_PERIOD == EXPLORATION_PERIOD - 1


def _is_choice(distribution: Any) -> bool:
    return isinstance(distribution, optuna.distributions.CategoricalDistribution)


class GridSampler(optuna.samplers.GridSampler):
    """Optuna's grid sampler for a study that is asked and told, without `Study.stop`."""

    def after_trial(self, study: Any, trial: Any, state: Any, values: Any) -> None:
        """Do nothing: a search never asks for more trials than the grid has points."""


def _cma(seed: int, space: Space, random: CountedRandomSampler) -> BaseSampler:
    with DeferredInterrupt(waiting=True):
        optional.module("cmaes", extra="search", need="sampler='cma'")
    return optuna.samplers.CmaEsSampler(
        seed=seed, independent_sampler=random, warn_independent_sampling=False
    )


def _qmc(seed: int, space: Space, random: CountedRandomSampler) -> BaseSampler:
    return optuna.samplers.QMCSampler(
        seed=seed, scramble=True, independent_sampler=random, warn_independent_sampling=False
    )


#: Factories: of a seed, the space, and the sampler of single values.
_SAMPLERS: dict[str, Callable[[int, Space, CountedRandomSampler], BaseSampler]] = {
    "tpe": lambda seed, space, random: ExploringTPESampler(seed, random),
    "random": lambda seed, space, random: random,
    "grid": lambda seed, space, random: GridSampler(space.grid(), seed=seed),
    "cma": _cma,
    "qmc": _qmc,
}


def sampler_of(sampler: Any, seed: int, key: tuple[int, ...], space: Space) -> BaseSampler:
    """Return the sampler of a name, or one of Optuna as it is.

    Parameters
    ----------
    sampler : str or optuna.samplers.BaseSampler
    seed : int
        The seed of the search.
    key : tuple of int
        Distinguishes searches of one study: adaptive samplers would repeat their first draws.
    space : Space

    Raises
    ------
    ArgumentError, ArgumentTypeError
        It is neither, or a grid of a space that is not finite.
    MissingDependencyError
        The package of the sampler is not installed.
    """
    if isinstance(sampler, BaseSampler):
        return sampler
    if not isinstance(sampler, str):
        raise ArgumentTypeError(f"sampler must be a name or a sampler of Optuna, got {sampler!r}")
    make = checks.one_of("sampler", sampler, _SAMPLERS)
    own = seed if sampler in NON_ADAPTIVE else derived_seed(seed, *key)
    with quiet():
        return make(own % 2**32, space, CountedRandomSampler(seed % 2**32))
