"""How many processors a container leaves to this process: Linux control groups, version 1 and 2."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


MOST = 65535  # processors; what is beyond is no limit


def cgroup_processors(root: Path = ROOT, membership: Path = MEMBERSHIP) -> int:
    """Processors that the quota of CPU time amounts to, rounded up; 0 where there is no quota.

    Whatever the files hold, this does not fail: what cannot be understood sets no quota.
    """
    quotas = [quota for line in read(membership).splitlines() for quota in _quotas(root, line)]
    return math.ceil(min(quotas)) if quotas else 0


def _quotas(root: Path, line: str) -> Iterator[float]:
    """Quotas of one hierarchy, from the group of the process up to the root."""
    _, _, rest = line.partition(":")
    controllers, _, group = rest.partition(":")
    if not group or (controllers and "cpu" not in controllers.split(",")):
        return
    relative = PurePosixPath(group.lstrip("/"))
    for folder in (relative, *relative.parents):
        limit, period = (
            _limit_v1(root / "cpu" / folder) if controllers else _limit_v2(root / folder)
        )
        if 0 < limit < MOST * period:
            yield limit / period


def _limit_v2(folder: Path) -> tuple[int, int]:
    """Time and period in microseconds; "max" is no limit."""
    limit, _, period = read(folder / "cpu.max").partition(" ")
    return _number(limit), _number(period)


def _limit_v1(folder: Path) -> tuple[int, int]:
    """Time and period in microseconds; −1 is no limit."""
    quota, period = (read(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    return _number(quota), _number(period)


def _number(text: str) -> int:
    """0 for what is not a positive number that the kernel can hold."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def read(path: Path) -> str:
    """The text of a file; nothing where it cannot be read."""
    try:
        return path.read_text("utf-8", errors="surrogateescape").strip()
    except (OSError, ValueError):  # not there, or a name that no file can have
        return ""
