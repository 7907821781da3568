"""Pairs of processes, one of each state of the project, whose repeats take turns."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from contest import PeerError, Worker
from intervals import Interval, interval
from workloads.networks import OVERHEAD, TRAINING

DTYPE = "float32"
SHORTEST = 0.004  # seconds of a repeat: both sides meet the same state of the machine
FEW = 8  # every so many workloads in a smoke run

Works = dict[str, tuple[str, tuple[Any, ...]]]  # by name: kind and arguments of the adapter


class Side:
    """One of the two states: a folder that its package is imported from."""

    def __init__(self, label: str, folder: Path, threads: int, cache: Path):
        self.label, self.threads, self._cache = label, threads, cache
        self.variables = {"PYTHONPATH": str(folder)}
        # What other programs take of the processor does not lengthen its own time.
        self.clock = time.process_time if threads == 1 else time.perf_counter

    def start(self) -> Worker:
        worker = Worker("fastnn", self.threads, self._cache, self.variables)
        worker.answer()
        return worker

    def kernel_names(self) -> list[str]:
        worker = self.start()
        try:
            return worker.ask("tell", "kernel_names")
        finally:
            worker.end()


def all_works(side: Side) -> Works:
    """Kernels of its table at every size, and what is done with networks."""
    works: Works = {
        f"{name}, {size}": ("kernel", (name, size, DTYPE))
        for name in side.kernel_names()
        for size in ("small", "large")
    }
    for workload in (*TRAINING[:4], OVERHEAD):
        works[f"train {workload.name}"] = "trainer", (workload.short(),)
    for workload in (TRAINING[1], TRAINING[3]):
        works[f"predict {workload.name}"] = "predictor", (workload,)
    works[f"build {TRAINING[0].name}"] = "build", (TRAINING[0],)
    return works


def chosen(names: Iterable[str], pattern: str, smoke: bool) -> list[str]:
    """Those of a pattern; a few of them in a smoke run."""
    return [name for name in names if fnmatch.fnmatch(name, pattern)][:: FEW if smoke else 1]


class Comparison:
    """Ratios of the times of `head` to those of `base`, for each pair of processes by round."""

    def __init__(self, base: Side, head: Side):
        self._sides = base, head
        self.ratios: dict[str, list[list[float]]] = {}
        self.missing: dict[str, str] = {}

    def measure(self, works: Works, pairs: int, rounds: int) -> None:
        """Add pairs of processes to those that have measured before."""
        if not works:
            return
        for turn in range(pairs):
            workers: list[Worker] = []
            try:
                for side in self._sides:
                    workers.append(side.start())
                for name, work in works.items():
                    self._pair(name, work, workers, rounds, turn)
            finally:
                for worker in workers:
                    worker.end()

    def intervals(self) -> dict[str, Interval]:
        return {name: interval(pairs) for name, pairs in self.ratios.items()}

    def slower(self, name: str) -> bool:
        return name in self.ratios and interval(self.ratios[name]).slower

    def _pair(
        self, name: str, work: tuple, workers: Sequence[Worker], rounds: int, turn: int
    ) -> None:
        if name in self.missing:
            return
        label = self._sides[0].label
        try:
            for side, worker in zip(self._sides, workers, strict=True):
                label = side.label
                worker.ask("prepare", name, *work, SHORTEST, side.clock)
            self.ratios.setdefault(name, []).append(
                [self._ratio(name, workers, (turn + r) % 2) for r in range(rounds)]
            )
        except PeerError as error:
            self.missing[name] = f"{label}: {error}"
            self.ratios.pop(name, None)
        for worker in workers:
            with suppress(PeerError):
                worker.ask("forget")

    @staticmethod
    def _ratio(name: str, workers: Sequence[Worker], first: int) -> float:
        """Of one round; the sides begin in turn."""
        seconds = [0.0, 0.0]
        for place in (first, 1 - first):
            seconds[place] = workers[place].ask("repeat", name)
        base, head = seconds
        return head / base
