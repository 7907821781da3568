"""Searchers at the same study: that this one lives, and which of the others do not."""

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

#: Seconds between two signs of life.
BEAT = 5.0
#: Seconds without one after which a searcher is taken for dead: a computer may be busy.
GRACE = 60.0

#: Where the study keeps the signs of life of a searcher, and the last one of all.
_PREFIX, _ENDED = "fastnn: searcher ", -1


class Searchers:
    """All searchers of a study, this one among them: it lives as long as the context is open.

    Each counts up in the study every `BEAT` seconds. One whose count stands still for `GRACE`
    seconds, by the watch of the one who looks so that clocks need not agree, is dead; and so is at
    once one that ended, or whose process is gone from this machine.

    Parameters
    ----------
    storage : Storage
    study_id : int

    Attributes
    ----------
    number : int
        Of this one, unlike any other.
    name : str
        Machine, process, number.
    """

    def __init__(self, storage: Storage, study_id: int):
        self._storage, self._study_id = storage, study_id
        self.number = int.from_bytes(os.urandom(6), "little")
        self.name = f"{_machine()} {os.getpid()} {self.number:x}"
        self._counts: dict[str, int] = {}
        self._seen: dict[str, tuple[int | None, float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="fastnn search", daemon=True)

    def __enter__(self) -> Searchers:
        if self._storage.shared:
            self._write(0)
            self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._storage.shared:
            self._stop.set()
            self._thread.join()
            with suppress(StorageInternalError):  # others notice that it is silent
                self._write(_ENDED)

    def look(self) -> None:
        """Read the counts of all."""
        attributes = self._storage.base.get_study_system_attrs(self._study_id)
        self._counts = {
            name.removeprefix(_PREFIX): count
            for name, count in attributes.items()
            if name.startswith(_PREFIX)
        }

    def alone(self) -> bool:
        """Whether no other searcher seems to live, as far as was seen at the last look."""
        return all(name == self.name or self.dead(name) for name in self._counts)

    def dead(self, name: str) -> bool:
        """Whether a searcher is dead, by the last look."""
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
        return now - since > GRACE

    def _live(self) -> None:
        count = 0
        while not self._stop.wait(BEAT):
            count += 1
            try:
                self._write(count)
            except Exception:
                continue

    def _write(self, count: int) -> None:
        self._storage.base.set_study_system_attr(self._study_id, _PREFIX + self.name, count)


@functools.cache
def _machine() -> str:
    """What tells this machine, or container, from all others: where process numbers mean the same.

    Its name, and a digest of what the name may leave open.
    """
    facts = [platform.node(), f"{uuid.getnode():x}"]
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists():
        facts += [boot.read_text().strip(), str(namespace.stat().st_ino)]
    digest = hashlib.sha256(" ".join(facts).encode()).hexdigest()[:12]
    return f"{platform.node().replace(' ', '-')}/{digest}"


def _process_is_gone(name: str) -> bool:
    """Whether a searcher ran on this machine, in a process that there is no more."""
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
