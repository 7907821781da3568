"""The plans and executors of one network, made when first needed and kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..compiler.folding import folding_is_accurate
from ..compiler.lowering import compile_plan
from ..compiler.sharing import plans_of
from ..ir.builder import PlanMode
from ..ir.program import Plan
from . import selection
from .arena import ParameterArena, Snapshot
from .executor import Executor

if TYPE_CHECKING:
    from ..compiler.architecture import Architecture


#: Plans of one network that are kept; before one more, all are dropped.
MOST_PLANS = 64

#: The rows of a plan's largest batch, and its purpose.
PlanKey = tuple[int, PlanMode]


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
        self._plans = plans_of(architecture)
        self._idle: dict[tuple[PlanKey, type[Executor]], list[Executor]] = {}
        self._training: Executor | None = None
        self._snapshot: Snapshot | None = None
        self._averaged: ExecutorPool | None = None

    def __reduce__(self) -> tuple[type[ExecutorPool], tuple[Architecture, ParameterArena]]:
        return ExecutorPool, (self.architecture, self.arena)

    def snapshot(self) -> Snapshot:
        """Return the room in which training keeps the parameters to go back to."""
        if self._snapshot is None:
            self._snapshot = Snapshot(self.arena)
        return self._snapshot

    def release(self) -> None:
        """Free the memory of executors that are idle, of the snapshot and of the gradients."""
        self._training = self._snapshot = self._averaged = None
        self._idle.clear()
        self.arena.release_gradients()

    def averaged(self) -> ExecutorPool:
        """Return a pool whose executors compute with the average of the weights."""
        if self._averaged is None:
            self._averaged = ExecutorPool(self.architecture, self.arena.averaged())
        return self._averaged

    def plan(self, n_rows: int, *, training: bool, labels: bool, folded: bool = True) -> Plan:
        """Return the plan for batches of up to `n_rows` rows; see `PlanMode`."""
        return self._plan((n_rows, PlanMode(training, labels, True, folded)))

    def _plan(self, key: PlanKey) -> Plan:
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            plan = self._plans.setdefault(key, compile_plan(self.architecture, *key))
        return plan

    def describe(self) -> str:
        """Return which executor trains the network."""
        return selection.describe(self.plan(1, training=True, labels=False))

    def training(self, n_rows: int, labels: bool) -> Executor:
        """Return the executor for training, reused while the batch size is the same."""
        plan = self.plan(n_rows, training=True, labels=labels)
        kind = selection.executor_class(plan)
        if type(self._training) is not kind or self._training.plan is not plan:
            self._training = kind(plan, self.arena)
        return self._training

    @contextmanager
    def inference(
        self, n_rows: int, labels: bool, noise: bool = False, link: bool = True
    ) -> Iterator[Executor]:
        """Lend an executor to one thread, for batches of up to `n_rows` rows."""
        capacity = 1 << (n_rows - 1).bit_length()  # few plans serve all sizes
        mode = PlanMode(False, labels, True, True, noise, link=link)
        executor, idle = self._lend((capacity, mode))
        if not folding_is_accurate(executor.plan, executor.fixed_array):
            idle.append(executor)
            executor, idle = self._lend((capacity, mode._replace(folded=False)))
        try:
            yield executor
        finally:
            idle.append(executor)

    def _lend(self, key: PlanKey) -> tuple[Executor, list[Executor]]:
        """Return an idle executor or a new one, and the list that it goes back to."""
        plan = self._plan(key)
        kind = selection.executor_class(plan)
        idle = self._idle.setdefault((key, kind), [])
        try:
            return idle.pop(), idle
        except IndexError:
            return kind(plan, self.arena), idle
