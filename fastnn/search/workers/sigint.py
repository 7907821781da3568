"""Ctrl-C in worker processes: it ends trials, and nothing of what a pool does between them.

A terminal sends SIGINT to the searcher and to all processes of its pools. Python answers with a
KeyboardInterrupt between any two steps, be it just after ``multiprocessing.Lock.__enter__`` has
acquired the lock of a queue, which is then never released: the other workers wait for it for ever,
and whoever shuts the pool down waits for them.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType

from ...runtime.interrupts import DeferredInterrupt

#: What pools are made of; their frames are no calls that somebody asked for.
_MACHINERY = ("concurrent", "loky", "multiprocessing")


class Guard:
    """The handler of SIGINT in a worker process, from its first job on.

    A job is interrupted, and so are calls of others that the pool runs. What is heard between two
    calls interrupts the job that comes next, unless it is the end of the search that comes.
    """

    def __init__(self) -> None:
        self._installed = self._in_job = self._pending = False
        self._caller: CodeType | None = None

    @contextmanager
    def job(self, caller: FrameType | None) -> Iterator[None]:
        """Run a job, in which a KeyboardInterrupt may be raised, and after which none is.

        Where the code that calls workers is not in the main thread of a pool's process, nothing is
        changed: Python interrupts main threads alone, and other processes are not ours.

        Parameters
        ----------
        caller : frame or None
            That of the pool, which calls `remote.work`.
        """
        self._caller = None if caller is None else caller.f_code
        if not self._install():
            yield
            return
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt
        self._in_job = True
        try:
            yield
        finally:
            self._in_job = False

    def _install(self) -> bool:
        """Handle SIGINT from now on, where that is possible; return whether it is."""
        main = threading.current_thread() is threading.main_thread()
        if not main or multiprocessing.parent_process() is None:
            return False
        if signal.getsignal(signal.SIGINT) != self._handle:
            if not callable(signal.getsignal(signal.SIGINT)):
                return False  # the pool's workers are told to ignore it
            signal.signal(signal.SIGINT, self._handle)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._in_job:
            self._in_job = False  # once: whoever catches it is on the way out
            raise KeyboardInterrupt
        if self._in_call(frame):
            raise KeyboardInterrupt
        self._pending = True

    def _in_call(self, frame: FrameType | None) -> bool:
        """Return whether the pool is running a call, and not its own code."""
        while frame is not None and frame.f_back is not None:
            if frame.f_back.f_code is self._caller:
                module = frame.f_globals.get("__name__", "")
                return module.partition(".")[0] not in _MACHINERY
            frame = frame.f_back
        return False


guard = Guard()


@contextmanager
def whole_submission() -> Iterator[None]:
    """Submit to a pool without an interrupt in between, in this process or those that are started.

    They begin with SIGINT blocked, and unblock it with their first job, when `guard` handles it.
    """
    with DeferredInterrupt() as interrupt, interrupt.section():
        if not hasattr(signal, "pthread_sigmask"):
            yield
            return
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
