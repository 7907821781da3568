"""The result of `fit_population`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from ...model.base_network import BaseNetwork
from ...model.history import History
from ...utils.counting import count

N = TypeVar("N", bound=BaseNetwork)


@dataclass(frozen=True, repr=False)
class Population(Generic[N]):
    """Networks that were trained side by side, with their histories and errors.

    Attributes
    ----------
    networks : tuple of Network
        As they were given.
    histories : tuple of History
        The epochs of this call, network by network; of one that failed, those before.
    errors : tuple of Exception or None
        What ended the training of a network, where something did.
    out_of_time : bool
        Whether `max_time` ended before all epochs were done.
    seconds : float
        That the call took.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network, fit_population
    >>> X = np.random.default_rng(0).normal(size=(40, 3))
    >>> networks = [Network([Dense(1)], loss="huber", seed=seed) for seed in range(3)]
    >>> population = fit_population(networks, X, X.sum(axis=1), epochs=2)
    >>> len(population), population.failed, population.histories[0].epoch
    (3, (), [1, 2])
    """

    networks: tuple[N, ...]
    histories: tuple[History, ...]
    errors: tuple[Exception | None, ...]
    out_of_time: bool
    seconds: float

    @property
    def failed(self) -> tuple[int, ...]:
        """Return the indices of the networks with an error."""
        return tuple(i for i, error in enumerate(self.errors) if error is not None)

    def __len__(self) -> int:
        return len(self.networks)

    def __repr__(self) -> str:
        epochs = sum(len(history.epoch) for history in self.histories)
        ends = [f"{len(self.failed)} failed"] * bool(self.failed)
        ends += ["out of time"] * self.out_of_time
        facts = [
            count(len(self), "network"),
            count(epochs, "epoch"),
            f"{self.seconds:.3g} s",
            *ends,
        ]
        return f"Population({', '.join(facts)})"
