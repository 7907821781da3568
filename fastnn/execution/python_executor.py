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
    Result,
    RunState,
    StateValue,
    StreamOffset,
)
from ..runtime.interrupts import DeferredInterrupt
from ..runtime.random_streams import stream_offset
from .arena import ParameterArena
from .batches import BatchRange
from .executor import NO_ROWS, Diverged, Executor

#: Batch sizes × stages whose views one executor remembers.
MAX_BINDINGS = 64

#: From a batch to its gradients, all of which may be given up; then comes the update.
GRADIENT_STAGES = ("forward", "loss", "backward", "penalty", "check")


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


class PythonExecutor(Executor):
    """Runs a plan op by op.

    The back end is chosen when a batch is run, and the views for a given number of rows are made
    once.
    """

    def __init__(self, plan: Plan, arena: ParameterArena):
        super().__init__(plan, arena)
        self._bound: dict[tuple[str, str, int], list[BoundOp]] = {}

    def run(self, batch_range: BatchRange, interrupt: DeferredInterrupt | None = None) -> int:
        if batch_range.learning_rates is None:
            self._predict(batch_range)
            return batch_range.stop
        return self._train(batch_range, interrupt or DeferredInterrupt())

    def bind_inference(self, batch_range: BatchRange) -> Callable[[], object]:
        return partial(self.run, batch_range)

    def run_stages(self, stages: Iterable[str], batch: Batch, state: RunState) -> list[float]:
        """Run the named stages of the plan on one batch; return the sums indexed by `Result`."""
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

    def _predict(self, batch_range: BatchRange) -> None:
        batches, state = batch_range.batches, batch_range.state
        self.run_stages(("prepare",), NO_ROWS, state)
        for number in range(batch_range.start, batch_range.stop):
            batch = batches.batch(number, self.plan)
            self.run_stages(("forward",), batch, state)
            self._store_prediction(batch_range, number, batch)
            if batches.scored:
                batches.losses[number] = self.run_stages(("loss",), batch, state)[Result.LOSS]

    def _train(self, batch_range: BatchRange, interrupt: DeferredInterrupt) -> int:
        seconds, state = batch_range.seconds, batch_range.state
        end = math.inf if seconds is None else time.monotonic() + seconds
        assert batch_range.learning_rates is not None
        rates = iter(batch_range.learning_rates.tolist())
        for number in range(batch_range.start, batch_range.stop):
            with interrupt.allowed():
                batch = batch_range.batches.batch(number, self.plan, state)
            if batch.weight is None or batch.weight.any():
                self._compute_gradients(batch_range, number, batch, interrupt)
                with interrupt.section():
                    state.learning_rate = next(rates)
                    self.run_stages(("update",), batch, state)
                    state.step += 1
            if time.monotonic() >= end:
                return number + 1
        return batch_range.stop

    def _compute_gradients(
        self, batch_range: BatchRange, number: int, batch: Batch, interrupt: DeferredInterrupt
    ) -> None:
        with interrupt.allowed():
            results = self.run_stages(GRADIENT_STAGES, batch, batch_range.state)
            loss = results[Result.LOSS]
            batch_range.batches.losses[number] = loss
            if not math.isfinite(loss) or results[Result.NONFINITE]:
                raise Diverged(number, loss)
            self._store_prediction(batch_range, number, batch)

    def _store_prediction(self, batch_range: BatchRange, number: int, batch: Batch) -> None:
        batches = batch_range.batches
        if batches.predictions is not None:
            self.run_stages(("predict",), batch, batch_range.state)
            kept = (number - batches.kept_from) * batches.batch_size
            prediction = self.array(self.plan.prediction, batch)
            batches.predictions[kept : kept + len(batch.x)] = prediction

    def _bind(self, stage: str, n_rows: int) -> list[BoundOp]:
        backend = kernels.active_backend()
        key = (backend, stage, n_rows)
        if key not in self._bound:
            if len(self._bound) >= MAX_BINDINGS:
                self._bound.clear()
            functions = kernels.implementation(backend)
            ops = self.plan.stages[stage]
            self._bound[key] = [self._bind_op(functions, op, n_rows) for op in ops]
        return self._bound[key]

    def _bind_op(self, functions: ModuleType, op: Op, n_rows: int) -> BoundOp:
        function = getattr(functions, op.kernel) if isinstance(op.kernel, str) else op.kernel
        no_batch = Batch(np.empty((n_rows, 0)))
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
