"""Ctrl-C at the right moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class DeferredInterrupt:
    """Keeps Ctrl-C out of the sections that must run whole.

    Within the context, SIGINT is handled as before, except while `section` is open: then it is
    remembered and handled when the section closes. Does nothing outside the main thread, where
    Python delivers no signals, or where the handler is not Python's. Other threads may open
    sections too, to no effect.
    """

    def __init__(self) -> None:
        self._thread: int | None = None  # that signals interrupt
        self._open = False
        self._pending: tuple[int, FrameType | None] | None = None
        self._previous: Callable[[int, FrameType | None], object] | None = None

    def __enter__(self) -> DeferredInterrupt:
        if threading.current_thread() is threading.main_thread():
            previous = signal.getsignal(signal.SIGINT)
            if callable(previous):
                self._previous, self._thread = previous, threading.get_ident()
                signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    @contextmanager
    def section(self) -> Iterator[None]:
        """Code that an interrupt may not split; sections within it are parts of it."""
        if self._open or self._thread != threading.get_ident():
            yield
            return
        self._open = True
        try:
            yield
        finally:
            self._open = False
            if self._pending is not None:
                pending, self._pending = self._pending, None
                self._answer(*pending)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._open:
            self._pending = (number, frame)
        else:
            self._answer(number, frame)

    def _answer(self, number: int, frame: FrameType | None) -> None:
        assert self._previous is not None  # else this object would not be the handler
        self._previous(number, frame)
