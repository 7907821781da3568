"""Samplers by name: Optuna's, seeded, and two that do not depend on the order of asking."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler

from ...errors import ArgumentTypeError
from ...runtime.random_streams import derived_seed
from ...utils import checks, optional
from ..study.studies import quiet
from .spaces import Space

#: Samplers that look at no result: their trials do not depend on how many are asked for at once.
OBLIVIOUS = ("grid", "random", "qmc")
#: Of TPE, one trial in so many explores: one of each round.
EXPLORING = 8


class CountedRandomSampler(BaseSampler):
    """Every value is a function of seed, trial number and name, whoever asks, and when.

    Optuna's own random sampler draws from one generator, so that its values depend on what was
    asked before.
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
    """Optuna's tree of Parzen estimators; of every `EXPLORING`-th trial the choices are random.

    By itself it may settle on some choices after a few lucky trials, and never look at others
    again. Numbers are as it proposes them, since what is good for one choice may be for another.
    Which trials explore, and their choices, follow from their numbers.
    """

    def __init__(self, seed: int, random: CountedRandomSampler):
        super().__init__(seed=seed, multivariate=True, group=True, constant_liar=True)
        self._counted = random

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        """Return what is proposed together; without choices in a trial that explores."""
        values = super().sample_relative(study, trial, search_space)
        if not _explores(trial):
            return values
        return {name: v for name, v in values.items() if not _is_choice(search_space[name])}

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: Any
    ) -> Any:
        """Draw a value by itself, at random for the choices of a trial that explores."""
        random = _explores(trial) and _is_choice(param_distribution)
        sampler: Any = self._counted if random else super()
        return sampler.sample_independent(study, trial, param_name, param_distribution)


def _explores(trial: Any) -> bool:
    return trial.number % EXPLORING == EXPLORING - 1


def _is_choice(distribution: Any) -> bool:
    return isinstance(distribution, optuna.distributions.CategoricalDistribution)


class GridSampler(optuna.samplers.GridSampler):
    """Optuna's, without stopping a study that is asked and told."""

    def after_trial(self, study: Any, trial: Any, state: Any, values: Any) -> None:
        """Nothing: the search never asks for more trials than the grid has points."""


def _cma(seed: int, space: Space, random: CountedRandomSampler) -> BaseSampler:
    optional.module("cmaes", extra="search", need="sampler='cma'")
    return optuna.samplers.CmaEsSampler(
        seed=seed, independent_sampler=random, warn_independent_sampling=False
    )


def _qmc(seed: int, space: Space, random: CountedRandomSampler) -> BaseSampler:
    return optuna.samplers.QMCSampler(
        seed=seed, scramble=True, independent_sampler=random, warn_independent_sampling=False
    )


#: Each is made from its seed, the space, and what draws single values by the seed of the search.
_SAMPLERS: dict[str, Callable[[int, Space, CountedRandomSampler], BaseSampler]] = {
    "tpe": lambda seed, space, random: ExploringTPESampler(seed, random),
    "random": lambda seed, space, random: random,
    "grid": lambda seed, space, random: GridSampler(space.grid(), seed=seed),
    "cma": _cma,
    "qmc": _qmc,
}


def sampler_of(sampler: Any, seed: int, key: tuple[int, ...], space: Space) -> BaseSampler:
    """A sampler of Optuna, or the one called so.

    Parameters
    ----------
    sampler : str or optuna.samplers.BaseSampler
    seed : int
        Of the search.
    key : tuple of int
        What tells this search from earlier and other ones in the same study: samplers that learn
        would else repeat their first draws.
    space : Space

    Raises
    ------
    ArgumentError, ArgumentTypeError
        It is neither; or a grid of a space that is not made of lists.
    MissingDependencyError
        The sampler is another package's that is not installed.
    """
    if isinstance(sampler, BaseSampler):
        return sampler
    if not isinstance(sampler, str):
        raise ArgumentTypeError(f"sampler must be a name or a sampler of Optuna, got {sampler!r}")
    make = checks.one_of("sampler", sampler, _SAMPLERS)
    own = seed if sampler in OBLIVIOUS else derived_seed(seed, *key)
    with quiet():
        return make(own % 2**32, space, CountedRandomSampler(seed % 2**32))
