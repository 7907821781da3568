"""Train jobs on threads of this process: networks as one population, or estimators."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from ...errors import ArgumentError, ArgumentTypeError
from ...network import Network
from ...runtime.threads import get_num_threads
from ...training.population import fit_population
from ..build import batch_size_for, model_for, models_for
from ..objectives import Evaluation, mean_values
from .jobs import Job, Outcome, Task


class LocalWorkers:
    """Workers on the threads of this process.

    Parameters
    ----------
    task : Task
    threads : int or None
        Maximum number; None is `fastnn.get_num_threads`.
    """

    def __init__(self, task: Task, threads: int | None):
        self._task, self._threads = task, threads
        self._jobs: list[Job] = []

    @property
    def slots(self) -> int:
        """Number of threads."""
        return self._threads or get_num_threads()

    def start(self, jobs: Sequence[Job]) -> None:
        """Queue jobs, which `finished` runs."""
        self._jobs += jobs

    def finished(self, max_time: float | None) -> list[Outcome]:
        """Run all jobs; return their outcomes in order."""
        jobs, self._jobs = self._jobs, []
        return train(self._task, jobs, threads=self._threads, max_time=max_time)


def train(
    task: Task, jobs: Sequence[Job], *, threads: int | None = None, max_time: float | None = None
) -> list[Outcome]:
    """Run jobs side by side; return their outcomes in order, each independent of the others."""
    outcomes: dict[int, Outcome] = {}
    networks: list[Job] = []
    estimators: list[Job] = []
    for job in jobs:
        try:
            ready = (
                job if job.models else replace(job, models=models_for(task, job.params, job.number))
            )
        except Exception as error:
            outcomes[job.number] = Outcome(job.number, error=error)
            continue
        assert ready.models is not None
        (networks if isinstance(ready.models[0], Network) else estimators).append(ready)
    done = _train_networks(task, networks, threads, max_time) if networks else []
    done += _train_estimators(task, estimators, threads) if estimators else []
    outcomes |= {outcome.number: outcome for outcome in done}
    return [outcomes[job.number] for job in jobs]


def _train_networks(
    task: Task, jobs: Sequence[Job], threads: int | None, max_time: float | None
) -> list[Outcome]:
    """Train the networks of all jobs as one population; halve it if a network is invalid."""
    try:
        return _population(task, jobs, threads, max_time)
    except (ArgumentError, ArgumentTypeError) as error:
        # Nothing was trained. If one network is invalid, the others still train.
        if len(jobs) == 1:
            return [Outcome(jobs[0].number, error=error)]
        half = len(jobs) // 2
        first = _train_networks(task, jobs[:half], threads, max_time)
        return first + _train_networks(task, jobs[half:], threads, max_time)


def _population(
    task: Task, jobs: Sequence[Job], threads: int | None, max_time: float | None
) -> list[Outcome]:
    split, members = task.split, task.split.n_models
    population = fit_population(
        [model for job in jobs for model in job.models or ()],
        task.X,
        task.y,
        batch_size=[size for job in jobs for size in [batch_size_for(task, job.params)] * members],
        epochs=[epochs for job in jobs for epochs in [job.epochs - job.done] * members],
        folds=list(split.folds) * len(jobs) or None,
        validation_data=split.validation_data,
        threads=threads,
        max_time=max_time,
        on_error="record",
        **task.fit_params,
    )
    outcomes = []
    for i, job in enumerate(jobs):
        own = slice(i * members, (i + 1) * members)
        failed = [error for error in population.errors[own] if error is not None]
        if failed:
            outcomes.append(Outcome(job.number, error=failed[0]))
            continue
        histories = population.histories[own]
        if not all(history.epoch for history in histories):
            untouched = not any(history.epoch for history in histories)
            models = job.models if untouched else None
            outcomes.append(Outcome(job.number, epochs=job.done, models=models))
            continue
        logs = [{name: values[-1] for name, values in history.items()} for history in histories]
        epochs = job.done + min(len(history.epoch) for history in histories)
        outcomes.append(_evaluate(task, job, epochs, logs))
    return outcomes


def _train_estimators(task: Task, jobs: Sequence[Job], threads: int | None) -> list[Outcome]:
    """Fit estimators, each on one thread of Python."""
    with ThreadPoolExecutor(threads or get_num_threads()) as pool:
        return list(pool.map(lambda job: _fit_estimators(task, job), jobs))


def _fit_estimators(task: Task, job: Job) -> Outcome:
    try:
        for member, estimator in enumerate(job.models or ()):
            weight = task.fit_params.get("sample_weight")
            X, y, weight = task.split.training(member, task.X, task.y, weight)
            params = {} if weight is None else {"sample_weight": weight}
            estimator.fit(X, y, **(task.fit_params | params))
    except Exception as error:
        return Outcome(job.number, error=error)
    return _evaluate(task, job, task.epochs, [{}] * task.split.n_models)


def _evaluate(task: Task, job: Job, epochs: int, logs: Sequence[dict[str, float]]) -> Outcome:
    """Return the outcome of a job with trained models."""
    models = list(job.models or ())
    try:
        folds = [
            Evaluation(model, own, *task.split.validation(member, task.X, task.y))
            for member, (model, own) in enumerate(zip(models, logs, strict=True))
        ]
        return Outcome(job.number, mean_values(task.objectives, folds), epochs, models)
    except Exception as error:
        return Outcome(job.number, error=error)


def refit(task: Task, params: dict[str, Any], number: int, epochs: int) -> Any:
    """Return the model of a trial, trained anew on all rows."""
    model = model_for(task.build, task.seed, params, number)
    if not isinstance(model, Network):
        return model.fit(task.X, task.y, **task.fit_params)
    size = batch_size_for(task, params)
    model.fit(task.X, task.y, batch_size=size, epochs=epochs, verbose=0, **task.fit_params)
    return model
