"""The plans and executors of one network, made when first needed and kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from ..compiler.folding import keeps_digits
from ..compiler.lowering import compile_plan
from ..ir.program import Plan
from . import native_executor
from .arena import ParameterArena, Snapshot
from .python_executor import Executor

if TYPE_CHECKING:
    from ..compiler.architecture import Architecture


class PlanKey(NamedTuple):
    """What a plan is compiled for: the rows of its largest batch, and options of `compile_plan`."""

    rows: int
    training: bool
    labels: bool
    folded: bool = True
    noise: bool = False
    link: bool = True


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
        self._plans: dict[PlanKey, Plan] = {}
        self._idle: dict[PlanKey, list[Executor]] = {}
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
        """Return a pool whose executors compute with the average of the weights."""
        if self._averaged is None:
            self._averaged = ExecutorPool(self.architecture, self.arena.averaged())
        return self._averaged

    def plan(self, rows: int, *, training: bool, labels: bool, folded: bool = True) -> Plan:
        """Return the plan for batches of up to `rows` rows; see `compile_plan`."""
        return self._plan(PlanKey(rows, training, labels, folded))

    def _plan(self, key: PlanKey) -> Plan:
        if key not in self._plans:
            options = key._asdict()
            self._plans[key] = compile_plan(self.architecture, fused=True, **options)
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
        key = PlanKey(capacity, False, labels, noise=noise, link=link)
        executor, idle = self._lend(key)
        if not _keeps_digits(executor):
            idle.append(executor)
            executor, idle = self._lend(key._replace(folded=False))
        try:
            yield executor
        finally:
            idle.append(executor)

    def _lend(self, key: PlanKey) -> tuple[Executor, list[Executor]]:
        """Return an idle executor or a new one, and the list that it goes back to."""
        idle = self._idle.setdefault(key, [])
        try:
            return idle.pop(), idle
        except IndexError:
            return native_executor.executor(self._plan(key), self.arena), idle


def _keeps_digits(executor: Executor) -> bool:
    """Return whether no normalisation that the plan folds away has means too large for it."""
    for op in executor.plan.stages["prepare"]:
        if op.kernel == "dense_fold_input":
            mean, variance = map(executor.fixed_array, op.arguments[4:6])
            if not keeps_digits(mean, variance, op.arguments[-1]):
                return False
    return True
