"""Processors that the control groups of Linux, version 1 and 2, leave to this process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


MOST = 65535  # processors; what is beyond is no limit


def cgroup_processors(root: Path = ROOT, membership: Path = MEMBERSHIP) -> int:
    """Return the quota of CPU time in processors, rounded up; 0 if there is none.

    Never raises: a file that cannot be parsed sets no quota.
    """
    quotas = [quota for line in read(membership).splitlines() for quota in _quotas(root, line)]
    return math.ceil(min(quotas)) if quotas else 0


def _quotas(root: Path, line: str) -> Iterator[float]:
    """Yield the quotas of one hierarchy, from the group of the process up to the root."""
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
    """Return time and period in microseconds; "max" is no limit."""
    limit, _, period = read(folder / "cpu.max").partition(" ")
    return _number(limit), _number(period)


def _limit_v1(folder: Path) -> tuple[int, int]:
    """Return time and period in microseconds; −1 is no limit."""
    quota, period = (read(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    return _number(quota), _number(period)


def _number(text: str) -> int:
    """Return a positive number that the kernel can hold, else 0."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0


def read(path: Path) -> str:
    """Return the text of a file; "" if it cannot be read."""
    try:
        return path.read_text("utf-8", errors="surrogateescape").strip()
    except (OSError, ValueError):  # not there, or a name that no file can have
        return ""
