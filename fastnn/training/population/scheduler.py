"""The schedule of a population: which network trains next.

Threads of a pool get work, and report it done, through one function. A network passes from thread
to thread, one task (mostly an epoch) at a time. All that fit into memory begin at once; then the
one with most work left goes first, so that all end at about the same time:

    waiting ── room in memory ──> under way ──  task done  ──> ready
                                      ^─── most left first ───────┘
"""

from __future__ import annotations

import heapq
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ... import kernels
from ...errors import BackendError
from .memory import MemoryBudget
from .network_fit import PATIENCE, NetworkFit

if TYPE_CHECKING:
    from types import ModuleType

    from ...runtime.interrupts import DeferredInterrupt


class Scheduler:
    """Runs all fits of a population on a pool of threads.

    Parameters
    ----------
    fits : sequence of NetworkFit
    budget : MemoryBudget
    interrupt : DeferredInterrupt
        Of the calling thread.
    end : float
        Of the clock `time.monotonic`, after which no network begins.
    keep_going : bool
        Whether the others go on when one has failed.

    Attributes
    ----------
    out_of_time : bool
        Whether networks did not begin.
    """

    def __init__(
        self,
        fits: Sequence[NetworkFit],
        budget: MemoryBudget,
        interrupt: DeferredInterrupt,
        end: float,
        keep_going: bool,
    ):
        self._fits = fits
        self._budget, self._interrupt = budget, interrupt
        self._end, self._keep_going = end, keep_going
        self.out_of_time = False
        self._condition = threading.Condition()  # guards all that follows
        self._waiting = sorted(fits, key=lambda t: -t.work_left)
        self._ready: list[tuple[float, int, NetworkFit]] = []
        self._threads_at_work = 0
        self._unfinished = len(fits)
        self._least = 0  # number of fits that the pool leaves undone
        self._runs: dict[Any, tuple[NetworkFit, float]] = {}  # under way in C, and since when
        self._error: BaseException | None = None
        self._pool: Any = None

    def run(self, threads: int) -> None:
        """Train, on so many threads; raise what ends it early."""
        native = _native_module()
        if native is None:
            threads = 1
        # All threads train the last one together.
        self._least = 1 if threads > 1 else 0
        with ExitStack() as stack:
            for fit in self._fits:
                stack.callback(fit.close)
            if native is None:
                self._take(None)
            else:
                self._pool = native.Pool(self._take)
                with self._interrupt.allowed():
                    self._pool.work(min(threads, len(self._fits)))
                stack.callback(native.limit_teams, native.limit_teams(threads))
                self._finish_last()
            if self._error is not None:
                raise self._error

    def _take(self, done: Any) -> Any:
        """Return the next run for a thread, which has done one (or None); None ends the thread."""
        try:
            with self._interrupt.section():
                if done is not None:
                    self._conclude(done)
                while (fit := self._next()) is not None:
                    run = self._native_run(fit)
                    if run is not None:
                        return run
                    self._put_back(fit)
        except BaseException as error:
            self._stop(error)
        return None

    def _native_run(self, fit: NetworkFit) -> Any:
        """Return the task at hand for C to run; None once Python has run it."""
        if not fit.begun:
            fit.begin(self._interrupt)
        run = None if fit.finished else fit.native_run()
        if run is not None:
            self._runs[run] = fit, time.monotonic()
        elif not fit.finished:
            fit.run(self._interrupt)
        return run

    def _conclude(self, run: Any) -> None:
        fit, start = self._runs.pop(run)
        if not self._stopping:  # else the run was cut short
            fit.conclude(run, time.monotonic() - start)
        self._put_back(fit)

    def _next(self) -> NetworkFit | None:
        """Return a fit to continue, as soon as there is one; None when all work is done.

        No thread ends while others work, unless all are to stop: the calling thread, which alone
        receives Ctrl-C, waits here rather than in C.
        """
        with self._condition:
            while True:
                fit = self._choose()
                if fit is not None:
                    self._threads_at_work += 1
                    return fit
                if self._stopping or not self._threads_at_work:
                    return None
                self._condition.wait(PATIENCE)  # a run that Ctrl-C ends notifies nothing
                self._interrupt.poll()

    @property
    def _stopping(self) -> bool:
        return self._error is not None or (self._pool is not None and self._pool.stopping)

    def _choose(self) -> NetworkFit | None:
        if self._stopping or self._unfinished <= self._least:
            return None
        if self._waiting and time.monotonic() >= self._end:
            self._unfinished -= len(self._waiting)
            self._waiting.clear()
            self.out_of_time = True
        for position, fit in enumerate(self._waiting):
            if self._budget.enter(fit.need):
                return self._waiting.pop(position)
        return heapq.heappop(self._ready)[-1] if self._ready else None

    def _put_back(self, fit: NetworkFit) -> None:
        """Queue a fit of which a thread has done a task, or finish it."""
        with self._condition:
            self._threads_at_work -= 1
            if not fit.finished:
                heapq.heappush(self._ready, (-fit.work_left, fit.index, fit))
            else:
                self._finish(fit)
            self._condition.notify_all()

    def _finish(self, fit: NetworkFit) -> None:
        self._unfinished -= 1
        self._budget.leave(fit.need)
        if self._budget.limited:
            fit.give_back_memory()
        if fit.error is None:
            return
        if self._keep_going:
            traceback.clear_frames(fit.error.__traceback__)  # which would hold on to memory
        else:
            fit.error.add_note(f"It ended the training of networks[{fit.index}].")
            self._stop(fit.error)

    def _stop(self, error: BaseException) -> None:
        """Stop all threads because of an error."""
        with self._condition:
            if self._error is None:
                self._error = error
            if self._pool is not None:
                self._pool.stop()
            self._condition.notify_all()

    def _finish_last(self) -> None:
        """Train the networks that the pool has left, each with all threads."""
        self._least = 0
        while (fit := self._next()) is not None:
            run = self._native_run(fit)
            if run is None:
                self._put_back(fit)
            else:
                with self._interrupt.allowed():
                    run.execute()
                self._conclude(run)


def _native_module() -> ModuleType | None:
    try:
        return kernels.implementation("native")
    except BackendError:
        return None
