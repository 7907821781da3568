"""Processors and memory left to this process, by Linux control groups and by the machine."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

#: A path; all are strings here, since pathlib takes a good part of the time to import fastnn.
Path = str | os.PathLike[str]

ROOT = "/sys/fs/cgroup"
MEMBERSHIP = "/proc/self/cgroup"
MEMINFO = "/proc/meminfo"

MAX_PROCESSORS = 65535  # a larger quota is no limit


def cgroup_processors(root: Path = ROOT, membership: Path = MEMBERSHIP) -> int:
    """Return the quota of CPU time in processors, rounded up; 0 if there is none.

    Never raises: a file that cannot be parsed sets no quota.
    """
    quotas = []
    for folder, version in _groups(root, membership, "cpu"):
        if version == 1:
            limit, period = (_read(f"{folder}/cpu.cfs_{name}_us") for name in ("quota", "period"))
        else:
            limit, _, period = _read(f"{folder}/cpu.max").partition(" ")
        microseconds, per = _positive(limit), _positive(period)
        if 0 < microseconds < MAX_PROCESSORS * per:
            quotas.append(microseconds / per)
    return math.ceil(min(quotas)) if quotas else 0


def available_memory(
    root: Path = ROOT, membership: Path = MEMBERSHIP, meminfo: Path = MEMINFO
) -> int | None:
    """Return the bytes of memory available to this process; None if unknown.

    The least of what the machine could give without swapping and what the control groups of the
    process leave. Half of the machine's memory, if the system tells no more.
    """
    groups = _groups(root, membership, "memory")
    found = [
        _machine_memory(meminfo),
        *(_memory_left(folder, version) for folder, version in groups),
    ]
    return min((amount for amount in found if amount is not None), default=None)


def _groups(root: Path, membership: Path, controller: str) -> Iterator[tuple[str, int]]:
    """Yield folder and version, 1 or 2, of the groups of this process, each up to the root."""
    for line in _read(membership).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not group or (controllers and controller not in controllers.split(",")):
            continue
        mounted, version = (os.path.join(root, controller), 1) if controllers else (root, 2)
        names = [name for name in group.split("/") if name not in ("", ".")]
        for depth in range(len(names), -1, -1):
            yield os.path.join(mounted, *names[:depth]), version


def _machine_memory(meminfo: Path) -> int | None:
    for line in _read(meminfo).splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return 1024 * int(value.split()[0])
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):  # not on this system
        return None


def _memory_left(folder: str, version: int) -> int | None:
    files = ("limit_in_bytes", "usage_in_bytes") if version == 1 else ("max", "current")
    limit, used = (_read(f"{folder}/memory.{name}") for name in files)
    if not (limit.isdecimal() and used.isdecimal()):  # "max", or no such group
        return None
    return max(0, int(limit) - int(used))


def _positive(text: str) -> int:
    """Return a positive number that the kernel can hold, else 0: "max", or −1, is no limit."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def _read(path: Path) -> str:
    """Return the text of a file; "" if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().strip()
    except (OSError, ValueError):  # not there, or a name that no file can have
        return ""
