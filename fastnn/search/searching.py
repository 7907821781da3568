"""The functions that users call: `search` and `load`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..runtime.interrupts import DeferredInterrupt
from ..utils import optional

if TYPE_CHECKING:
    from .result import SearchResult


def search(
    build: Callable[[dict[str, Any]], Any],
    space: Any,
    X: Any,
    y: Any,
    *,
    trials: int | None = None,
    timeout: float | None = None,
    sampler: Any = "tpe",
    pruner: Any = "none",
    objective: Any = None,
    direction: str | Sequence[str] | None = None,
    epochs: int = 10,
    batch_size: int | Callable[[dict[str, Any]], int | None] | None = 32,
    fit_params: Mapping[str, Any] | None = None,
    validation_data: tuple[Any, ...] | None = None,
    validation_fraction: float | None = None,
    cv: Any = None,
    min_epochs: int = 1,
    reduction_factor: int = 3,
    rungs: Sequence[int] | None = None,
    asynchronous: bool = False,
    concurrent_trials: int | None = None,
    seed: int | None = None,
    executor: Any = None,
    threads: int | None = None,
    storage: Any = None,
    study_name: str = "fastnn",
    callbacks: Sequence[Callable[[Any, Any], None]] = (),
    refit: bool = False,
    verbose: int = 1,
) -> SearchResult:
    """Search for hyper-parameters; needs Optuna.

    Parameters
    ----------
    build : function of a dict of parameters
        Returns a `Network`, or an estimator of scikit-learn's kind. A seed or `random_state` that
        it leaves open is derived from the seed of the search and the number of the trial.
    space : dict or function of an optuna.Trial
        From name to a list of values, a frozen distribution of scipy.stats, a distribution of
        Optuna, or a scale of this module (`log_uniform`, `momentum`, `log_integers` …). A function
        draws values from the trial, some perhaps depending on others, and returns the parameters;
        None stands for all that it drew. Scales have ``suggest(trial, name)``.
    X : array-like, shape (n, …)
    y : array-like, shape (n,) or (n, outputs)
    trials : int, optional
        Number of trials in the study, including those that its storage holds already and those that
        other searches run. A grid has at most its points, and by default all of them.
    timeout : float, optional
        Seconds after which networks end their epoch and the search ends. Values of trials that
        were cut short count only if no trial is complete.
    sampler : {"tpe", "random", "grid", "cma", "qmc"} or optuna.samplers.BaseSampler
        Tree of Parzen estimators over parameters that are drawn together, with random choices in
        every eighth trial; independent draws; all combinations; covariance matrix adaptation; or
        points of a scrambled Sobol' sequence.
    pruner : {"none", "median", "halving", "hyperband"} or optuna.pruners.BasePruner
        Ends trials early, at the `rungs`; the others continue. With "halving", the best of every
        `reduction_factor` go on from min_epochs to ``min_epochs · reduction_factor`` epochs, and so
        on; "hyperband" has brackets of that with later and later first rungs. Estimators are never
        pruned.
    objective : str, callable or list, optional
        "val_loss" (the default for networks) or any ``"val_…"`` that the metrics of the networks
        report; a scorer of scikit-learn, by name or as a function of (estimator, X, y); "score"
        (the default for estimators), the estimator's own; "parameters"; "latency", the median
        seconds of predicting one row. Several objectives give a Pareto front.
    direction : {"minimize", "maximize"} or list of them, optional
        By default, losses, errors, parameters and latency are minimised; scores, and all scorers
        of scikit-learn, are maximised.
    epochs : int
        Epochs of a trial that is not pruned.
    batch_size : int, None or function of the parameters
        Rows per update, as in `Network.fit`.
    fit_params : dict, optional
        Further arguments of the fit; of networks: sample_weight, class_weight, shuffle,
        augmentation.
    validation_data : (X, y) or (X, y, sample_weight), optional
        Data that score the trials.
    validation_fraction : float, optional
        Fraction of the rows to hold out instead, drawn by the seed; 0.2 by default.
    cv : int or splitter of scikit-learn, optional
        Cross-validation instead: one network per fold; values are the mean over the folds.
    min_epochs, reduction_factor : int
        Settings of "halving" and "hyperband".
    rungs : sequence of int, optional
        Epochs after which trials report and may be pruned: by default those of successive halving,
        and every epoch for other pruners.
    asynchronous : bool
        False: trials are trained in rounds; at each rung all report, then each is pruned or goes
        on, so that the search can be repeated exactly. True: each is decided as it reports, and a
        new trial replaces one that ends; with "halving", this is ASHA.
    concurrent_trials : int, optional
        Trials of a round, or running at a time. By default 8; with samplers that ignore results
        ("random", "grid", "qmc") all if they are pruned in rounds, and else 8 for each thread or
        worker, on which their trials do not depend.
    seed : int, optional
        In [0, 2**64). The same seed and arguments give the same trials, values and networks, for
        any number of threads and any executor; ``SearchResult.seed`` tells which was drawn.
    executor : concurrent.futures.Executor, or function that makes one, optional
        Where trials are trained: a pool of processes of the standard library, of loky or of
        mpi4py, a Dask client's ``get_executor()``. The data go to each worker once. An executor
        that a function makes is shut down at the end, and replaced if it breaks. None trains on
        threads of this process.
    threads : int, optional
        Maximum number of threads; `fastnn.get_num_threads` by default. With an executor, that of
        each worker, and 1 by default.
    storage : str or optuna.storages.BaseStorage, optional
        Where the study is kept: the URL of a database, such as "sqlite:///search.db", or
        "postgresql+psycopg://…" for several machines. A search continues a stored study, and shares
        it with others that run; trials of a search that was killed are run again. None keeps the
        study in memory.
    study_name : str
        Name of the study in the storage.
    callbacks : sequence of functions of (study, trial)
        Called after each trial, as in Optuna.
    refit : bool
        Train a network with the best parameters on all rows (other than validation_data), for as
        many epochs as that trial.
    verbose : {0, 1} or bool
        0 is silent, 1 shows a progress bar.

    Returns
    -------
    SearchResult
        Best parameters, value and network; all trials; the Pareto front; the study. After Ctrl-C,
        the results so far, if any trial has a value.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An argument cannot be used; the space is empty or has a value that is not hashable; several
        draws from the space cannot be built, or X and y do not suit what is built; the storage
        holds a search of other data or another one; the executor has workers in other processes,
        and `build` or something else cannot be pickled. No trial has begun.
    SearchError
        Every trial failed, or the storage did, for instance since the disk is full; the error's
        `result` is what was found until then. A single trial that fails is kept with its error,
        counts as the worst for the sampler, and the search goes on.
    ExecutorError
        A worker of an executor was killed, or it was shut down, and it can take no more work; the
        error's `result` is what was found until then.
    MissingDependencyError
        Optuna, or what the sampler or the storage needs, is not installed; Optuna and CMA-ES are
        of the extra ``search``.
    KeyboardInterrupt
        After Ctrl-C, if there is nothing to return.

    References
    ----------
    Akiba, Sano, Yanase, Ohta, Koyama: Optuna: a next-generation hyperparameter optimization
    framework. KDD 2019. Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht, Talwalkar: A
    system for massively parallel hyperparameter tuning. MLSys 2020 (ASHA).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastnn import Adam, Dense, Network
    >>> from fastnn.search import log_integers, log_uniform, search
    >>> X, y = load_digits(return_X_y=True)
    >>> def build(params):
    ...     layers = [Dense(params["units"], "relu"), Dense(10)]
    ...     optimizer = Adam(params["learning_rate"])
    ...     return Network(layers, loss="softmax_cross_entropy", optimizer=optimizer)
    >>> space = {"units": log_integers(8, 64), "learning_rate": log_uniform(1e-4, 1e-1)}
    >>> result = search(
    ...     build, space, X / 16, y, trials=9, sampler="random", pruner="halving", epochs=9,
    ...     objective="accuracy", seed=0, verbose=0,
    ... )
    >>> result.best_value > 0.9
    True
    >>> sorted(result.best_params)
    ['learning_rate', 'units']
    >>> result.trials["epochs"].tolist().count(9)
    1
    """
    with DeferredInterrupt(waiting=True):  # one imported by half fails later
        optional.module("optuna", extra="search", need="fastnn.search.search")
        from .arguments import Arguments
        from .report.settings import settings_of
        from .run import run

    arguments = Arguments(
        trials=trials,
        timeout=timeout,
        sampler=sampler,
        pruner=pruner,
        objective=objective,
        direction=direction,
        epochs=epochs,
        batch_size=batch_size,
        fit_params=fit_params or {},
        validation_data=validation_data,
        validation_fraction=validation_fraction,
        cv=cv,
        min_epochs=min_epochs,
        reduction_factor=reduction_factor,
        rungs=rungs,
        asynchronous=asynchronous,
        concurrent_trials=concurrent_trials,
        seed=seed,
        executor=executor,
        threads=threads,
        storage=storage,
        study_name=study_name,
        callbacks=callbacks,
        refit=refit,
        verbose=verbose,
    )
    return run(build, space, X, y, arguments, settings_of(vars(arguments), search))


def load(storage: Any, study_name: str = "fastnn", *, space: Any = None) -> SearchResult:
    """Return the result of a search that a storage holds, finished or running.

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
    with DeferredInterrupt(waiting=True):
        optional.module("optuna", extra="search", need="fastnn.search.load")
        from ..errors import ArgumentError
        from .objectives import Objective
        from .result import SearchResult
        from .space.spaces import StoredSpace, space_of
        from .study.best_models import BestModels
        from .study.storages import storage_of
        from .study.studies import SEARCH, SEED, best_trials, check_same_search, find_study

    path = storage.removeprefix("sqlite:///") if isinstance(storage, str) else ""
    if path != storage and path and not os.path.exists(path):
        raise ArgumentError(f"storage {storage!r} does not exist")
    study = find_study(storage_of(storage).base, study_name)
    if study is None:
        raise ArgumentError(f"the storage holds no study {study_name!r}")
    described = study.user_attrs.get(SEARCH, {})
    known = StoredSpace(described.get("space", {})) if space is None else space_of(space)
    check_same_search(study, {"space": known.describe()})
    if not best_trials(study):
        raise ArgumentError(f"no trial of study {study_name!r} has a value yet")
    objectives = tuple(
        Objective(name, direction, _cannot_measure)
        for name, direction in described["objective"].items()
    )
    return SearchResult(study, known, objectives, study.user_attrs[SEED], BestModels(objectives))


def _cannot_measure(evaluation: Any) -> float:
    raise NotImplementedError("a search that was loaded is to be looked at")
