"""Who trains which network next.

Members of a crew ask for work, and report it done, through one function. A network goes from member
to member, one task (mostly an epoch) at a time. All that memory has room for begin at once;
then whatever has most left to do goes first, so that all end at about the same time:

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
from .memory import Room
from .trainee import PATIENCE, Trainee

if TYPE_CHECKING:
    from types import ModuleType

    from ...runtime.interrupts import DeferredInterrupt


class Scheduler:
    """Has all trainees trained.

    Parameters
    ----------
    trainees : sequence of Trainee
    room : Room
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
        trainees: Sequence[Trainee],
        room: Room,
        interrupt: DeferredInterrupt,
        end: float,
        keep_going: bool,
    ):
        self._trainees = trainees
        self._room, self._interrupt = room, interrupt
        self._end, self._keep_going = end, keep_going
        self.out_of_time = False
        self._condition = threading.Condition()  # guards all that follows
        self._waiting = sorted(trainees, key=lambda t: -t.work_left)
        self._ready: list[tuple[float, int, Trainee]] = []
        self._members_at_work = 0
        self._unfinished = len(trainees)
        self._least = 0  # so many trainees are left undone by the crew
        self._runs: dict[Any, tuple[Trainee, float]] = {}  # under way in C, and since when
        self._error: BaseException | None = None
        self._crew: Any = None

    def run(self, threads: int) -> None:
        """Train, on so many threads; raises what ends it early."""
        native = _native_module()
        if native is None:
            threads = 1
        # The last one is taken up by a team of all threads.
        self._least = 1 if threads > 1 else 0
        with ExitStack() as stack:
            for trainee in self._trainees:
                stack.callback(trainee.close)
            if native is None:
                self._take(None)
            else:
                self._crew = native.Crew(self._take)
                with self._interrupt.allowed():
                    self._crew.work(min(threads, len(self._trainees)))
                stack.callback(native.limit_teams, native.limit_teams(threads))
                self._finish_last()
            if self._error is not None:
                raise self._error

    def _take(self, done: Any) -> Any:
        """The next run for a member, which has done one (or None); None sends it home."""
        try:
            with self._interrupt.section():
                if done is not None:
                    self._conclude(done)
                while (trainee := self._next()) is not None:
                    run = self._native_run(trainee)
                    if run is not None:
                        return run
                    self._put_back(trainee)
        except BaseException as error:
            self._stop(error)
        return None

    def _native_run(self, trainee: Trainee) -> Any:
        """The task at hand for C to do; None once Python has done it."""
        if not trainee.begun:
            trainee.begin(self._interrupt)
        run = None if trainee.finished else trainee.native_run()
        if run is not None:
            self._runs[run] = trainee, time.monotonic()
        elif not trainee.finished:
            trainee.run(self._interrupt)
        return run

    def _conclude(self, run: Any) -> None:
        trainee, start = self._runs.pop(run)
        if not self._stopping:  # else the run was cut short
            trainee.conclude(run, time.monotonic() - start)
        self._put_back(trainee)

    def _next(self) -> Trainee | None:
        """A trainee to go on with, as soon as there is one; None when the crew's work is done.

        Nobody leaves while others work, unless all are to stop: the calling thread, which alone
        hears of Ctrl-C, waits here rather than in C.
        """
        with self._condition:
            while True:
                trainee = self._choose()
                if trainee is not None:
                    self._members_at_work += 1
                    return trainee
                if self._stopping or not self._members_at_work:
                    return None
                self._condition.wait(PATIENCE)  # a run that Ctrl-C ends tells nobody
                self._interrupt.poll()

    @property
    def _stopping(self) -> bool:
        return self._error is not None or (self._crew is not None and self._crew.stopping)

    def _choose(self) -> Trainee | None:
        if self._stopping or self._unfinished <= self._least:
            return None
        if self._waiting and time.monotonic() >= self._end:
            self._unfinished -= len(self._waiting)
            self._waiting.clear()
            self.out_of_time = True
        for position, trainee in enumerate(self._waiting):
            if self._room.enter(trainee.need):
                return self._waiting.pop(position)
        return heapq.heappop(self._ready)[-1] if self._ready else None

    def _put_back(self, trainee: Trainee) -> None:
        """A member is done with a trainee, for now or for good."""
        with self._condition:
            self._members_at_work -= 1
            if not trainee.finished:
                heapq.heappush(self._ready, (-trainee.work_left, trainee.index, trainee))
            else:
                self._finish(trainee)
            self._condition.notify_all()

    def _finish(self, trainee: Trainee) -> None:
        self._unfinished -= 1
        self._room.leave(trainee.need)
        if self._room.limited:
            trainee.give_back_memory()
        if trainee.error is None:
            return
        if self._keep_going:
            traceback.clear_frames(trainee.error.__traceback__)  # which would hold on to memory
        else:
            trainee.error.add_note(f"It ended the training of networks[{trainee.index}].")
            self._stop(trainee.error)

    def _stop(self, error: BaseException) -> None:
        """Have everything end, soon, because of an error."""
        with self._condition:
            if self._error is None:
                self._error = error
            if self._crew is not None:
                self._crew.stop()
            self._condition.notify_all()

    def _finish_last(self) -> None:
        """Train what the crew has left, each network by a team."""
        self._least = 0
        while (trainee := self._next()) is not None:
            run = self._native_run(trainee)
            if run is None:
                self._put_back(trainee)
            else:
                with self._interrupt.allowed():
                    run.execute()
                self._conclude(run)


def _native_module() -> ModuleType | None:
    try:
        return kernels.implementation("native")
    except BackendError:
        return None
