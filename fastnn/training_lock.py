"""The lock of a network: one training at a time, and whoever comes second is told so at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import NetworkBusyError


class TrainingLock:
    """Held while a network is trained, or looked at through its average; nobody waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None  # thread

    @contextmanager
    def held(self) -> Iterator[None]:
        """A context in which nobody else may enter; raises `NetworkBusyError` if somebody is in."""
        if not self._lock.acquire(blocking=False):
            raise NetworkBusyError("the network is being trained, or looked at through its average")
        self._holder = threading.get_ident()
        try:
            yield
        finally:
            self._holder = None
            self._lock.release()

    def hand_over(self) -> None:
        """The calling thread goes on with the training for which it is held."""
        self._holder = threading.get_ident()

    @contextmanager
    def shared_with_own_fit(self) -> Iterator[None]:
        """As `held`; but callbacks of a fit, which run in its thread, may enter."""
        if self._holder == threading.get_ident():
            yield
        else:
            with self.held():
                yield

    def __reduce__(self) -> tuple[type[TrainingLock], tuple[()]]:
        return TrainingLock, ()  # nobody holds that of a copy
