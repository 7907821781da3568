"""The lock of a network: one training at a time, and whoever comes second is told so at once."""

from __future__ import annotations

import threading
import weakref
from types import TracebackType

from ..errors import NetworkBusyError
from ..runtime.interrupts import DeferredInterrupt, uninterruptible


class Hold:
    """A lock that is held until `release`, or until nobody knows this object any more."""

    def __init__(self, lock: TrainingLock):
        self._lock = lock

    def release(self) -> None:
        """Let others in."""
        self._lock._holder = None
        self._lock._holds.clear()


class TrainingLock:
    """Held while a network is trained, or looked at through its average; nobody waits for it.

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
        """Hold the lock from now on; raises `NetworkBusyError` if somebody does."""
        hold, holds = Hold(self), self._holds
        own = weakref.ref(hold, lambda ref: holds.clear() if holds.get(None) is ref else None)
        if holds.setdefault(None, own) is not own:
            raise NetworkBusyError("the network is being trained, or looked at through its average")
        self._holder = threading.get_ident()
        return hold

    def held(self) -> Held:
        """A context in which nobody else may enter, and Ctrl-C waits; its value says where not."""
        return Held(self)

    def hand_over(self) -> None:
        """The calling thread goes on with the training for which it is held."""
        self._holder = threading.get_ident()

    def shared_with_own_fit(self) -> Held:
        """As `held`; but callbacks of a fit, which run in its thread, may enter."""
        return Held(self, shared=True)

    def _is_held_here(self) -> bool:
        return bool(self._holds) and self._holder == threading.get_ident()

    def __reduce__(self) -> tuple[type[TrainingLock], tuple[()]]:
        return TrainingLock, ()  # nobody holds that of a copy


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
