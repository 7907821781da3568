"""The Python executor: runs a plan op by op, on any back end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import kernels
from .compiler import compile_plan
from .parameters import ParameterArena, aligned_zeros
from .plan import (
    BATCH_REGIONS,
    Batch,
    Op,
    Plan,
    Ref,
    Region,
    Result,
    RunState,
    StateValue,
    StreamOffset,
)
from .randomness import stream_offset

if TYPE_CHECKING:
    from .architecture import Architecture


#: Batch sizes × stages whose views one executor remembers.
MAX_BINDINGS = 64


@dataclass(frozen=True)
class BoundOp:
    """An op tied to memory and to a back end.

    `arguments` holds what stays the same from batch to batch, and `changing` the places and the
    plan's arguments of what does not.
    """

    function: Callable[..., Any]
    result: Result | None
    arguments: list[Any]
    changing: tuple[tuple[int, Any], ...]


class Executor:
    """Runs one plan over one network's arena, in a workspace of its own.

    Not re-entrant: concurrent calls need an executor each. The back end is chosen when a batch is
    run, and the views for a given number of rows are made once.
    """

    def __init__(self, plan: Plan, arena: ParameterArena):
        self.plan = plan
        self.arena = arena
        self._workspace = aligned_zeros(plan.workspace, np.dtype(np.uint8))
        self._bound: dict[tuple[str, str, int], list[BoundOp]] = {}

    def run(self, stages: Iterable[str], batch: Batch, state: RunState) -> list[float]:
        """Run the named stages of the plan on one batch; returns the sums indexed by `Result`."""
        results = [0.0] * len(Result)
        for stage in stages:
            for op in self._bind(stage, len(batch.x)):
                arguments = op.arguments.copy()
                for position, argument in op.changing:
                    arguments[position] = self._resolve(argument, batch, state)
                value = op.function(*arguments)
                if op.result is not None:
                    results[op.result] += value
        return results

    def array(self, ref: Ref, batch: Batch) -> np.ndarray | None:
        """The array that a ref of the plan means for this batch: a view, not a copy."""
        if ref.region in BATCH_REGIONS:
            array = batch.region(ref.region)
            if array is None or ref.region is not Region.INPUT:
                return array
            return array.reshape(ref.full_shape(len(array)))
        start = ref.offset
        stop = start + ref.count(len(batch.x)) * ref.dtype.itemsize
        flat = self._base(ref.region)[start:stop].view(ref.dtype)
        return flat.reshape(ref.full_shape(len(batch.x)))

    def first_nonfinite_layer(self, batch: Batch) -> str:
        """Name of the layer whose op first left a non-finite value in the last training step."""
        for stage in ("forward", "loss", "backward", "penalty"):
            for op in self.plan.stages[stage]:
                arrays = (self.array(ref, batch) for ref in op.refs)
                if any(array is not None and not np.isfinite(array).all() for array in arrays):
                    return op.layer
        return "loss"  # the sum overflowed, not its terms

    def _base(self, region: Region) -> np.ndarray:
        if region is Region.WORKSPACE:
            return self._workspace
        arena = {
            Region.PARAMETERS: lambda: self.arena.parameters,
            Region.GRADIENTS: lambda: self.arena.gradients,
            Region.SLOTS: lambda: self.arena.slots.reshape(-1),
        }
        return arena[region]().view(np.uint8)

    def _bind(self, stage: str, rows: int) -> list[BoundOp]:
        backend = kernels.active_backend()
        key = (backend, stage, rows)
        if key not in self._bound:
            if len(self._bound) >= MAX_BINDINGS:
                self._bound.clear()
            functions = kernels.implementation(backend)
            ops = self.plan.stages[stage]
            self._bound[key] = [
                self._bind_op(getattr(functions, op.kernel), op, rows) for op in ops
            ]
        return self._bound[key]

    def _bind_op(self, function: Callable[..., Any], op: Op, rows: int) -> BoundOp:
        no_batch = Batch(np.empty((rows, 0)))
        changing = tuple((i, a) for i, a in enumerate(op.arguments) if _changes(a))
        arguments = [
            self.array(a, no_batch) if isinstance(a, Ref) and not _changes(a) else a
            for a in op.arguments
        ]
        return BoundOp(function, op.result, arguments, changing)

    def _resolve(self, argument: Any, batch: Batch, state: RunState) -> Any:
        if isinstance(argument, StateValue):
            return getattr(state, argument.value)
        if isinstance(argument, StreamOffset):
            return stream_offset(argument.stream, state.step)
        return self.array(argument, batch)


def _changes(argument: Any) -> bool:
    """Whether an argument differs from batch to batch."""
    if isinstance(argument, Ref):
        return argument.region in BATCH_REGIONS
    return isinstance(argument, (StateValue, StreamOffset))


class ExecutorPool:
    """Plans and executors of one network, made when first needed and kept."""

    def __init__(self, architecture: Architecture, arena: ParameterArena):
        self._architecture = architecture
        self._arena = arena
        self._plans: dict[tuple[int, bool, bool], Plan] = {}
        self._idle: dict[tuple[int, bool], list[Executor]] = {}
        self._training: Executor | None = None

    def plan(self, rows: int, *, training: bool, labels: bool) -> Plan:
        """The plan for batches of up to `rows` rows; see `fastnn.compiler.compile_plan`."""
        key = (rows, training, labels)
        if key not in self._plans:
            self._plans[key] = compile_plan(
                self._architecture, rows, training=training, labels=labels
            )
        return self._plans[key]

    def training(self, rows: int, labels: bool) -> Executor:
        """The executor for training; kept until one for another batch size is asked for."""
        plan = self.plan(rows, training=True, labels=labels)
        if self._training is None or self._training.plan is not plan:
            self._training = Executor(plan, self._arena)
        return self._training

    @contextmanager
    def inference(self, rows: int, labels: bool) -> Iterator[Executor]:
        """An executor that no other thread uses meanwhile, for batches of up to `rows` rows."""
        capacity = 1 << (rows - 1).bit_length()  # few plans serve all sizes
        plan = self.plan(capacity, training=False, labels=labels)
        idle = self._idle.setdefault((capacity, labels), [])
        try:
            executor = idle.pop()
        except IndexError:
            executor = Executor(plan, self._arena)
        try:
            yield executor
        finally:
            idle.append(executor)
