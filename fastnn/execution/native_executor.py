"""The executor in C: all batches of a stretch in one call, without the GIL."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from .. import kernels
from ..augmentation.pipeline import Pipeline, Transform
from ..data.sparse_rows import SparseRows
from ..errors import BackendError
from ..ir.program import Plan, RunState
from ..runtime.interrupts import DeferredInterrupt
from .arena import ParameterArena, aligned_zeros
from .batches import Pass
from .native_encoding import TRANSFORM, encode_plan, encode_transform, python_ops
from .python_executor import Diverged, Executor

#: Of passes that augment nothing.
UNCHANGED, NO_TRANSFORMS = Pipeline(), np.zeros(0, TRANSFORM)


def executor(plan: Plan, arena: ParameterArena) -> Executor:
    """The best executor for a plan in this installation."""
    try:
        native = kernels.implementation("native")
    except BackendError:
        return Executor(plan, arena)
    if python_ops(plan):
        return Executor(plan, arena)
    return NativeExecutor(plan, arena, native)


def describe(plan: Plan) -> str:
    """Which executor runs a plan while the active back end is as it is, and why."""
    own = dict.fromkeys(op.layer for op in python_ops(plan))
    if own:
        subject, verb = ("layers", "are") if len(own) > 1 else ("layer", "is")
        return f"Python executor: {subject} {', '.join(map(repr, own))} {verb} Python's own"
    backend = kernels.active_backend()
    return "native executor" if backend == "native" else f"Python executor, {backend} back end"


class NativeExecutor(Executor):
    """Runs passes in C while the native back end is active, and as `Executor` does otherwise."""

    def __init__(self, plan: Plan, arena: ParameterArena, native: ModuleType):
        super().__init__(plan, arena)
        self._native = native
        self._sources = {np.dtype(name): i for i, name in enumerate(native.sources())}
        self._copy = native.COPY
        self._buffers: dict[str, np.ndarray] = {}
        self._program: Any = None

    def _native_program(self) -> Any:
        """The plan in C, made when first needed.

        Not a `functools.cached_property`, which locks in Python 3.11: a child of fork would wait
        for ever for a lock that another thread held.
        """
        if self._program is None:
            self._program = encode_plan(self.plan, self._native)
        return self._program

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
        run = self.native_run(rows, start, stop, state, learning_rates, seconds)
        if run is None:
            return super().train(rows, start, stop, learning_rates, state, interrupt, seconds)
        with interrupt.allowed():
            run.execute()
        return self.outcome(run, rows)

    def native_run(
        self,
        rows: Pass,
        start: int,
        stop: int,
        state: RunState,
        learning_rates: np.ndarray | None,
        seconds: float | None,
    ) -> Any:
        if kernels.active_backend() != "native":
            return None
        arguments = self._arguments(rows, start, stop, state, learning_rates, seconds)
        return self._native.Run(self._native_program(), *arguments)

    def outcome(self, run: Any, rows: Pass) -> int:
        reached, diverged = run.outcome()
        if diverged:
            raise Diverged(reached, float(rows.losses[reached]))
        return reached

    def infer(self, rows: Pass, state: RunState, start: int = 0, stop: int | None = None) -> None:
        self.repeatable(rows, state, start, stop)()

    def repeatable(
        self, rows: Pass, state: RunState, start: int = 0, stop: int | None = None
    ) -> Callable[[], Any]:
        if kernels.active_backend() != "native":
            return super().repeatable(rows, state, start, stop)
        stop = len(rows) if stop is None else stop
        arguments = self._arguments(rows, start, stop, state, None, None)
        return partial(self._native_program().run, *arguments)

    def _arguments(
        self,
        rows: Pass,
        start: int,
        stop: int,
        state: RunState,
        learning_rates: np.ndarray | None,
        seconds: float | None,
    ) -> tuple[Any, ...]:
        """Return the arguments of the program's `run`."""
        data, arena = rows.data, self.arena
        augmentation = rows.augmentation or UNCHANGED
        learned = (None, None) if learning_rates is None else (arena.gradients, arena.slots)
        return (
            (arena.parameters, *learned, arena.buffers, self._workspace),
            self._input(
                "input", data.x, rows, augmentation.x, self.plan.dtype, self.plan.input_scale
            ),
            self._input("target", data.target, rows, augmentation.target) if rows.scored else None,
            self._input("weight", data.weight, rows, augmentation.weight) if rows.scored else None,
            rows.order,
            len(data),
            rows.batch_size,
            state,
            learning_rates,
            start,
            stop,
            rows.losses if rows.scored else None,
            rows.predictions,
            rows.kept_from,
            0 if seconds is None else int(seconds * 1e9),
        )

    def _input(
        self,
        name: str,
        array: np.ndarray | SparseRows | None,
        rows: Pass,
        transforms: tuple[Transform, ...],
        dtype: np.dtype | None = None,
        scale: float = 1.0,
    ) -> tuple[Any, ...] | None:
        """An array as a run takes it: with its type, its scale, and a buffer where it needs one.

        Each of the transforms writes a buffer that it does not read: two take turns.
        """
        if array is None:
            return None
        if isinstance(array, SparseRows):
            return self._sparse_input(array, rows, scale)
        converted = dtype is not None and (array.dtype != dtype or scale != 1)
        source = self._sources[array.dtype] if converted else self._copy
        batch = None
        if converted or rows.order is not None:
            batch = self._buffer(name, rows.batch_size, array.shape[1:], dtype or array.dtype)
        records = np.zeros(len(transforms), TRANSFORM) if transforms else NO_TRANSFORMS
        for turn, (record, transform) in enumerate(zip(records, transforms, strict=True)):
            shape, buffer = transform.shape, f"{name} {turn % 2}"
            out = self._buffer(buffer, rows.batch_size, shape, transform.dtype)
            encode_transform(record, transform, out)
        return array, source, scale, batch, records

    def _sparse_input(self, array: SparseRows, rows: Pass, scale: float) -> tuple[Any, ...]:
        """Rows of a sparse matrix, which become dense in a buffer."""
        assert array.dtype == self.plan.dtype
        assert scale == 1
        assert rows.augmentation is None
        batch = self._buffer("input", rows.batch_size, (array.width,), array.dtype)
        matrix = array.values, array.columns, array.starts, array.width
        return matrix, self._copy, scale, batch, NO_TRANSFORMS

    def _buffer(self, name: str, rows: int, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Room for the rows of a batch, kept from one run to the next."""
        count = rows * math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.dtype != dtype or len(buffer) < count:
            buffer = self._buffers[name] = aligned_zeros(count, dtype)
        return buffer
