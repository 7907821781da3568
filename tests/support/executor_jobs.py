"""Executors at hand, and what tests have their workers do; importable by these."""

import contextlib
import importlib
import os
import signal
import struct
import sys
import threading
import time
from multiprocessing import synchronize
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from small_searches import build


def needed(name):
    """A module that tests need, without which they are skipped, unless that is forbidden."""
    if os.environ.get("FASTNN_ALL_EXECUTORS") == "1":
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"{name} is not installed")


@contextlib.contextmanager
def dask_client(workers=2):
    """A client of a cluster of processes on this machine."""
    distributed = needed("distributed")
    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": ":0"}
    cluster = distributed.LocalCluster(silence_logs=50, **options)
    try:
        client = distributed.Client(cluster, timeout=600)
        yield client
        client.close(timeout=600)
    finally:
        cluster.close(timeout=600)


class Marks:
    """Files in a folder, by which processes count."""

    def __init__(self, folder):
        self.folder = str(folder)

    def leave(self, most):
        """Add a mark; return whether there were fewer than that before."""
        for number in range(most):
            with contextlib.suppress(FileExistsError):
                Path(self.folder, f"{number}-mark").touch(exist_ok=False)
                return True
        return False

    def __len__(self):
        return len(list(Path(self.folder).glob("*-mark")))


class Fatal:
    """A build that ends the worker process, the first so many times that it makes 4 units."""

    def __init__(self, folder, times):
        self.marks, self.times, self.searcher = Marks(folder), times, os.getpid()

    def __call__(self, params):
        if params["units"] == 4 and os.getpid() != self.searcher and self.marks.leave(self.times):
            os.kill(os.getpid(), signal.SIGKILL)
        return build(params)


class Noting:
    """A build that notes each process that unpickles it."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __call__(self, params):
        return build(params)

    def __setstate__(self, state):
        self.__dict__ = state
        with Path(self.folder, f"{os.getpid()}-loads").open("a") as file:
            file.write("x")

    def loads(self):
        """By process, how often."""
        return {
            int(path.name.partition("-")[0]): len(path.read_text())
            for path in Path(self.folder).glob("*-loads")
        }


def slow_build(params):
    time.sleep(0.1)
    return build(params)


class Interrupted:
    """A build that interrupts its worker, the first so many times, while it is at a trial."""

    def __init__(self, folder, times):
        self.marks, self.times, self.searcher = Marks(folder), times, os.getpid()

    def __call__(self, params):
        if os.getpid() != self.searcher and self.marks.leave(self.times):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)
        return build(params)


def interrupt_when_a_lock_is_taken():
    """Interrupt this process as soon as a lock of a queue is acquired, once."""
    acquire = synchronize.SemLock.__enter__

    def acquire_at_a_bad_moment(lock):
        acquire(lock)
        synchronize.SemLock.__enter__ = acquire
        os.kill(os.getpid(), signal.SIGINT)

    synchronize.SemLock.__enter__ = acquire_at_a_bad_moment


class InterruptedBetween:
    """A build that has its worker interrupted once, between this trial and the next."""

    def __init__(self, folder):
        self.marks, self.searcher = Marks(folder), os.getpid()

    def __call__(self, params):
        if os.getpid() != self.searcher and self.marks.leave(1):
            interrupt_when_a_lock_is_taken()
        return build(params)


def half_a_result():
    """Begin to send a result, of which the rest never comes."""
    frame = sys._getframe()
    while "result_queue" not in frame.f_locals:
        frame = frame.f_back
    os.write(frame.f_locals["result_queue"]._writer.fileno(), struct.pack("!i", 1000) + b"half")
    time.sleep(600)


def nap():
    time.sleep(20)


class OddError(Exception):
    """One that cannot be pickled, whatever libraries do to the pickling of exceptions."""

    def __init__(self, one, other):
        super().__init__(f"{one} and {other}")
        self.lock = threading.Lock()


def fails_oddly_for_two_units(params):
    if params["units"] == 2:
        raise OddError("one", "other")
    return build(params)


# ----------------------------------------------------------------------------------- estimators

#: In seconds.
SLEEP = 2.0


def logistic_regression(params):
    return LogisticRegression(**params)


class Estimator(BaseEstimator):
    def fit(self, X, y):
        return self

    def score(self, X, y):
        return 1.0


class Sleeping(Estimator):
    def fit(self, X, y):
        time.sleep(SLEEP)
        return self


class Writing(Estimator):
    def fit(self, X, y):
        X[:] = 0
        return self

    def score(self, X, y):
        X[:] = 1
        return 1.0


class Locked(Estimator):
    def fit(self, X, y):
        self.lock_ = threading.Lock()
        return self
