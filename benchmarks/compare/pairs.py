"""Pairs of processes, one of each build, whose repeats take turns."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from peers.interleave import PeerError, Worker
from workloads.networks import OVERHEAD, TRAINING

from .builds import Build
from .intervals import Interval, interval

DTYPE = "float32"
SHORTEST = 0.004  # seconds of a repeat: both builds meet the same state of the machine
FEW = 8  # every so many workloads in a smoke run

Work = tuple[str, tuple[Any, ...]]  # kind and arguments of the adapter


def all_workloads(build: Build) -> dict[str, Work]:
    """Return kernels of its table at every size, what is done with networks, and the import."""
    found: dict[str, Work] = {
        f"{name}, {size}": ("kernel", (name, size, DTYPE))
        for name in build.kernel_names()
        for size in ("small", "large")
    }
    for workload in (*TRAINING[:4], OVERHEAD):
        found[f"train {workload.name}"] = "trainer", (workload.short(),)
    for workload in (TRAINING[1], TRAINING[3]):
        found[f"predict {workload.name}"] = "predictor", (workload,)
    found[f"build {TRAINING[0].name}"] = "build", (TRAINING[0],)
    found["import"] = "start", ()
    return found


def chosen(names: Iterable[str], pattern: str, smoke: bool) -> list[str]:
    """Return those that match a pattern; a few of them in a smoke run."""
    return [name for name in names if fnmatch.fnmatch(name, pattern)][:: FEW if smoke else 1]


class Comparison:
    """Ratios of the times of `head` to those of `base`, for each pair of processes by round."""

    def __init__(self, base: Build, head: Build):
        self._builds = base, head
        self.ratios: dict[str, list[list[float]]] = {}
        self.missing: dict[str, str] = {}

    def measure(self, workloads: dict[str, Work], pairs: int, rounds: int) -> None:
        """Add pairs of processes to those that have measured before."""
        if not workloads:
            return
        for turn in range(pairs):
            workers: list[Worker] = []
            try:
                for build in self._builds:
                    workers.append(build.start())
                for name, work in workloads.items():
                    if name not in self.missing:
                        self._pair(name, work, workers, range(turn, turn + rounds))
            finally:
                for worker in workers:
                    worker.end()

    def intervals(self) -> dict[str, Interval]:
        """Return the interval of each workload's ratio."""
        return {name: interval(pairs) for name, pairs in self.ratios.items()}

    def slower(self, name: str) -> bool:
        """Return whether the interval excludes that `head` is fast enough."""
        return name in self.ratios and interval(self.ratios[name]).slower

    def _pair(self, name: str, work: Work, workers: Sequence[Worker], turns: range) -> None:
        label = self._builds[1].label
        try:
            kind, arguments = self._handed(work, workers[1])
            for build, worker in zip(self._builds, workers, strict=True):
                label = build.label
                worker.ask("prepare", name, kind, arguments, SHORTEST, build.clock)
            ratios = [self._ratio(name, workers, turn % 2) for turn in turns]
            self.ratios.setdefault(name, []).append(ratios)
        except PeerError as error:
            self.missing[name] = f"{label}: {error}"
            self.ratios.pop(name, None)
        for worker in workers:
            with suppress(PeerError):
                worker.ask("forget")

    def _handed(self, work: Work, head: Worker) -> Work:
        """Return the work as both builds do it: kernels on the same arguments, which head draws."""
        kind, arguments = work
        if kind != "kernel":
            return work
        path = self._builds[1].cache / "arguments.pickle"
        head.ask("tell", "draw_kernel", path, *arguments)
        return kind, (path,)

    @staticmethod
    def _ratio(name: str, workers: Sequence[Worker], first: int) -> float:
        """Return the ratio of one round; the builds begin in turn."""
        seconds = [0.0, 0.0]
        for place in (first, 1 - first):
            seconds[place] = workers[place].ask("repeat", name)
        base, head = seconds
        return head / base
