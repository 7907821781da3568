"""The plans and executors of one network, made when first needed and kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import native_executor
from .compiler import compile_plan
from .executor import Executor
from .folding import keeps_digits
from .parameters import ParameterArena, Snapshot
from .plan import Plan

if TYPE_CHECKING:
    from .architecture import Architecture


class ExecutorPool:
    """Compiles plans for the sizes that come up, and lends executors of them.

    Copies of it are empty.

    Attributes
    ----------
    architecture : Architecture
    arena : ParameterArena
    """

    def __init__(self, architecture: Architecture, arena: ParameterArena):
        self.architecture = architecture
        self.arena = arena
        self._plans: dict[tuple[int, frozenset[tuple[str, bool]]], Plan] = {}
        self._idle: dict[tuple[int, frozenset[tuple[str, bool]]], list[Executor]] = {}
        self._training: Executor | None = None
        self._snapshot: Snapshot | None = None
        self._averaged: ExecutorPool | None = None

    def __reduce__(self) -> tuple[type[ExecutorPool], tuple[Architecture, ParameterArena]]:
        return ExecutorPool, (self.architecture, self.arena)

    def snapshot(self) -> Snapshot:
        """Where training keeps the parameters to go back to."""
        if self._snapshot is None:
            self._snapshot = Snapshot(self.arena)
        return self._snapshot

    def release(self) -> None:
        """Give back the memory of executors that are idle, of the snapshot and of the gradients."""
        self._training = self._snapshot = self._averaged = None
        self._idle.clear()
        self.arena.release_gradients()

    def averaged(self) -> ExecutorPool:
        """Executors that find the average of the weights in the place of the weights."""
        if self._averaged is None:
            self._averaged = ExecutorPool(self.architecture, self.arena.averaged())
        return self._averaged

    def plan(self, rows: int, *, folded: bool = True, **options: bool) -> Plan:
        """The plan for batches of up to `rows` rows; options of `fastnn.compiler.compile_plan`."""
        options["folded"] = folded
        key = (rows, frozenset(options.items()))
        if key not in self._plans:
            self._plans[key] = compile_plan(self.architecture, rows, fused=True, **options)
        return self._plans[key]

    def describe(self) -> str:
        """Which executor trains the network."""
        return native_executor.describe(self.plan(1, training=True, labels=False))

    def training(self, rows: int, labels: bool) -> Executor:
        """The executor for training; kept until one for another batch size is asked for."""
        plan = self.plan(rows, training=True, labels=labels)
        if self._training is None or self._training.plan is not plan:
            self._training = native_executor.executor(plan, self.arena)
        return self._training

    @contextmanager
    def inference(
        self, rows: int, labels: bool, noise: bool = False, link: bool = True
    ) -> Iterator[Executor]:
        """An executor that no other thread uses meanwhile, for batches of up to `rows` rows."""
        capacity = 1 << (rows - 1).bit_length()  # few plans serve all sizes
        options = {"labels": labels, "noise": noise, "link": link}
        executor, idle = self._lend(capacity, folded=True, **options)
        if not keeps_digits(executor):
            idle.append(executor)
            executor, idle = self._lend(capacity, folded=False, **options)
        try:
            yield executor
        finally:
            idle.append(executor)

    def _lend(self, rows: int, **options: bool) -> tuple[Executor, list[Executor]]:
        """An idle executor or a new one, and where it goes afterwards."""
        idle = self._idle.setdefault((rows, frozenset(options.items())), [])
        try:
            return idle.pop(), idle
        except IndexError:
            plan = self.plan(rows, training=False, **options)
            return native_executor.executor(plan, self.arena), idle
