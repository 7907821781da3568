"""Pipelines: augmentations compiled to loops for rows of known shape and dtype."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.program import Batch
from ..runtime.random_streams import Stream, stream_offset

if TYPE_CHECKING:
    from ..kernels.numba.rows import RowFunction

#: Nanoseconds of estimated work that is worth handing to another thread.
BLOCK_WORK = 200_000

#: Philox blocks of one part of an augmentation; the parts number theirs one after the other.
BLOCKS_SHIFT = 48


@dataclass(frozen=True)
class Transform:
    """One loop over the rows of a batch.

    Attributes
    ----------
    function : RowFunction
    settings : ndarray of records
        The function's own.
    stream : Stream
        Its stream of random numbers.
    shape : tuple of int
        Shape of a row that it writes.
    dtype : dtype
        Dtype of the rows that it writes.
    cost : float
        Nanoseconds for a row, roughly.
    """

    function: RowFunction
    settings: np.ndarray
    stream: Stream
    shape: tuple[int, ...]
    dtype: np.dtype
    cost: float

    def __call__(self, x: np.ndarray, seed: int, step: int, threads: int = 1) -> np.ndarray:
        """Return the transformed rows of x, which must be C-contiguous."""
        out = np.empty((len(x), *self.shape), self.dtype)
        offset = stream_offset(self.stream, step)

        def run(begin: int, end: int) -> None:
            self.function.call(
                out.ctypes.data,
                x.ctypes.data,
                begin,
                end,
                len(x),
                self.settings.ctypes.data,
                seed,
                offset,
            )

        _for_blocks(run, len(x), max(1, int(BLOCK_WORK / self.cost)), threads)
        return out


def _for_blocks(run: Callable[[int, int], None], n_rows: int, block: int, threads: int) -> None:
    """Call ``run(begin, end)`` for blocks of rows, in parallel if there are several."""
    starts = range(0, n_rows, block)
    if threads == 1 or len(starts) == 1:
        run(0, n_rows)
        return
    from concurrent.futures import ThreadPoolExecutor  # and with it logging

    # A pool of its own for each call: one that is kept would not survive a fork.
    with ThreadPoolExecutor(min(threads, len(starts))) as pool:
        list(pool.map(lambda begin: run(begin, min(begin + block, n_rows)), starts))


@dataclass(frozen=True)
class Pipeline:
    """The transforms of inputs, targets and weights of a batch, each in order.

    `description` is the config of the augmentation, a dict of JSON values.
    """

    x: tuple[Transform, ...] = ()
    target: tuple[Transform, ...] = ()
    weight: tuple[Transform, ...] = ()
    description: dict[str, Any] | None = None

    @property
    def mixes(self) -> bool:
        """True if targets become values, whatever they were."""
        return bool(self.target)

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The different streams of its random numbers."""
        transforms = (*self.x, *self.target, *self.weight)
        return tuple(dict.fromkeys(transform.stream for transform in transforms))

    def __call__(self, batch: Batch, seed: int, step: int, threads: int = 1) -> Batch:
        """Return the batch to train on; the arrays of `batch` stay as they are."""

        def chain(array: np.ndarray | None, transforms: tuple[Transform, ...]):
            if array is not None:
                for transform in transforms:
                    array = transform(array, seed, step, threads)
            return array

        return Batch(
            chain(np.ascontiguousarray(batch.x), self.x),
            chain(batch.target, self.target),
            chain(batch.weight, self.weight),
        )


@dataclass
class PipelineBuilder:
    """Collects the transforms while the parts of an augmentation lower themselves.

    Attributes
    ----------
    shape : tuple of int
        Shape of a row of the input.
    dtype : dtype
        Dtype of inputs, targets that are values, and weights.
    outputs : int
        Elements of a row of the targets.
    labels : bool
        Whether the targets are class numbers so far.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    outputs: int
    labels: bool
    parts: int = 0
    x: list[Transform] = field(default_factory=list)
    target: list[Transform] = field(default_factory=list)
    weight: list[Transform] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The number of elements of a row of the input."""
        return math.prod(self.shape)

    @property
    def first_block(self) -> int:
        """The number of the first block of random words of the part that is being lowered."""
        return self.parts << BLOCKS_SHIFT
