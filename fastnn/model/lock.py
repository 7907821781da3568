"""The lock of a model: one training at a time; a second one raises an error at once."""

from __future__ import annotations

import threading
import weakref
from types import TracebackType

from ..errors import NetworkBusyError
from ..runtime.interrupts import DeferredInterrupt, uninterruptible


class Hold:
    """A lock that is held until `release`, or until this object is freed."""

    def __init__(self, lock: TrainingLock):
        self._lock = lock

    def release(self) -> None:
        """Release the lock."""
        self._lock._holder = None
        self._lock._holds.clear()


class TrainingLock:
    """A lock held while a model is trained or its weights are the average; nothing waits for it.

    Ctrl-C waits in the contexts that hold it, but where they allow it: what changes a network does
    so between taking the lock and giving it back.

    Attributes
    ----------
    averaged : bool
        Whether the average is in the place of the network's weights.
    """

    def __init__(self) -> None:
        self.averaged = False
        # At most one. Weak: where an error comes between two statements, it goes with the frame.
        # A dict, whose single operations other threads cannot split: no lock could stay locked.
        self._holds: dict[None, weakref.ref[Hold]] = {}
        self._holder: int | None = None  # thread

    def take(self) -> Hold:
        """Acquire the lock; raise `NetworkBusyError` if it is held."""
        hold, holds = Hold(self), self._holds
        own = weakref.ref(hold, lambda ref: holds.clear() if holds.get(None) is ref else None)
        if holds.setdefault(None, own) is not own:
            raise NetworkBusyError("the network is being trained, or looked at through its average")
        self._holder = threading.get_ident()
        return hold

    def held(self) -> Held:
        """Return a context that holds the lock and defers Ctrl-C; its value says where not."""
        return Held(self)

    def hand_over(self) -> None:
        """Let the calling thread continue the training for which the lock is held."""
        self._holder = threading.get_ident()

    def shared_with_own_fit(self) -> Held:
        """Return the context of `held`; callbacks of a fit, in its thread, may enter it too."""
        return Held(self, shared=True)

    def _is_held_here(self) -> bool:
        return bool(self._holds) and self._holder == threading.get_ident()

    def __reduce__(self) -> tuple[type[TrainingLock], tuple[()]]:
        return TrainingLock, ()  # the lock of a copy is free


class Held:
    """The context of `TrainingLock.held`.

    Parameters
    ----------
    lock : TrainingLock
    shared : bool
        Whether the thread that holds the lock may enter.
    """

    def __init__(self, lock: TrainingLock, shared: bool = False):
        self._lock, self._shared = lock, shared
        self._interrupt = DeferredInterrupt(waiting=True)
        self._hold: Hold | None = None

    def __enter__(self) -> DeferredInterrupt:
        interrupt = self._interrupt.__enter__()
        try:
            if not (self._shared and self._lock._is_held_here()):
                self._hold = self._lock.take()
        except BaseException:
            self._interrupt.__exit__()
            raise
        return interrupt

    @uninterruptible
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        hold, self._hold = self._hold, None
        if hold is not None:
            hold.release()
        self._interrupt.__exit__()
