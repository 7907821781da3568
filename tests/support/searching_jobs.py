"""Searches in processes of their own, to be joined and killed."""

import functools
import multiprocessing
import time

import optuna
from small_searches import run

from fastnn.search import log_uniform
from fastnn.search.study.storages import OWNER, storage_of

RATES = {"units": [2, 4, 8], "rate": log_uniform(1e-3, 1.0)}

HANGS = []

#: Forked from a server that has imported everything: a search begins at once.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    ["searching_jobs", "fastnn.search.run", "optuna.storages._rdb.models", "alembic.command"]
)


def negative_loss(estimator, X, y):
    """A scorer that a searcher may be told to hang in."""
    if HANGS:
        time.sleep(600)
    return -estimator.network.evaluate(X, y)["loss"]


def search(url, options):
    HANGS.extend([True] * options.pop("hangs", False))
    run(**{"space": RATES, "storage": url, "concurrent_trials": 4} | options)


def start(url, **options):
    """A process that searches."""
    process = processes.Process(target=search, args=(url, options), daemon=True)
    process.start()
    return process


def end(process, timeout=6000):
    """Wait until a search is over; it must have come to its end."""
    process.join(timeout)
    if process.is_alive():
        process.kill()
        process.join()
    assert process.exitcode == 0


@functools.cache
def opened(url):
    return storage_of(url).base


def trials(url):
    """Return the trials in a storage, without a search; none where it is not there yet."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.load_study(study_name="fastnn", storage=opened(url)).get_trials()
    except KeyError:
        return []


def wait_until(condition, timeout=600):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def running(url):
    """Trials that are under way, by the searcher that has them."""
    found = {}
    for trial in trials(url):
        if trial.state == optuna.trial.TrialState.RUNNING:
            found.setdefault(trial.system_attrs[OWNER], []).append(trial.number)
    return found
