"""How much memory a process may still take: Linux control groups and the machine's own."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from .cgroups import MEMBERSHIP, ROOT, read

MEMINFO = Path("/proc/meminfo")


def available_memory(
    root: Path = ROOT, membership: Path = MEMBERSHIP, meminfo: Path = MEMINFO
) -> int | None:
    """Bytes; None where nothing is known.

    The least of what the machine could give without swapping and what the control groups of the
    process leave. Where the system tells only how much there is at all, half of that.
    """
    found = [_machine(meminfo)]
    for line in read(membership).splitlines():
        found += _groups(root, line)
    known = [amount for amount in found if amount is not None]
    return min(known) if known else None


def _machine(meminfo: Path) -> int | None:
    for line in read(meminfo).splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return 1024 * int(value.split()[0])
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):  # not on this system
        return None


def _groups(root: Path, line: str) -> list[int | None]:
    """What the groups of one hierarchy leave, from that of the process up to the root."""
    _, _, rest = line.partition(":")
    controllers, _, group = rest.partition(":")
    if controllers and "memory" not in controllers.split(","):
        return []
    folder = root / "memory" if controllers else root
    names = (
        ("memory.limit_in_bytes", "memory.usage_in_bytes")
        if controllers
        else ("memory.max", "memory.current")
    )
    relative = PurePosixPath(group.lstrip("/"))
    return [_left(folder / path, *names) for path in (relative, *relative.parents)]


def _left(folder: Path, limit: str, usage: str) -> int | None:
    most, used = read(folder / limit), read(folder / usage)
    if not (most.isdecimal() and used.isdecimal()):  # "max", or no such group
        return None
    return max(0, int(most) - int(used))
