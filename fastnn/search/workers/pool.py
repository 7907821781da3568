"""Run jobs on an executor: submit batches, collect outcomes, resubmit lost jobs."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from ...errors import ExecutorError
from ...runtime.interrupts import DeferredInterrupt
from .executors import Given, RenewableExecutor, cancel, slots
from .jobs import Job, Outcome, Task, Workers
from .local import LocalWorkers
from .remote import Reply, Undone
from .sigint import sigint_deferred
from .transport import NoWorkersError, transport_to

#: Seconds that a batch of small jobs should take, so that transport does not matter.
BATCH_SECONDS = 0.25

#: Seconds after the timeout in which workers may end their epochs.
GRACE_SECONDS = 60.0

#: Seconds between checks of the deadline and of new workers while waiting.
POLL_SECONDS = 1.0

#: A job that was lost so often runs alone, to tell whether it kills workers; lost again, it has
#: failed.
MAX_LOSSES = 2


def workers_for(
    task: Task, executor: Given | None, threads: int | None
) -> AbstractContextManager[Workers]:
    """Return the workers of an executor, or the threads of this process."""
    if executor is None:
        return nullcontext(LocalWorkers(task, threads))
    return ExecutorWorkers(task, executor, threads or 1)


@dataclass
class _QueuedJob:
    """A job, and how often it was lost with its worker."""

    job: Job
    losses: int = 0

    @property
    def epochs(self) -> int:
        return self.job.epochs - self.job.done


@dataclass(frozen=True)
class _Batch:
    """Jobs that were submitted together, and their executor."""

    queued: list[_QueuedJob]
    executor: Executor

    @property
    def isolated(self) -> bool:
        return self.queued[0].losses >= MAX_LOSSES


class ExecutorWorkers:
    """The workers of an executor.

    A worker gets a batch only when it is free, so that the remaining time is known. Outcomes do not
    depend on the batches.

    Parameters
    ----------
    task : Task
    executor : Executor, or function that makes one
        An executor stays open; those that a function makes are shut down.
    threads : int
        Threads of each batch.

    Raises
    ------
    ArgumentTypeError
        The task cannot be sent to other processes.
    """

    def __init__(self, task: Task, executor: Given, threads: int):
        self._executor = RenewableExecutor(executor)
        self._threads = threads
        self._waiting: deque[_QueuedJob] = deque()
        self._running: dict[Future[Reply | Undone], _Batch] = {}
        self._done: list[Outcome] = []
        # Futures that are done. A KeyboardInterrupt within concurrent.futures.wait would leave one
        # of them locked, and the pool waiting for it.
        self._ended: SimpleQueue[Future[Reply | Undone]] = SimpleQueue()
        self._abandoned: dict[Future[Reply | Undone], _Batch] = {}
        self._deadline = math.inf
        self._seconds = self._epochs = 0.0  # of all batches so far
        try:
            self._transport = transport_to(self._executor.current, task)
        except BaseException:
            self._executor.close(kill=True)
            raise

    def __enter__(self) -> ExecutorWorkers:
        return self

    def __exit__(self, *exception: object) -> None:
        with DeferredInterrupt() as interrupt, interrupt.section():
            calls = self._running | self._abandoned
            for future, batch in calls.items():
                cancel(batch.executor, future)
            try:
                self._executor.close(kill=not all(future.done() for future in calls))
            finally:
                self._transport.close()

    @property
    def slots(self) -> int:
        """Number of batches at once."""
        try:
            return slots(self._executor.current)
        except Exception as error:  # a client that lost its cluster
            for future, batch in self._running.items():
                cancel(batch.executor, future)
            self._executor.renew(self._executor.current, error)
            return slots(self._executor.current)

    def start(self, jobs: Sequence[Job]) -> None:
        """Queue jobs, which `finished` submits."""
        self._waiting.extend(map(_QueuedJob, jobs))

    def finished(self, max_time: float | None) -> list[Outcome]:
        """Run jobs until at least one is done; return the outcomes of those that are.

        Raises
        ------
        ExecutorError
            The executor can take no more work.
        """
        if max_time is not None:  # the remaining time of the search
            self._deadline = min(self._deadline, time.monotonic() + max_time)
        try:
            while not self._done and (self._waiting or self._running):
                self._check_deadline()
                self._dispatch()
                if not self._done:
                    self._collect()
        except ExecutorError:
            if not self._done:  # else the next call raises it
                raise
        done, self._done = self._done, []
        return done

    # ------------------------------------------------------------------------------- submitting

    def _dispatch(self) -> None:
        """Submit a batch for each free worker."""
        workers = self.slots
        while self._waiting and not any(batch.isolated for batch in self._running.values()):
            suspected = self._waiting[0].losses >= MAX_LOSSES
            if len(self._running) >= (min(1, workers) if suspected else workers):
                return
            if not self._submit(self._next_batch(workers)):
                return

    def _next_batch(self, workers: int) -> list[_QueuedJob]:
        """Return jobs that take `BATCH_SECONDS` together, at most the share of one worker."""
        share = math.ceil(len(self._waiting) / workers)
        batch = [self._waiting.popleft()]
        pace = self._seconds / self._epochs if self._epochs else math.inf
        expected = batch[0].epochs * pace
        while len(batch) < share and not (batch[0].losses or self._waiting[0].losses):
            expected += self._waiting[0].epochs * pace
            if expected > BATCH_SECONDS:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _submit(self, queued: list[_QueuedJob]) -> bool:
        """Submit a batch; return False if there was no worker."""
        prepared: list[Any] = []
        for item in list(queued):
            try:
                prepared.append(self._transport.encode(item.job))
            except Exception as error:
                self._done.append(Outcome(item.job.number, error=error))
                queued.remove(item)
        if not queued:
            return True
        left = self._deadline - time.monotonic()
        max_time = None if left == math.inf else max(1e-9, left)
        executor = self._executor.current
        try:
            with sigint_deferred() if self._transport.immediate else nullcontext():
                future = self._transport.submit(executor, prepared, self._threads, max_time)
                self._running[future] = _Batch(queued, executor)
                future.add_done_callback(self._ended.put)
        except NoWorkersError:
            self._waiting.extendleft(reversed(queued))
            return False
        except Exception as error:
            self._resubmit(_Batch(queued, executor), error, broken=True)
        return True

    # ------------------------------------------------------------------------------- collecting

    def _collect(self) -> None:
        """Wait up to `POLL_SECONDS` for batches; receive those that are done, successes first."""
        left = self._deadline - time.monotonic()
        limit = min(POLL_SECONDS, left if left > 0 else max(0.0, left + GRACE_SECONDS))
        if not self._running:  # no workers
            time.sleep(limit if self._waiting else 0)
        for future in sorted(self._wait(limit), key=_has_failed):
            self._receive(future, self._running.pop(future))

    def _wait(self, seconds: float) -> list[Future[Reply | Undone]]:
        """Return futures that are done and not abandoned, after at most so many seconds."""
        done: list[Future[Reply | Undone]] = []
        if not self._running:
            return done
        with suppress(Empty):
            done.append(self._ended.get(timeout=seconds))
            while True:
                done.append(self._ended.get_nowait())
        return [future for future in done if future in self._running]

    def _receive(self, future: Future[Reply | Undone], batch: _Batch) -> None:
        try:
            reply = future.result()
            outcomes = [] if isinstance(reply, Undone) else self._transport.decode(reply)
        except Exception as error:
            self._resubmit(batch, error, broken=isinstance(error, BrokenExecutor))
            return
        if isinstance(reply, Undone):
            if reply is Undone.NO_TASK:
                self._transport.on_missing_task()
            self._waiting.extendleft(reversed(batch.queued))
            return
        self._seconds += reply.seconds
        self._epochs += sum(item.epochs for item in batch.queued)
        self._done += outcomes

    def _resubmit(self, batch: _Batch, error: Exception, *, broken: bool) -> None:
        """Resubmit lost jobs, each by itself, or let them fail."""
        for item in reversed(batch.queued):
            item.losses += 1
            if item.losses > MAX_LOSSES:
                self._done.append(Outcome(item.job.number, error=_loss_error(error)))
            else:
                self._waiting.appendleft(item)
        if broken:
            self._executor.renew(batch.executor, error)

    def _check_deadline(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            self._give_up_waiting()
        if left <= -GRACE_SECONDS:
            self._give_up_running()

    def _give_up(self, queued: Iterable[_QueuedJob], *, touched: bool) -> None:
        """End jobs after the timeout, without models if those may be changing (`touched`)."""
        for item in queued:
            job = item.job
            models = None if touched else job.models
            self._done.append(Outcome(job.number, epochs=job.done, models=models))

    def _give_up_waiting(self) -> None:
        """End the jobs that have not begun, after the timeout."""
        self._give_up(self._waiting, touched=False)
        self._waiting.clear()

    def _give_up_running(self) -> None:
        """End the jobs that still run after `GRACE_SECONDS`."""
        for future, batch in self._running.items():
            cancel(batch.executor, future)
            self._give_up(batch.queued, touched=not self._transport.copies)
        self._abandoned |= self._running
        self._running.clear()


def _loss_error(error: Exception) -> Exception:
    """Return the error of a lost job; that of a cancelled future has no message."""
    if isinstance(error, CancelledError):
        return ExecutorError(f"the executor lost the trial {MAX_LOSSES + 1} times, with its worker")
    return error


def _has_failed(future: Future[Reply | Undone]) -> bool:
    return future.cancelled() or future.exception() is not None
