"""Jobs done by an executor: given out in batches, taken back, and given out again if lost."""

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
from .executors import Given, Pool, cancel, slots
from .jobs import Job, Outcome, Task, Workers
from .local import LocalWorkers
from .remote import Reply, Undone
from .sigint import whole_submission
from .transport import NobodyThereError, delivery_to

#: Seconds that a batch of small jobs should take, so that sending it about does not matter.
BATCH_SECONDS = 0.25

#: Seconds after the end of the search's time in which workers may end their epochs.
PATIENCE = 60.0

#: Seconds after which a search that waits looks whether time is up, or a worker has joined.
LOOK_ABOUT = 1.0

#: A job that was lost so often is run with nothing beside, to tell whether it is to blame; if it is
#: lost again, it has failed.
LOSSES = 2


def workers_for(
    task: Task, executor: Given | None, threads: int | None
) -> AbstractContextManager[Workers]:
    """Those of an executor, or the threads of this process."""
    if executor is None:
        return nullcontext(LocalWorkers(task, threads))
    return ExecutorWorkers(task, executor, threads or 1)


@dataclass
class _Errand:
    """A job, and how often it was lost."""

    job: Job
    losses: int = 0

    @property
    def epochs(self) -> int:
        return self.job.epochs - self.job.done


@dataclass(frozen=True)
class _Batch:
    """What an executor was given at once."""

    errands: list[_Errand]
    executor: Executor

    @property
    def solitary(self) -> bool:
        return self.errands[0].losses >= LOSSES


