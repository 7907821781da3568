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
from ..ir.per_step import PerStep
from ..ir.program import (
    BATCH_REGIONS,
    Batch,
    ClippedTo,
    Op,
    PerWeight,
    Plan,
    Ref,
    Result,
    RunState,
    StateValue,
)
from ..runtime.interrupts import DeferredInterrupt
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
    plan's arguments of what does not. `per_step` has the places, and the columns in the table of
    steps, of what depends on the step alone.
    """

    function: Callable[..., Any]
    result: Result | None
    factor: float
    arguments: list[Any]
    changing: tuple[tuple[int, Any], ...]
    per_step: tuple[tuple[int, int], ...]


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

    def run_stages(
        self,
        stages: Iterable[str],
        batch: Batch,
        state: RunState,
        row: Sequence[float] | None = None,
    ) -> list[float]:
        """Run the named stages of the plan on one batch; return the sums indexed by `Result`.

        `row` holds what depends on the step; it is worked out from the state by default.
        """
        results = [0.0] * len(Result)
        if row is None:
            row = self.plan.per_step.row(state.step + 1, state.learning_rate)
        for stage in stages:
            for op in self._bind(stage, len(batch.x)):
                arguments = op.arguments.copy()
                for position, column in op.per_step:
                    arguments[position] = row[column]
                for position, argument in op.changing:
                    arguments[position] = self._resolve(argument, batch, state.seed, results)
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
        rates = batch_range.learning_rates
        assert rates is not None
        steps = zip(rates.tolist(), self.plan.per_step.rows(state.step + 1, rates), strict=True)
        for number in range(batch_range.start, batch_range.stop):
            with interrupt.allowed():
                batch = batch_range.batches.batch(number, self.plan, state)
            if batch.weight is None or batch.weight.any():
                learning_rate, row = next(steps)
                with interrupt.allowed():
                    self._compute_gradients(batch_range, number, batch, row)
                with interrupt.section():
                    state.learning_rate = learning_rate
                    self.run_stages(("update",), batch, state, row)
                    state.step += 1
            if time.monotonic() >= end:
                return number + 1
        return batch_range.stop

    def _compute_gradients(
        self, batch_range: BatchRange, number: int, batch: Batch, row: Sequence[float]
    ) -> None:
        results = self.run_stages(GRADIENT_STAGES, batch, batch_range.state, row)
        loss = results[Result.LOSS]
        batch_range.batches.losses[number] = loss
        if not math.isfinite(loss) or results[Result.NONFINITE]:
            raise Diverged(number, loss)
        self._store_prediction(batch_range, number, batch)

    def _store_prediction(self, batch_range: BatchRange, number: int, batch: Batch) -> None:
        batches = batch_range.batches
        if batches.predictions is not None:
            self.run_stages(("predict",), batch, batch_range.state)
            start = (number - batches.kept_from) * batches.batch_size
            prediction = self.array(self.plan.prediction, batch)
            batches.predictions[start : start + len(batch.x)] = prediction

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
        column = self.plan.per_step.operands.index
        per_step = tuple((i, column(a)) for i, a in enumerate(given) if isinstance(a, PerStep))
        changing = tuple((i, a) for i, a in enumerate(given) if _changes(a))
        arguments = [
            self.array(a, no_batch) if isinstance(a, Ref) and not _changes(a) else a for a in given
        ]
        return BoundOp(function, op.result, op.factor, arguments, changing, per_step)

    def _resolve(self, argument: Any, batch: Batch, seed: int, results: Sequence[float]) -> Any:
        match argument:
            case StateValue():
                return seed
            case ClippedTo():
                return argument.factor(results)
            case PerWeight(strength):
                return strength / batch.total_weight
        return self.array(argument, batch)


def _changes(argument: Any) -> bool:
    """Return whether an argument differs from batch to batch."""
    if isinstance(argument, Ref):
        return argument.region in BATCH_REGIONS
    return isinstance(argument, StateValue | ClippedTo | PerWeight)
