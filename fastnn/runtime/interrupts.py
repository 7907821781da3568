"""Ctrl-C at the right moment: between two steps of one change it waits.

Python runs the handler of a signal between any two instructions of the main thread, so that it may
raise in the middle of a change, or between a change and the statement that would undo it. Within a
`DeferredInterrupt` the handler is one of ours, which remembers the signal until it is safe. What is
said of SIGINT holds for the other signals whose handlers in Python may raise, such as the alarm of
a time limit.
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
else:  # what these wrap: their conversions to enums take longer than all else in a context
    from _signal import getsignal, signal as set_handler

Handler = Callable[[int, FrameType | None], object]
F = TypeVar("F", bound=Callable[..., Any])

#: The signals that wait.
SIGNALS = tuple(
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)

#: Functions during which SIGINT waits, from the first instruction to the last.
_UNINTERRUPTIBLE: set[CodeType] = set()


def uninterruptible(function: F) -> F:
    """Let SIGINT wait while this function runs where a `DeferredInterrupt` would let it through.

    For short functions such as `__exit__`, before whose first statement a signal can arrive.
    """
    _UNINTERRUPTIBLE.add(function.__code__)
    return function


class DeferredInterrupt:
    """A context within which SIGINT is handled as before, but not in the middle of a change.

    A signal that arrives while it must wait is handled as soon as it may be: when `section` or the
    context ends, or `allowed` begins. Does nothing outside the main thread, where Python delivers
    no signals, or where the handler is not Python's. Other threads may open sections, to no effect.

    Parameters
    ----------
    waiting : bool
        Whether SIGINT waits everywhere in the context but within `allowed`; else, it waits within
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
            if getsignal(number) is handler:  # else somebody chose another one
                set_handler(number, previous)
        self._allowed = True
        self._answer_pending()
        if around is not None and around._allowed:
            around._answer_pending()  # what arrived just now, while this function ran

    def section(self) -> _Switch:
        """A context for code that an interrupt may not split."""
        return _Switch(self, False)

    def allowed(self) -> _Switch:
        """A context for code that an interrupt may end anywhere; a waiting one is handled first."""
        return _Switch(self, True)

    def poll(self) -> None:
        """Handle a signal that waits."""
        with self.allowed():
            pass

    @property
    def here(self) -> bool:
        """Whether signals interrupt the calling thread."""
        return self._thread == threading.get_ident()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._allowed and not _in_uninterruptible(frame):
            self._answer(number, frame)
        else:
            self._pending.append(number)

    def _answer_pending(self) -> None:
        if self._pending:
            number = self._pending.pop(0)
            try:
                self._answer(number, None)  # no frame: where it arrived is past
            finally:
                self._answer_pending()

    def _answer(self, number: int, frame: FrameType | None) -> None:
        allowed, self._allowed = self._allowed, self._base  # what follows an error is not split
        self._handlers[number].previous(number, frame)
        self._allowed = allowed


class _Switch:
    """A context in which SIGINT waits, or does not; each change is one assignment."""

    def __init__(self, interrupt: DeferredInterrupt, allowed: bool):
        self._interrupt, self._within = interrupt, allowed
        self._own = interrupt.here
        self._around = interrupt._allowed

    def __enter__(self) -> None:
        if self._own:
            interrupt = self._interrupt
            interrupt._allowed = self._within
            if self._within:
                interrupt._answer_pending()

    @uninterruptible
    def __exit__(self, *exception: object) -> Literal[False]:
        if self._own:
            interrupt = self._interrupt
            interrupt._allowed = self._around
            if self._around:
                interrupt._answer_pending()
        return False


class _Handler:
    """The handler of a context; once that is gone without its end, the one before it."""

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
    """Whether a frame, or one that called it, is that of an uninterruptible function."""
    while frame is not None:
        if frame.f_code in _UNINTERRUPTIBLE:
            return True
        frame = frame.f_back
    return False