class ExecutorWorkers:
    """The workers of an executor.

    Each gets a batch when it is free, and not before, so that what is left of the time is known.
    Which jobs are in a batch does not matter to their outcomes.

    Parameters
    ----------
    task : Task
    executor : Executor, or function that makes one
        One that is given stays open; those that are made are shut down.
    threads : int
        Of each batch.

    Raises
    ------
    ArgumentTypeError
        The task cannot be sent to other processes.
    """

    def __init__(self, task: Task, executor: Given, threads: int):
        self._pool = Pool(executor)
        self._threads = threads
        self._waiting: deque[_Errand] = deque()
        self._running: dict[Future[Reply | Undone], _Batch] = {}
        self._done: list[Outcome] = []
        # Futures that are done. An interrupt within concurrent.futures.wait would leave one of them
        # locked, and the pool waiting for it.
        self._ended: SimpleQueue[Future[Reply | Undone]] = SimpleQueue()
        self._abandoned: dict[Future[Reply | Undone], _Batch] = {}
        self._deadline = math.inf
        self._seconds = self._epochs = 0.0  # of all batches so far
        try:
            self._delivery = delivery_to(self._pool.executor, task)
        except BaseException:
            self._pool.close(kill=True)
            raise

    def __enter__(self) -> ExecutorWorkers:
        return self

    def __exit__(self, *exception: object) -> None:
        with DeferredInterrupt() as interrupt, interrupt.section():
            calls = self._running | self._abandoned
            for future, batch in calls.items():
                cancel(batch.executor, future)
            try:
                self._pool.close(kill=not all(future.done() for future in calls))
            finally:
                self._delivery.close()

    @property
    def slots(self) -> int:
        """Batches at once."""
        try:
            return slots(self._pool.executor)
        except Exception as error:  # of a client that lost its cluster; nobody answers any more
            for future, batch in self._running.items():
                cancel(batch.executor, future)
            self._pool.renew(self._pool.executor, error)
            return slots(self._pool.executor)

    def start(self, jobs: Sequence[Job]) -> None:
        """Take jobs on; they begin with `finished`."""
        self._waiting.extend(map(_Errand, jobs))

    def finished(self, max_time: float | None) -> list[Outcome]:
        """Have jobs done until at least one of them is, and tell what became of those that are.

        Raises
        ------
        ExecutorError
            The executor can take no more work.
        """
        if max_time is not None:  # the search has one deadline, of which this is the rest
            self._deadline = min(self._deadline, time.monotonic() + max_time)
        try:
            while not self._done and (self._waiting or self._running):
                self._look_at_the_clock()
                self._dispatch()
                if not self._done:
                    self._collect()
        except ExecutorError:
            if not self._done:  # else the next call comes to the same end
                raise
        done, self._done = self._done, []
        return done

    # ------------------------------------------------------------------------------- giving out

    def _dispatch(self) -> None:
        """Give every worker that is free a batch."""
        workers = self.slots
        while self._waiting and not any(batch.solitary for batch in self._running.values()):
            suspect = self._waiting[0].losses >= LOSSES
            if len(self._running) >= (min(1, workers) if suspect else workers):
                return
            if not self._submit(self._next_batch(workers)):
                return

    def _next_batch(self, workers: int) -> list[_Errand]:
        """Some jobs that together take long enough, no more than what is one worker's share."""
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

    def _submit(self, errands: list[_Errand]) -> bool:
        """Give out a batch; False if nobody was there to take it."""
        prepared: list[Any] = []
        for errand in list(errands):
            try:
                prepared.append(self._delivery.prepared(errand.job))
            except Exception as error:
                self._done.append(Outcome(errand.job.number, error=error))
                errands.remove(errand)
        if not errands:
            return True
        left = self._deadline - time.monotonic()
        max_time = None if left == math.inf else max(1e-9, left)
        executor = self._pool.executor
        try:
            with whole_submission() if self._delivery.at_once else nullcontext():
                future = self._delivery.submit(executor, prepared, self._threads, max_time)
                self._running[future] = _Batch(errands, executor)
                future.add_done_callback(self._ended.put)
        except NobodyThereError:
            self._waiting.extendleft(reversed(errands))
            return False
        except Exception as error:
            self._lost(_Batch(errands, executor), error, broken=True)
        return True

    # ------------------------------------------------------------------------------ taking back

    def _collect(self) -> None:
        """Wait a moment for a batch; take those that are done, the good ones first."""
        left = self._deadline - time.monotonic()
        limit = min(LOOK_ABOUT, left if left > 0 else max(0.0, left + PATIENCE))
        if not self._running:  # nobody is there
            time.sleep(limit if self._waiting else 0)
        for future in sorted(self._wait(limit), key=_in_vain):
            self._take(future, self._running.pop(future))

    def _wait(self, seconds: float) -> list[Future[Reply | Undone]]:
        """Wait for futures that are done and were not given up; return them, none after so long."""
        done: list[Future[Reply | Undone]] = []
        if not self._running:
            return done
        with suppress(Empty):
            done.append(self._ended.get(timeout=seconds))
            while True:
                done.append(self._ended.get_nowait())
        return [future for future in done if future in self._running]

    def _take(self, future: Future[Reply | Undone], batch: _Batch) -> None:
        try:
            reply = future.result()
            outcomes = [] if isinstance(reply, Undone) else self._delivery.outcomes(reply)
        except Exception as error:
            self._lost(batch, error, broken=isinstance(error, BrokenExecutor))
            return
        if isinstance(reply, Undone):
            if reply is Undone.NO_TASK:
                self._delivery.missing()
            self._waiting.extendleft(reversed(batch.errands))
            return
        self._seconds += reply.seconds
        self._epochs += sum(errand.epochs for errand in batch.errands)
        self._done += outcomes

    def _lost(self, batch: _Batch, error: Exception, *, broken: bool) -> None:
        """Give jobs that were lost out again, each by itself; or they have failed."""
        for errand in reversed(batch.errands):
            errand.losses += 1
            if errand.losses > LOSSES:
                self._done.append(Outcome(errand.job.number, error=_story(error)))
            else:
                self._waiting.appendleft(errand)
        if broken:
            self._pool.renew(batch.executor, error)

    def _look_at_the_clock(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            self._give_up_waiting()
        if left <= -PATIENCE:
            self._give_up_running()

    def _give_up(self, errands: Iterable[_Errand], *, touched: bool) -> None:
        """Time is up; the models are those of before, or being trained."""
        for errand in errands:
            job = errand.job
            models = None if touched else job.models
            self._done.append(Outcome(job.number, epochs=job.done, models=models))

    def _give_up_waiting(self) -> None:
        """Time is up for those that have not begun."""
        self._give_up(self._waiting, touched=False)
        self._waiting.clear()

    def _give_up_running(self) -> None:
        """Patience is over, too."""
        for future, batch in self._running.items():
            cancel(batch.executor, future)
            self._give_up(batch.errands, touched=not self._delivery.copies)
        self._abandoned |= self._running
        self._running.clear()


def _story(error: Exception) -> Exception:
    """What a lost job failed of; a cancelled future itself says nothing."""
    if isinstance(error, CancelledError):
        return ExecutorError(f"the executor lost the trial {LOSSES + 1} times, with its worker")
    return error


def _in_vain(future: Future[Reply | Undone]) -> bool:
    return future.cancelled() or future.exception() is not None
