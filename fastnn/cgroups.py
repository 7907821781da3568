"""How many processors a container leaves to this process: Linux control groups, version 1 and 2."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def cgroup_processors(root: Path = ROOT, membership: Path = MEMBERSHIP) -> int:
    """Processors that the quota of CPU time amounts to, rounded up; 0 where there is no quota."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return 0
    quotas = [quota for line in lines for quota in _quotas(root, line)]
    return math.ceil(min(quotas)) if quotas else 0


def _quotas(root: Path, line: str) -> Iterator[float]:
    """Quotas of one hierarchy, from the group of the process up to the root."""
    _, controllers, group = line.split(":", 2)
    if controllers and "cpu" not in controllers.split(","):
        return
    relative = PurePosixPath(group.lstrip("/"))
    for folder in (relative, *relative.parents):
        quota = _quota_v1(root / "cpu" / folder) if controllers else _quota_v2(root / folder)
        if quota is not None:
            yield quota


def _quota_v2(folder: Path) -> float | None:
    text = _read(folder / "cpu.max")
    limit, _, period = text.partition(" ")
    return None if limit in ("", "max") else int(limit) / int(period)


def _quota_v1(folder: Path) -> float | None:
    limit, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    return None if not limit or int(limit) < 0 else int(limit) / int(period)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
