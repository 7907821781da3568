"""What an executor runs in its worker processes."""

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

#: Tasks that a process keeps at hand: that of the search, and of another that shares the executor.
CAPACITY = 2


class Tasks:
    """The tasks that this process knows, by key; the one used longest ago is let go first."""

    def __init__(self, capacity: int):
        self._capacity = capacity
        self._known: OrderedDict[str, Task] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, source: str | np.ndarray) -> Task | None:
        """The task, from its block or the path of a file of it; None if there is no such file.

        A file is mapped, so that all processes of a machine share its pages; what one of them
        writes to its arrays, only that one sees.
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
        """Let a task go."""
        with self._lock:
            self._known.pop(key, None)


tasks = Tasks(CAPACITY)


@dataclass(frozen=True)
class Reply:
    """What became of some jobs.

    Attributes
    ----------
    seconds : float
        That they took.
    outcomes : list
        Of `Outcome`, each of them pickled if the reply comes from another process.
    """

    seconds: float
    outcomes: list[Any]


class Undone(Enum):
    """Why a worker has done nothing: it cannot get at the task, or was interrupted."""

    NO_TASK = "no task"
    INTERRUPTED = "interrupted"


def work(
    key: str,
    source: str | np.ndarray,
    backend: str,
    jobs: Sequence[bytes],
    threads: int,
    max_time: float | None,
) -> Reply | Undone:
    """Do some pickled jobs of a task in this process."""
    try:
        with guard.job(sys._getframe().f_back):
            return _work(key, source, backend, jobs, threads, max_time)
    except KeyboardInterrupt:
        return Undone.INTERRUPTED


def _work(
    key: str,
    source: str | np.ndarray,
    backend: str,
    jobs: Sequence[bytes],
    threads: int,
    max_time: float | None,
) -> Reply | Undone:
    if isinstance(source, str) and not os.path.exists(source):  # the search is over, or elsewhere
        return Undone.NO_TASK
    task = tasks.get(key, source)
    if task is None:
        return Undone.NO_TASK
    if kernels.active_backend() != backend:
        kernels.use(backend)  # and for later: other threads may train here, too
    with _own_threads(threads):
        reply = work_here(task, [pickle.loads(job) for job in jobs], threads, max_time)
    return replace(reply, outcomes=[_sent(outcome) for outcome in reply.outcomes])


def work_here(task: Task, jobs: Sequence[Job], threads: int, max_time: float | None) -> Reply:
    """Do some jobs."""
    start = time.perf_counter()
    outcomes = train(task, jobs, threads=threads, max_time=max_time)
    return Reply(time.perf_counter() - start, outcomes)


async def forget(key: str) -> None:
    """Let a task go, which is over; run by Dask, which waits for none but coroutines."""
    tasks.forget(key)


@contextmanager
def _own_threads(threads: int) -> Iterator[None]:
    """Hold OpenMP and BLAS to so many threads; every core has a worker that wants it already.

    Only in a process that does one thing at a time, since some of those limits are the process's.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with threadpool_limits(threads):
        yield


def _sent(outcome: Outcome) -> bytes:
    """An outcome, pickled, if need be without what does not pickle."""
    if outcome.error is not None:
        return pickled(replace(outcome, error=_that_travels(outcome.error)))
    try:
        return pickled(outcome)
    except Exception as error:
        complaint = ArgumentTypeError(
            f"the trained model cannot be sent back: {type(error).__name__}: {error}"
        )
        return pickled(Outcome(outcome.number, error=complaint))


def _that_travels(error: Exception) -> Exception:
    """The error with its traceback as a note, as something that can be unpickled."""
    story = "in a worker of the executor:\n" + "".join(traceback.format_exception(error))
    try:
        error.add_note(story)
        pickle.loads(pickled(error))
    except Exception:
        error = SearchError(f"{type(error).__name__}: {error}")
        error.add_note(story)
    return error
