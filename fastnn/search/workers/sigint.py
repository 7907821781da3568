"""Ctrl-C in worker processes: it interrupts trials, but not the code of the pool between them.

A terminal sends SIGINT to the search and to all processes of its pools. Python raises
KeyboardInterrupt between any two instructions, even just after ``multiprocessing.Lock.__enter__``
has acquired the lock of a queue. That lock is never released: the other workers, and the shutdown
of the pool, wait for ever.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType

from ...runtime.interrupts import DeferredInterrupt

#: Packages whose frames are the code of pools, not the calls that they run.
_POOL_PACKAGES = ("concurrent", "loky", "multiprocessing")


class SigintGuard:
    """The handler of SIGINT in a worker process, from its first job on.

    A signal interrupts a job, and other calls that the pool runs. A signal between two calls
    interrupts the next job, if there is one.
    """

    def __init__(self) -> None:
        self._in_job = self._pending = False
        self._caller: CodeType | None = None

    @contextmanager
    def job(self, caller: FrameType | None) -> Iterator[None]:
        """Allow KeyboardInterrupt within the context, for a job, and defer it afterwards.

        Change nothing unless this is the main thread of a child process: Python interrupts main
        threads only, and other processes are not workers.

        Parameters
        ----------
        caller : frame or None
            The frame of the pool that calls `remote.run_jobs`.
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
        """Install the handler and unblock SIGINT; return whether that is possible."""
        main = threading.current_thread() is threading.main_thread()
        if not main or multiprocessing.parent_process() is None:
            return False
        if signal.getsignal(signal.SIGINT) != self._handle:
            if not callable(signal.getsignal(signal.SIGINT)):
                return False  # the pool ignores the signal
            signal.signal(signal.SIGINT, self._handle)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        return True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._in_job:
            self._in_job = False  # once: the handler of the exception must not be interrupted
            raise KeyboardInterrupt
        if self._in_call(frame):
            raise KeyboardInterrupt
        self._pending = True

    def _in_call(self, frame: FrameType | None) -> bool:
        """Return whether the pool runs a call rather than its own code."""
        while frame is not None and frame.f_back is not None:
            if frame.f_back.f_code is self._caller:
                module = frame.f_globals.get("__name__", "")
                return module.partition(".")[0] not in _POOL_PACKAGES
            frame = frame.f_back
        return False


guard = SigintGuard()


@contextmanager
def sigint_deferred() -> Iterator[None]:
    """Defer SIGINT while a call is submitted to a pool, in this process and those it starts.

    Those start with SIGINT blocked, and unblock it in their first job, when `guard` handles it.
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
