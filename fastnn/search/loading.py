"""A search that a storage holds, to look at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..utils import optional

if TYPE_CHECKING:
    from .result import SearchResult


def load(storage: Any, study_name: str = "fastnn", *, space: Any = None) -> SearchResult:
    """The result of a search that a storage holds, be it over or still under way.

    Everything but the networks is there: parameters, trials, plots, the report. To get the network,
    or to go on, call `search` again with the same arguments and `storage`.

    Parameters
    ----------
    storage : str or optuna.storages.BaseStorage
        As `search` had it.
    study_name : str
    space : dict or function of an optuna.Trial, optional
        As `search` had it. Without it, parameters are as the study stores them: 1 − β for a
        momentum, quantiles for a distribution of SciPy's, names for objects.

    Returns
    -------
    SearchResult

    Raises
    ------
    ArgumentError
        The storage cannot be opened, holds no such study, or none of this package's; none of its
        trials has a value yet; or it is the study of another space.
    MissingDependencyError
        Optuna, or the driver of the database, is not installed.

    Examples
    --------
    >>> import fastnn, optuna
    >>> storage = optuna.storages.InMemoryStorage()
    >>> def build(params):
    ...     return fastnn.Network([fastnn.Dense(2)], loss="softmax_cross_entropy",
    ...                           optimizer=fastnn.SGD(params["rate"]))
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    >>> found = fastnn.search.search(build, {"rate": [0.1, 1.0]}, X, y, sampler="grid", epochs=3,
    ...                              storage=storage, seed=0, verbose=0)
    >>> fastnn.search.load(storage).best_value == found.best_value
    True
    """
    optional.module("optuna", extra="search", need="fastnn.search.load")
    from ..errors import ArgumentError
    from .keeping import Keeper
    from .objectives import Objective
    from .result import SearchResult
    from .spaces import StoredSpace, space_of
    from .storages import storage_of
    from .studies import SEARCH, SEED, best_trials, check_same_search, known_study

    path = storage.removeprefix("sqlite:///") if isinstance(storage, str) else ""
    if path != storage and path and not os.path.exists(path):
        raise ArgumentError(f"storage {storage!r} does not exist")
    study = known_study(storage_of(storage).base, study_name)
    if study is None:
        raise ArgumentError(f"the storage holds no study {study_name!r}")
    described = study.user_attrs.get(SEARCH, {})
    known = StoredSpace(described.get("space", {})) if space is None else space_of(space)
    check_same_search(study, {"space": known.describe()})
    if not best_trials(study):
        raise ArgumentError(f"no trial of study {study_name!r} has a value yet")
    objectives = tuple(
        Objective(name, direction, _judge) for name, direction in described["objective"].items()
    )
    return SearchResult(study, known, objectives, study.user_attrs[SEED], Keeper(objectives))


def _judge(judged: Any) -> float:
    raise NotImplementedError("a search that was loaded is to be looked at")
