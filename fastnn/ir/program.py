"""The plan: a network lowered to kernel calls on preallocated memory.

A plan lists ops in the order of execution. An op names a kernel of the table and its arguments, and
an argument that is an array is a `Ref`: a region, a byte offset and a shape, never a pointer. So a
plan is immutable, may serve any number of networks of one shape, and reads the same to the Python
executor as to the one in C: resolve offsets, set the number of rows, call.

The leading dimension of a `Ref` with ``per_row`` is the number of rows of the batch at hand, or a
multiple of it; there may be anything up to `Plan.n_rows`.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .per_step import PerStep, StepTable


class Region(enum.IntEnum):
    """Memory that a `Ref` points into; the last three are the batch that the caller brings."""

    PARAMETERS = 0
    GRADIENTS = 1
    SLOTS = 2
    BUFFERS = 3
    WORKSPACE = 4
    INPUT = 5
    TARGET = 6
    WEIGHT = 7


#: The regions whose base changes from batch to batch.
BATCH_REGIONS = frozenset({Region.INPUT, Region.TARGET, Region.WEIGHT})


@dataclass(frozen=True)
class Ref:
    """An array argument; `shape` leaves out the rows, `bits` packs eight elements into a byte.

    `per_row` is the number of the array's rows for each row of the batch, or 0 for an array that
    does not grow with the batch.
    """

    region: Region
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype
    per_row: int = 1
    bits: bool = False

    def count(self, n_rows: int) -> int:
        """Return the number of stored elements for a batch of `n_rows`."""
        elements = math.prod(self.shape) * (n_rows * self.per_row if self.per_row else 1)
        return (elements + 7) // 8 if self.bits else elements

    def full_shape(self, n_rows: int) -> tuple[int, ...]:
        """Return the shape of the stored array for a batch of `n_rows`."""
        if self.bits:
            return (self.count(n_rows),)
        return (n_rows * self.per_row, *self.shape) if self.per_row else self.shape

    def reshaped(self, shape: tuple[int, ...]) -> Ref:
        """Return the same elements under another shape."""
        return replace(self, shape=shape)

    def as_matrix(self, columns: int) -> Ref:
        """Return the same elements as rows of `columns`: several for each row of the batch."""
        per_row = self.per_row * math.prod(self.shape) // columns
        return replace(self, shape=(columns,), per_row=per_row)

    def part(self, first: int, count: int) -> Ref:
        """Return some rows of an array that does not grow with the batch."""
        step = math.prod(self.shape[1:]) * self.dtype.itemsize
        return replace(self, offset=self.offset + first * step, shape=(count, *self.shape[1:]))

    def as_vector(self) -> Ref:
        """Return the same elements in one row."""
        return replace(self, shape=(), per_row=self.per_row * math.prod(self.shape))


def gradient_of(parameter: Ref) -> Ref:
    """Return where the gradient of a parameter lies: at the same offset of another region.

    Parameters
    ----------
    parameter : Ref
        One of those that `Layer.lower` is given.

    Returns
    -------
    Ref
        Memory for the gradients of the loss that pullbacks write.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import gradient_of
    >>> from fastnn.ir.program import Ref, Region
    >>> w = Ref(Region.PARAMETERS, 64, (3, 2), np.dtype("float32"))
    >>> gradient_of(w).region.name, gradient_of(w).offset
    ('GRADIENTS', 64)
    """
    p = parameter
    return Ref(Region.GRADIENTS, p.offset, p.shape, p.dtype, p.per_row, p.bits)


class StateValue(enum.Enum):
    """A number that the run's state holds when the op is executed."""

    SEED = "seed"


class Result(enum.IntEnum):
    """Sums to which the values that kernels return are added."""

    LOSS = 0
    NONFINITE = 1
    SQUARED_NORM = 2
    ARRAY_SQUARED_NORM = 3  # that of the latest op, not their sum


@dataclass(frozen=True)
class ClippedTo:
    """The factor, at most 1, that brings the norm of gradients down to a limit.

    The norm is the root of what earlier ops of the stage left in `squared_norm`: that of all
    gradients, or of one.
    """

    limit: float
    squared_norm: Result

    def factor(self, results: Sequence[float]) -> float:
        """Return the factor for the results so far."""
        norm = math.sqrt(results[self.squared_norm])
        return self.limit / norm if norm > self.limit else 1.0


@dataclass(frozen=True)
class PerWeight:
    """A strength divided by the sum of the batch's sample weights, or by its rows without any."""

    strength: float


