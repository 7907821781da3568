"""The executor in C: all batches of a range in one call, without the GIL."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from .. import kernels
from ..augmentation.pipeline import Pipeline, Transform
from ..data.sparse_rows import SparseRows
from ..ir.per_step import StepTable, StreamOffset
from ..ir.program import Plan
from ..runtime.interrupts import DeferredInterrupt
from .arena import ParameterArena, aligned_zeros
from .batches import BatchPass, BatchRange
from .executor import Diverged, Executor
from .native_encoding import TRANSFORM, encode_plan, encode_transform

#: Transforms of passes without augmentation.
UNCHANGED, NO_TRANSFORMS = Pipeline(), np.zeros(0, TRANSFORM)


@dataclass(slots=True)
class NativeInput:
    """One of the user's arrays as C reads it.

    Attributes
    ----------
    array : ndarray or SparseRows
    source : int
        Number of its dtype in C, or COPY where rows are copied as they are.
    scale : float
    batch : ndarray or None
        Room for the rows of a batch, where those of the array cannot be used in place.
    transforms : ndarray of TRANSFORM
    """

    array: np.ndarray | SparseRows
    source: int
    scale: float
    batch: np.ndarray | None
    transforms: np.ndarray


@cache
def _source_numbers(native: ModuleType) -> dict[np.dtype, int]:
    """Return the numbers that C has for the dtypes of users' arrays."""
    return {np.dtype(name): number for number, name in enumerate(native.sources())}


class NativeExecutor(Executor):
    """Runs all batches of a range in C."""

    def __init__(self, plan: Plan, arena: ParameterArena):
        super().__init__(plan, arena)
        self._native = native = kernels.implementation("native")
        self._sources = _source_numbers(native)
        self._copy = native.COPY
        self._buffers: dict[str, np.ndarray] = {}
        self._program: Any = None

    def run(self, batch_range: BatchRange, interrupt: DeferredInterrupt | None = None) -> int:
        run = self.native_run(batch_range)
        if interrupt is None:
            run.execute()
        else:
            with interrupt.allowed():
                run.execute()
        return reached(run, batch_range)

    def bind_inference(self, batch_range: BatchRange) -> Callable[[], object]:
        return self.native_run(batch_range).repeat

    def native_run(self, batch_range: BatchRange) -> Any:
        """Return the work as a `Run` of the native back end, which any thread can do."""
        if self._program is None:
            # Not a `functools.cached_property`, which locks in Python 3.11: a child of fork would
            # wait for ever for a lock that another thread held.
            self._program = encode_plan(self.plan, self._native)
        inputs, table = self._inputs(batch_range.batches), self._step_table(batch_range)
        memory = self.arena, self._workspace
        return self._native.Run(self._program, *memory, inputs, batch_range, table)

    def _step_table(self, batch_range: BatchRange) -> np.ndarray | None:
        """Return the table of steps: columns for the plan's operands and the transforms'."""
        table, augmentation = self.plan.per_step, batch_range.batches.augmentation
        if augmentation is not None:
            table = StepTable([*table.operands, *map(StreamOffset, augmentation.streams)])
        if not table.operands:
            return None
        state, rates = batch_range.state, batch_range.learning_rates
        if rates is None:
            rates = np.array([state.learning_rate])
        return table.bits(state.step + 1, rates)

    def _inputs(
        self, batches: BatchPass
    ) -> tuple[NativeInput, NativeInput | None, NativeInput | None]:
        """Return inputs, targets and weights as a run takes them."""
        data, augmentation = batches.data, batches.augmentation or UNCHANGED
        x = self._input("input", data.x, batches, augmentation.x)
        assert x is not None
        if not batches.scored:
            return x, None, None
        target = self._input("target", data.target, batches, augmentation.target)
        return x, target, self._input("weight", data.weight, batches, augmentation.weight)

    def _input(
        self,
        name: str,
        array: np.ndarray | SparseRows | None,
        batches: BatchPass,
        transforms: tuple[Transform, ...],
    ) -> NativeInput | None:
        """Return an array as a run takes it, with a buffer where it needs one."""
        if array is None:
            return None
        if isinstance(array, SparseRows):
            return self._sparse_input(array, batches)
        dtype, scale = array.dtype, 1.0
        if name == "input":
            dtype, scale = self.plan.dtype, self.plan.input_scale
        converted = array.dtype != dtype or scale != 1
        source = self._sources[array.dtype] if converted else self._copy
        batch = None
        if converted or batches.order is not None:
            batch = self._buffer(name, batches.batch_size, array.shape[1:], dtype)
        records = NO_TRANSFORMS
        if transforms:
            records = self._encode_transforms(name, batches, transforms)
        return NativeInput(array, source, scale, batch, records)

    def _encode_transforms(
        self, name: str, batches: BatchPass, transforms: tuple[Transform, ...]
    ) -> np.ndarray:
        """Return the records of transforms, each of which writes a buffer that it does not read."""
        assert batches.augmentation is not None
        records, streams = np.zeros(len(transforms), TRANSFORM), batches.augmentation.streams
        for turn, (record, transform) in enumerate(zip(records, transforms, strict=True)):
            shape, buffer = transform.shape, f"{name} {turn % 2}"
            out = self._buffer(buffer, batches.batch_size, shape, transform.dtype)
            column = len(self.plan.per_step.operands) + streams.index(transform.stream)
            encode_transform(record, transform, out, column)
        return records

    def _sparse_input(self, array: SparseRows, batches: BatchPass) -> NativeInput:
        """Return rows of a sparse matrix, which become dense in a buffer."""
        assert array.dtype == self.plan.dtype
        assert self.plan.input_scale == 1
        assert batches.augmentation is None
        batch = self._buffer("input", batches.batch_size, (array.width,), array.dtype)
        return NativeInput(array, self._copy, 1.0, batch, NO_TRANSFORMS)

    def _buffer(
        self, name: str, n_rows: int, shape: tuple[int, ...], dtype: np.dtype
    ) -> np.ndarray:
        """Return room for the rows of a batch, kept from one run to the next."""
        count = n_rows * math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.dtype != dtype or len(buffer) < count:
            buffer = self._buffers[name] = aligned_zeros(count, dtype)
        return buffer


def reached(run: Any, batch_range: BatchRange) -> int:
    """Return what `NativeExecutor.run` does, or raise it, of a native run that was done."""
    number, diverged = run.outcome()
    if diverged:
        raise Diverged(number, float(batch_range.batches.losses[number]))
    return number
