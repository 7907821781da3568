"""Base of both executors: a plan tied to memory, and one method that runs batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from ..errors import FastnnError
from ..ir.program import BATCH_REGIONS, Batch, Plan, Ref, Region
from ..runtime.interrupts import DeferredInterrupt
from .arena import ParameterArena, aligned_zeros
from .batches import BatchRange

#: For the stages that look at parameters and buffers alone.
NO_ROWS = Batch(np.empty((0, 0)))


class Diverged(FastnnError):
    """The loss, or a gradient, of batch `number` is not finite; its update was not done."""

    def __init__(self, number: int, loss: float):
        super().__init__(f"batch {number}: loss {loss}")
        self.number, self.loss = number, loss


class Executor(ABC):
    """Runs one plan over one network's arena, in a workspace of its own.

    Not re-entrant: concurrent calls need an executor each.
    """

    def __init__(self, plan: Plan, arena: ParameterArena):
        self.plan = plan
        self.arena = arena
        self._workspace = aligned_zeros(plan.workspace, np.dtype(np.uint8))
        for ref, values in plan.constants:
            self.fixed_array(ref)[...] = values

    @abstractmethod
    def run(self, batch_range: BatchRange, interrupt: DeferredInterrupt | None = None) -> int:
        """Train on some batches, or predict them where there are no learning rates.

        Fills in losses and predictions of the pass. Returns the number of the next batch:
        `batch_range.stop`, or less once its time is over. A batch whose weights are all 0 is not
        trained on: it takes no step. Ctrl-C comes between two steps.

        Raises
        ------
        Diverged
        """

    @abstractmethod
    def bind_inference(self, batch_range: BatchRange) -> Callable[[], object]:
        """Return a function that predicts the batches, as often as their arrays have changed."""

    def array(self, ref: Ref, batch: Batch) -> np.ndarray | None:
        """Return the array that a ref of the plan means for this batch: a view, not a copy."""
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
        """Return the array of a ref that does not depend on the batch."""
        array = self.array(ref, NO_ROWS)
        assert array is not None
        return array

    def first_nonfinite_layer(self, batch: Batch) -> str:
        """Return the layer whose op first left a non-finite value in the last training step."""
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
