"""The Python executor: runs a plan op by op, on any back end.

It is the statement of what the one in C computes (`fastnn.execution.native_executor`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from .. import kernels
from ..errors import FastnnError
from ..ir.program import (
    BATCH_REGIONS,
    AverageMomentum,
    Batch,
    ClippedTo,
    EpsilonHat,
    LearningRate,
    NextStep,
    Op,
    PerWeight,
    Plan,
    Ref,
    Region,
    Result,
    RunState,
    StateValue,
    StreamOffset,
)
from ..runtime.interrupts import DeferredInterrupt
from ..runtime.random_streams import stream_offset
from .arena import ParameterArena, aligned_zeros
from .batches import Pass

#: Batch sizes × stages whose views one executor remembers.
MAX_BINDINGS = 64

#: From a batch to its gradients, all of which may be given up; then comes the update.
GRADIENT_STAGES = ("forward", "loss", "backward", "penalty", "check")

#: For the stages that look at parameters and buffers alone.
NO_ROWS = Batch(np.empty((0, 0)))


class Diverged(FastnnError):
    """The loss, or a gradient, of batch `number` is not finite; its update was not done."""

    def __init__(self, number: int, loss: float):
        super().__init__(f"batch {number}: loss {loss}")
        self.number, self.loss = number, loss


@dataclass(frozen=True)
class BoundOp:
    """An op tied to memory and to a back end.

    `arguments` holds what stays the same from batch to batch, and `changing` the places and the
    plan's arguments of what does not.
    """

    function: Callable[..., Any]
    result: Result | None
    factor: float
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
        for ref, values in plan.constants:
            self.fixed_array(ref)[...] = values

    def run(self, stages: Iterable[str], batch: Batch, state: RunState) -> list[float]:
        """Run the named stages of the plan on one batch; returns the sums indexed by `Result`."""
        results = [0.0] * len(Result)
        for stage in stages:
            for op in self._bind(stage, len(batch.x)):
                arguments = op.arguments.copy()
                for position, argument in op.changing:
                    arguments[position] = self._resolve(argument, batch, state, results)
                value = op.function(*arguments)
                if op.result is Result.ARRAY_SQUARED_NORM:
                    results[op.result] = value
                elif op.result is not None:
                    results[op.result] += op.factor * value
        return results

    def train(
        self,
        rows: Pass,
        start: int,
        stop: int,
        learning_rates: np.ndarray,
        state: RunState,
        interrupt: DeferredInterrupt,
        seconds: float | None = None,
    ) -> int:
        """Take one optimizer step for each of the batches [start, stop) of a pass.

        `learning_rates`, float64, are those of the steps, in their order. Returns the number of the
        next batch: `stop`, or less once `seconds` are over. A batch whose weights are all 0 changes
        nothing and takes no step. Ctrl-C comes between two steps.

        Raises
        ------
        Diverged
        """
        end = math.inf if seconds is None else time.monotonic() + seconds
        rates = iter(learning_rates.tolist())
        for number in range(start, stop):
            with interrupt.allowed():
                batch = rows.batch(number, self.plan, state)
            if batch.weight is None or batch.weight.any():
                self._step(rows, number, batch, next(rates), state, interrupt)
            if time.monotonic() >= end:
                return number + 1
        return stop

    def native_run(
        self,
        rows: Pass,
        start: int,
        stop: int,
        state: RunState,
        learning_rates: np.ndarray | None,
        seconds: float | None,
    ) -> Any:
        """What `train` would do, as a `Run` of the native back end that any thread can do.

        None where it takes Python, as it always does here.
        """
        return None

    def outcome(self, run: Any, rows: Pass) -> int:
        """What `train` would have returned or raised, of a native run that was done."""
        raise NotImplementedError

    def _step(
        self,
        rows: Pass,
        number: int,
        batch: Batch,
        learning_rate: float,
        state: RunState,
        interrupt: DeferredInterrupt,
    ) -> None:
        with interrupt.allowed():
            results = self.run(GRADIENT_STAGES, batch, state)
            loss = results[Result.LOSS]
            rows.losses[number] = loss
            if not math.isfinite(loss) or results[Result.NONFINITE]:
                raise Diverged(number, loss)
            self._store_prediction(rows, number, batch, state)
        with interrupt.section():
            state.learning_rate = learning_rate
            self.run(("update",), batch, state)
            state.step += 1

    def infer(self, rows: Pass, state: RunState, start: int = 0, stop: int | None = None) -> None:
        """Fill in predictions of the batches [start, stop), and the losses if they are asked for.

        All batches of the pass by default.
        """
        self.run(("prepare",), NO_ROWS, state)
        for number in range(start, len(rows) if stop is None else stop):
            batch = rows.batch(number, self.plan)
            self.run(("forward",), batch, state)
            self._store_prediction(rows, number, batch, state)
            if rows.scored:
                rows.losses[number] = self.run(("loss",), batch, state)[Result.LOSS]

    def repeatable(
        self, rows: Pass, state: RunState, start: int = 0, stop: int | None = None
    ) -> Callable[[], Any]:
        """What `infer` does with a pass, as a function to call whenever its arrays have changed."""
        return partial(Executor.infer, self, rows, state, start, stop)

    def _store_prediction(self, rows: Pass, number: int, batch: Batch, state: RunState) -> None:
        if rows.predictions is not None:
            self.run(("predict",), batch, state)
            kept = (number - rows.kept_from) * rows.batch_size
            prediction = self.array(self.plan.prediction, batch)
            rows.predictions[kept : kept + len(batch.x)] = prediction

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

    def fixed_array(self, ref: Ref) -> np.ndarray:
        """The array of a ref that does not depend on the batch."""
        array = self.array(ref, NO_ROWS)
        assert array is not None
        return array

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
            Region.BUFFERS: lambda: self.arena.buffers,
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
            self._bound[key] = [self._bind_op(functions, op, rows) for op in ops]
        return self._bound[key]

    def _bind_op(self, functions: ModuleType, op: Op, rows: int) -> BoundOp:
        function = getattr(functions, op.kernel) if isinstance(op.kernel, str) else op.kernel
        no_batch = Batch(np.empty((rows, 0)))
        given = list(op.arguments.values())
        changing = tuple((i, a) for i, a in enumerate(given) if _changes(a))
        arguments = [
            self.array(a, no_batch) if isinstance(a, Ref) and not _changes(a) else a for a in given
        ]
        return BoundOp(function, op.result, op.factor, arguments, changing)

    def _resolve(
        self, argument: Any, batch: Batch, state: RunState, results: Sequence[float]
    ) -> Any:
        match argument:
            case StateValue():
                return getattr(state, argument.value)
            case LearningRate(multiplier):
                return state.learning_rate * multiplier
            case NextStep(skipped):
                return state.next_step - skipped
            case StreamOffset(stream):
                return stream_offset(stream, state.step)
            case ClippedTo():
                return argument.factor(results)
            case AverageMomentum():
                return argument.momentum(state.next_step)
            case EpsilonHat():
                return argument.value(state.next_step)
            case PerWeight(strength):
                return strength / batch.total_weight
        return self.array(argument, batch)


#: Arguments that differ from step to step.
_OPERANDS = (
    StateValue,
    LearningRate,
    NextStep,
    StreamOffset,
    ClippedTo,
    AverageMomentum,
    EpsilonHat,
    PerWeight,
)


def _changes(argument: Any) -> bool:
    """Whether an argument differs from batch to batch."""
    if isinstance(argument, Ref):
        return argument.region in BATCH_REGIONS
    return isinstance(argument, _OPERANDS)
