"""Functions that an executor runs in its worker processes."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ... import kernels
from ...errors import ArgumentTypeError, SearchError
from .jobs import Job, Outcome, Task
from .local import train
from .packing import pickled, unpack
from .sigint import guard

#: Tasks that a process keeps: that of a search, and of another that shares the executor.
CAPACITY = 2


class TaskCache:
    """A cache of tasks by key, which evicts the least recently used."""

    def __init__(self, capacity: int):
        self._capacity = capacity
        self._known: OrderedDict[str, Task] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, source: str | np.ndarray) -> Task | None:
        """Return the task from its block, or the path of its file; None if there is no such file.

        A file is mapped copy-on-write, so that all processes of a machine share its pages.
        """
        with self._lock:
            if key not in self._known:
                try:
                    block = np.memmap(source, np.uint8, "c") if isinstance(source, str) else source
                except OSError:
                    return None
                self._known[key] = unpack(block)
                if len(self._known) > self._capacity:
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
            return self._known[key]

    def forget(self, key: str) -> None:
        """Remove a task."""
        with self._lock:
            self._known.pop(key, None)


tasks = TaskCache(CAPACITY)


@dataclass(frozen=True)
class Reply:
    """The outcomes of some jobs.

    Attributes
    ----------
    seconds : float
        Time that they took.
    outcomes : list
        Outcomes, each of them pickled if the reply comes from another process.
    """

    seconds: float
    outcomes: list[Any]


class Undone(Enum):
    """The reason why a worker ran no jobs: it cannot read the task, or was interrupted."""

    NO_TASK = "no task"
    INTERRUPTED = "interrupted"


def run_jobs(
    key: str,
    source: str | np.ndarray,
    backend: str,
    jobs: Sequence[bytes],
    threads: int,
    max_time: float | None,
) -> Reply | Undone:
    """Run pickled jobs of a task in this process."""
    try:
        with guard.job(sys._getframe().f_back):
            over = isinstance(source, str) and not os.path.exists(source)  # or on another machine
            task = None if over else tasks.get(key, source)
            if task is None:
                return Undone.NO_TASK
            if kernels.active_backend() != backend:
                kernels.use(backend)  # not undone: other threads may train here, too
            with _limited_threads(threads):
                reply = run_jobs_here(task, [pickle.loads(job) for job in jobs], threads, max_time)
            return replace(reply, outcomes=[_encode(outcome) for outcome in reply.outcomes])
    except KeyboardInterrupt:
        return Undone.INTERRUPTED


def run_jobs_here(task: Task, jobs: Sequence[Job], threads: int, max_time: float | None) -> Reply:
    """Run jobs in this process."""
    start = time.perf_counter()
    outcomes = train(task, jobs, threads=threads, max_time=max_time)
    return Reply(time.perf_counter() - start, outcomes)


async def forget(key: str) -> None:
    """Remove a task that is over; a coroutine, since Dask awaits only those."""
    tasks.forget(key)


@contextmanager
def _limited_threads(threads: int) -> Iterator[None]:
    """Limit the threads of OpenMP and BLAS, since every core has its worker.

    Only in the main thread, since some of these limits hold for the whole process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with threadpool_limits(threads):
        yield


def _encode(outcome: Outcome) -> bytes:
    """Pickle an outcome; replace what does not pickle by an error."""
    if outcome.error is not None:
        return pickled(replace(outcome, error=_picklable_error(outcome.error)))
    try:
        return pickled(outcome)
    except Exception as error:
        complaint = ArgumentTypeError(
            f"the trained model cannot be sent back: {type(error).__name__}: {error}"
        )
        return pickled(Outcome(outcome.number, error=complaint))


def _picklable_error(error: Exception) -> Exception:
    """Return the error with its traceback as a note, replaced if it cannot be unpickled."""
    story = "in a worker of the executor:\n" + "".join(traceback.format_exception(error))
    try:
        error.add_note(story)
        pickle.loads(pickled(error))
    except Exception:
        error = SearchError(f"{type(error).__name__}: {error}")
        error.add_note(story)
    return error