@dataclass(frozen=True)
class Op:
    """One kernel call.

    `kernel` is a name of the table, or a Python function that takes the arguments as arrays; then
    only the Python executor can run the plan. `arguments` go by the names of the kernel's
    signature, in its order; those of a Python function by their numbers. What the kernel returns
    counts `factor` times in `result`.
    """

    kernel: str | Callable[..., Any]
    arguments: Mapping[str, Any]
    layer: str
    result: Result | None = None
    factor: float = 1.0

    @property
    def refs(self) -> tuple[Ref, ...]:
        """Return the arguments that are arrays."""
        return tuple(value for value in self.arguments.values() if isinstance(value, Ref))


#: The parts of a plan, in the order in which a training step runs them.
#:
#: ========  =======================================================================================
#: prepare   what inference works out once for all its batches: weights with a normalisation folded
#:           in; it sees parameters and buffers alone
#: forward   input to output
#: predict   output to prediction: probabilities for a cross-entropy loss; often nothing
#: loss      the loss and, in a training plan, its gradient at the output
#: backward  gradients of all parameters
#: penalty   L1 and L2 terms: their value and, in a training plan, their gradient
#: check     count of the non-finite gradients
#: update    the optimizer's step, and before it norms that are to be clipped; limits of weights;
#:           running statistics and averages
#: ========  =======================================================================================
STAGES = ("prepare", "forward", "predict", "loss", "backward", "penalty", "check", "update")


@dataclass(frozen=True)
class Plan:
    """An immutable program for batches of up to `n_rows` rows.

    Attributes
    ----------
    workspace : int
        Bytes of scratch memory that a run needs.
    output, prediction : Ref
        Where the network's output, and what `predict` shows of it, are found.
    input_scale : float
        What rows of the input are multiplied by on their way into the batch.
    stages : mapping of str to tuple of Op
        The ops of each of `STAGES`; a plan made for inference has no gradients and no update.
    constants : tuple of (Ref, tuple of float)
        Arrays of the workspace that hold the same numbers for ever.
    kinks : tuple of (Ref, tuple of float)
        Arrays that layers of the user name, and the values at which derivatives jump.
    python_layers : tuple of str
        Names of the layers whose ops are Python functions, which C does not have.
    per_step : StepTable
        The arguments of ops that depend on the step alone.
    """

    dtype: np.dtype
    n_rows: int
    workspace: int
    output: Ref
    prediction: Ref
    input_scale: float
    stages: Mapping[str, tuple[Op, ...]]
    constants: tuple[tuple[Ref, tuple[float, ...]], ...] = ()
    kinks: tuple[tuple[Ref, tuple[float, ...]], ...] = ()
    python_layers: tuple[str, ...] = field(init=False)
    per_step: StepTable = field(init=False, compare=False)

    def __post_init__(self) -> None:
        own: dict[str, None] = {}
        per_step: dict[PerStep, None] = {}
        for stage in self.stages.values():
            for op in stage:
                if not isinstance(op.kernel, str):
                    own[op.layer] = None
                for value in op.arguments.values():
                    if isinstance(value, PerStep):
                        per_step[value] = None
        object.__setattr__(self, "python_layers", tuple(own))
        object.__setattr__(self, "per_step", StepTable(per_step))


@dataclass(frozen=True)
class Batch:
    """Rows to run: C-contiguous arrays whose leading dimensions agree.

    Attributes
    ----------
    x : ndarray, shape (B, …), the plan's dtype
    target : ndarray, shape (B,) int64 or (B, O) of the plan's dtype, or None
    weight : ndarray, shape (B,), the plan's dtype, or None
        Sample weights; None means all ones.
    """

    x: np.ndarray
    target: np.ndarray | None = None
    weight: np.ndarray | None = None

    @property
    def total_weight(self) -> float:
        """The sum of the weights, added up in their order as C does; without any, of ones."""
        if self.weight is None:
            return float(len(self.x))
        return float(np.add.accumulate(self.weight, dtype=np.float64)[-1])

    def region(self, region: Region) -> np.ndarray | None:
        """Return the array of one of the batch's regions."""
        return {Region.INPUT: self.x, Region.TARGET: self.target, Region.WEIGHT: self.weight}[
            region
        ]


@dataclass
class RunState:
    """Progress of training, which changes from step to step; saved with a checkpoint.

    Attributes
    ----------
    seed : int
    step : int
        Updates done since the network was built; it keys the random streams and never restarts.
    epoch : int
        Epochs completed.
    learning_rate : float
        Of the latest update; where the optimizer has no schedule, of the next ones too.
    """

    seed: int
    learning_rate: float
    step: int = 0
    epoch: int = 0
