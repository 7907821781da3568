"""Estimates of the memory that training takes, made before it begins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import ArgumentError
from ...model.inference import BATCH_SIZE
from ...model.tally import block_batches
from ...utils import checks
from ...utils.resources import available_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...compiler.architecture import Architecture
    from ...data.data_set import DataSet
    from ...model.base import Model
    from ..session import Session

#: The share of the free memory that a population may take by default.
SHARE = 0.8
#: Arrays of the workspace for each layer's output: the output, and what its gradient needs.
PER_OUTPUT = 2


@dataclass(frozen=True)
class MemoryNeeded:
    """Bytes that a network holds from its first step on, and those it needs while it trains."""

    lasting: int
    passing: int


def memory_needed(model: Model, net: Architecture, session: Session) -> MemoryNeeded:
    """Estimate the memory of one fit: X and y, which all networks share, left out.

    Lasting are parameters, optimizer slots and buffers; passing are gradients, the copy to go back
    to, activations, the batch, predictions for metrics, and the order of the rows.
    """
    item = net.dtype.itemsize
    lasting = ((1 + len(net.slots)) * net.size + net.buffer_size) * item
    sizes = [math.prod(shape) for shape in net.shapes]
    widest, batch = max(sizes), session.settings.batch_size
    per_row = PER_OUTPUT * sum(sizes[1:]) + 2 * widest + 2 * sizes[0]
    passing = net.size * item + lasting + batch * per_row * item + 2 * 8 * len(session.train)
    passing += _kept_for_metrics(model, session.train, batch, sizes[-1]) * item
    if session.validation is not None:
        passing += _kept_for_metrics(model, session.validation, BATCH_SIZE, sizes[-1]) * item
        passing += min(BATCH_SIZE, len(session.validation)) * 3 * widest * item
    return MemoryNeeded(lasting, passing)


def _kept_for_metrics(model: Model, rows: DataSet, batch_size: int, outputs: int) -> int:
    """Return how many predictions are kept at a time, plus the decisions of all rows."""
    if not model.metrics:
        return 0
    batch_size = min(batch_size, len(rows))
    batches = -(-len(rows) // batch_size)
    held = block_batches(model.metrics, batches, batch_size, outputs) * batch_size * outputs
    return held + 2 * len(rows) * (outputs if model.loss.task == "binary" else 1)


class MemoryBudget:
    """Memory for the networks that are in training.

    Attributes
    ----------
    limited : bool
        Whether some have to wait for others, whose memory is to be given back.
    """

    def __init__(self, limit: float, needed: Sequence[MemoryNeeded]):
        self._free = limit - sum(need.lasting for need in needed)
        self.limited = sum(need.passing for need in needed) > self._free
        self._inside = 0

    def enter(self, need: MemoryNeeded) -> bool:
        """Reserve the memory of one more network, unless there is too little; return whether."""
        if need.passing > self._free and self._inside:
            return False
        self._free -= need.passing
        self._inside += 1
        return True

    def leave(self, need: MemoryNeeded) -> None:
        """Give back the memory of one that has finished."""
        self._free += need.passing
        self._inside -= 1


def memory_budget(memory_limit: Any, needed: Sequence[MemoryNeeded]) -> MemoryBudget:
    """Return a budget of so many bytes or, with None, of a share of what is free.

    Raises
    ------
    ArgumentError
        A limit was given, and one network alone needs more.
    """
    if memory_limit is None:
        free = available_memory()
        return MemoryBudget(math.inf if free is None else SHARE * free, needed)
    limit = checks.integer("memory_limit", memory_limit, low=1)
    least = sum(need.lasting for need in needed) + max(need.passing for need in needed)
    if limit < least:
        raise ArgumentError(
            f"memory_limit is {limit:,} bytes, but these networks, trained one at a time, need "
            f"{least:,}"
        )
    return MemoryBudget(limit, needed)
