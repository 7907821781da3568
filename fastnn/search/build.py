"""Build models from parameters, with seeds derived from search and trial."""

from __future__ import annotations

import copy
from typing import Any

from ..errors import ArgumentTypeError
from ..network import Network
from ..runtime.random_streams import derived_seed, seeded
from .workers.jobs import Build, Task


class WrongModelError(ArgumentTypeError):
    """`build` returned something that cannot be trained."""


def model_for(build: Build, seed: int, params: dict[str, Any], number: int) -> Any:
    """Return the model that `build` makes of the parameters of trial `number`.

    A seed or `random_state` that `build` leaves open is a function of the seed of the search and
    the number of the trial.

    Raises
    ------
    WrongModelError
        It is neither a network nor an estimator.
    Exception
        Raised by `build`.
    """
    with seeded(seed, number):
        model = copy.deepcopy(build(dict(params)))  # build may return the same object again
    if isinstance(model, Network):
        return model
    if isinstance(model, type) or not (hasattr(model, "fit") and hasattr(model, "get_params")):
        raise WrongModelError(
            "build must return a fastnn.Network or an estimator of scikit-learn's kind, "
            f"got {model!r}"
        )
    open_ends = [
        name
        for name, value in sorted(model.get_params().items())
        if name.split("__")[-1] == "random_state" and value is None
    ]
    states = {name: derived_seed(seed, number, i) % 2**32 for i, name in enumerate(open_ends)}
    return model.set_params(**states)


def models_for(task: Task, params: dict[str, Any], number: int) -> list[Any]:
    """Return one model for each fold, all equal."""
    model = model_for(task.build, task.seed, params, number)
    return [model, *(copy.deepcopy(model) for _ in range(task.split.n_models - 1))]


def batch_size_for(task: Task, params: dict[str, Any]) -> int | None:
    """Return the batch size of a trial."""
    if callable(task.batch_size):
        return task.batch_size(dict(params))
    return task.batch_size
