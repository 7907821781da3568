"""Signals such as Ctrl-C, deferred while a change must not be interrupted.

Python runs the handler of a signal between any two instructions of the main thread, so that it may
raise in the middle of a change, or between a change and the statement that would undo it. Within a
`DeferredInterrupt` the handler is one of ours, which keeps the signal pending until it is safe.
SIGINT stands for all signals whose handlers in Python may raise, such as that of a time limit.
"""

from __future__ import annotations

import signal
import threading
import weakref
from collections.abc import Callable
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from signal import getsignal, signal as set_handler
else:  # without the conversions to enums, which take longer than all else in a context
    from _signal import getsignal, signal as set_handler

Handler = Callable[[int, FrameType | None], object]
F = TypeVar("F", bound=Callable[..., Any])

#: The signals that are deferred.
SIGNALS = tuple(
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)

#: Functions during which SIGINT is deferred, from the first instruction to the last.
_UNINTERRUPTIBLE: set[CodeType] = set()


def uninterruptible(function: F) -> F:
    """Decorate a function to defer SIGINT while it runs, even where a context would not.

    For short functions such as `__exit__`, before whose first statement a signal can arrive.
    """
    _UNINTERRUPTIBLE.add(function.__code__)
    return function


class DeferredInterrupt:
    """A context within which SIGINT is handled as before, but not in the middle of a change.

    A deferred signal is handled when `section` or the context ends, or `allowed` begins. The
    context has no effect outside the main thread, where Python delivers no signals, or where the
    handler is not Python's; nor have sections that other threads open.

    Parameters
    ----------
    waiting : bool
        Whether SIGINT is deferred everywhere in the context but within `allowed`; else, only within
        `section`.
    """

    def __init__(self, waiting: bool = False) -> None:
        self._base = self._allowed = not waiting
        self._thread: int | None = None  # that signals interrupt
        self._pending: list[int] = []
        self._handlers: dict[int, _Handler] = {}

    @uninterruptible
    def __enter__(self) -> DeferredInterrupt:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                previous = getsignal(number)
                if callable(previous):
                    self._thread = threading.get_ident()
                    self._handlers[number] = _Handler(self, previous)
                    set_handler(number, self._handlers[number])
        return self

    @uninterruptible
    def __exit__(self, *exception: object) -> None:
        around = None
        for number, handler in reversed(self._handlers.items()):
            previous = handler.previous
            if isinstance(previous, _Handler):
                around = previous.context()
            if getsignal(number) is handler:  # else another one was set meanwhile
                set_handler(number, previous)
        self._allowed = True
        self._handle_pending()
        if around is not None and around._allowed:
            around._handle_pending()  # what arrived just now, while this function ran

    def section(self) -> _Switch:
        """Return a context for code that must not be interrupted."""
        return _Switch(self, False)

    def allowed(self) -> _Switch:
        """Return a context for code that may be interrupted; a pending signal is handled first."""
        return _Switch(self, True)

    def poll(self) -> None:
        """Handle a pending signal."""
        with self.allowed():
            pass

    @property
    def here(self) -> bool:
        """True if signals interrupt the calling thread."""
        return self._thread == threading.get_ident()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._allowed and not _in_uninterruptible(frame):
            self._call_previous(number, frame)
        else:
            self._pending.append(number)

    def _handle_pending(self) -> None:
        if self._pending:
            number = self._pending.pop(0)
            try:
                self._call_previous(number, None)  # no frame: the one it arrived in has passed
            finally:
                self._handle_pending()

    def _call_previous(self, number: int, frame: FrameType | None) -> None:
        allowed, self._allowed = self._allowed, self._base  # as it is after an error
        self._handlers[number].previous(number, frame)
        self._allowed = allowed


class _Switch:
    """A context in which SIGINT is deferred, or is not; each change is one assignment."""

    def __init__(self, interrupt: DeferredInterrupt, allowed: bool):
        self._interrupt, self._within = interrupt, allowed
        self._own = interrupt.here
        self._around = interrupt._allowed

    def __enter__(self) -> None:
        if self._own:
            interrupt = self._interrupt
            interrupt._allowed = self._within
            if self._within:
                interrupt._handle_pending()

    @uninterruptible
    def __exit__(self, *exception: object) -> Literal[False]:
        if self._own:
            interrupt = self._interrupt
            interrupt._allowed = self._around
            if self._around:
                interrupt._handle_pending()
        return False


class _Handler:
    """The handler of a context; if that was deleted without an exit, the previous handler."""

    def __init__(self, interrupt: DeferredInterrupt, previous: Handler):
        self.context = weakref.ref(interrupt)
        self.previous = previous

    def __call__(self, number: int, frame: FrameType | None) -> None:
        context = self.context()
        if context is None:
            self.previous(number, frame)
        else:
            context._handle(number, frame)


def _in_uninterruptible(frame: FrameType | None) -> bool:
    """Return whether a frame, or one that called it, belongs to an uninterruptible function."""
    while frame is not None:
        if frame.f_code in _UNINTERRUPTIBLE:
            return True
        frame = frame.f_back
    return False
