"""Heartbeats: which of the searches that share a study still run."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from optuna.exceptions import StorageInternalError

from .storages import Storage

#: Seconds between two heartbeats.
HEARTBEAT_SECONDS = 5.0
#: Seconds without a heartbeat after which a search counts as dead: a computer may be busy.
TIMEOUT_SECONDS = 60.0

#: Prefix of the study attributes that hold the heartbeats, and the value of a search that ended.
_PREFIX, _ENDED = "fastnn: searcher ", -1


class Heartbeats:
    """The heartbeats of all searches of a study; this search sends its own while in the context.

    Each search increments a counter in the storage every `HEARTBEAT_SECONDS`. A search is dead if
    its counter stands still for `TIMEOUT_SECONDS`, measured by the reader's clock so that clocks
    need not agree; if it has ended; or if its process no longer exists on this machine.

    Parameters
    ----------
    storage : Storage
    study_id : int

    Attributes
    ----------
    number : int
        Random, unique to this search.
    name : str
        Machine, process and number of this search.
    """

    def __init__(self, storage: Storage, study_id: int):
        self._storage, self._study_id = storage, study_id
        self.number = int.from_bytes(os.urandom(6), "little")
        self.name = f"{_machine()} {os.getpid()} {self.number:x}"
        self._counts: dict[str, int] = {}
        self._seen: dict[str, tuple[int | None, float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fastnn search", daemon=True)

    def __enter__(self) -> Heartbeats:
        if self._storage.shared:
            self._write(0)
            self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._storage.shared:
            self._stop.set()
            self._thread.join()
            with suppress(StorageInternalError):  # others see that the heartbeat stopped
                self._write(_ENDED)

    def refresh(self) -> None:
        """Read the counters of all searches."""
        attributes = self._storage.base.get_study_system_attrs(self._study_id)
        self._counts = {
            name.removeprefix(_PREFIX): count
            for name, count in attributes.items()
            if name.startswith(_PREFIX)
        }

    def others_are_dead(self) -> bool:
        """Return whether all other searches were dead at the last refresh."""
        return all(name == self.name or self.is_dead(name) for name in self._counts)

    def is_dead(self, name: str) -> bool:
        """Return whether a search was dead at the last refresh."""
        if name == self.name:
            return False
        count = self._counts.get(name)
        if count == _ENDED or _process_is_gone(name):
            return True
        now = time.monotonic()
        before, since = self._seen.setdefault(name, (count, now))
        if before != count:
            self._seen[name] = (count, now)
            return False
        return now - since > TIMEOUT_SECONDS

    def _run(self) -> None:
        count = 0
        while not self._stop.wait(HEARTBEAT_SECONDS):
            count += 1
            try:
                self._write(count)
            except Exception:
                continue

    def _write(self, count: int) -> None:
        self._storage.base.set_study_system_attr(self._study_id, _PREFIX + self.name, count)


@functools.cache
def _machine() -> str:
    """Return an identifier of this machine or container, within which process numbers are unique.

    The host name and a digest of what distinguishes machines of the same name.
    """
    facts = [platform.node(), f"{uuid.getnode():x}"]
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists():
        facts += [boot.read_text().strip(), str(namespace.stat().st_ino)]
    digest = hashlib.sha256(" ".join(facts).encode()).hexdigest()[:12]
    return f"{platform.node().replace(' ', '-')}/{digest}"


def _process_is_gone(name: str) -> bool:
    """Return whether a search ran on this machine in a process that no longer exists."""
    machine, process, _ = name.split(" ")
    if machine != _machine():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's
        return False
    return False
