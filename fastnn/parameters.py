"""The arena: one flat array per region, and the table that says what lies where."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .initializers import Initializer

ALIGNMENT = 64  # bytes: a cache line, and the widest vector


def round_up(count: int, multiple: int) -> int:
    """The smallest multiple of `multiple` that is at least `count`."""
    return -(-count // multiple) * multiple


def aligned_zeros(count: int, dtype: np.dtype) -> np.ndarray:
    """A flat array of zeros that starts on a multiple of `ALIGNMENT` bytes."""
    size = count * dtype.itemsize
    try:
        raw = np.zeros(size + ALIGNMENT, np.uint8)
    except (ValueError, OverflowError):  # NumPy's answer to sizes beyond the address space
        raise MemoryError(f"cannot allocate {size} bytes") from None
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype)


@dataclass(frozen=True)
class Parameter:
    """What a layer asks for: one array to learn.

    `decays` tells whether the optimizer's weight decay applies; biases are exempt.
    """

    name: str
    shape: tuple[int, ...]
    initializer: Initializer
    l1: float = 0.0
    l2: float = 0.0
    decays: bool = True


@dataclass(frozen=True)
class Segment:
    """Where one parameter array lies: `offset` counts elements from the start of its region."""

    name: str
    layer: int
    offset: int
    parameter: Parameter

    @property
    def shape(self) -> tuple[int, ...]:
        return self.parameter.shape

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def lay_out(
    layers: Iterable[tuple[str, Iterable[Parameter]]], dtype: np.dtype
) -> tuple[tuple[Segment, ...], int]:
    """Place every parameter of every (layer name, parameters) on an aligned offset.

    Returns the segments and the size of a region in elements, padding included.
    """
    step = ALIGNMENT // dtype.itemsize
    segments, offset = [], 0
    for index, (layer, parameters) in enumerate(layers):
        for parameter in parameters:
            segments.append(Segment(f"{layer}/{parameter.name}", index, offset, parameter))
            offset += round_up(math.prod(parameter.shape), step)
    return tuple(segments), offset


class ParameterArena:
    """Parameters, gradients and optimizer slots of one network.

    Every region is flat and 64-byte aligned, its padding zero. All regions share one layout: an
    element of the gradients, or of a slot, stands where its parameter stands. Gradients and slots
    come into being with the first training step, so a network that only predicts holds neither.

    Attributes
    ----------
    segments : tuple of Segment
    size : int
        Elements per region, padding included.
    parameters : ndarray, shape (size,)
    """

    def __init__(self, segments: tuple[Segment, ...], size: int, slots: int, dtype: np.dtype):
        self.segments = segments
        self.size = size
        self.dtype = dtype
        self.parameters = aligned_zeros(size, dtype)
        self._slot_count = slots
        self._gradients: np.ndarray | None = None
        self._slots: np.ndarray | None = None

    @property
    def gradients(self) -> np.ndarray:
        """Shape (size,)."""
        if self._gradients is None:
            self._gradients = aligned_zeros(self.size, self.dtype)
        return self._gradients

    @property
    def slots(self) -> np.ndarray:
        """Shape (slots, size): one row for each array of state that the optimizer keeps."""
        if self._slots is None:
            flat = aligned_zeros(self._slot_count * self.size, self.dtype)
            self._slots = flat.reshape(self._slot_count, self.size)
        return self._slots

    @property
    def has_slots(self) -> bool:
        """Whether training has begun, so that the slots hold something."""
        return self._slots is not None

    def twin(self) -> ParameterArena:
        """Another arena of the same layout, all zero."""
        return ParameterArena(self.segments, self.size, self._slot_count, self.dtype)

    def copy_from(self, other: ParameterArena) -> None:
        """Take over the parameters and slots of an arena of the same layout, which is not changed.

        Slots that the other has not needed yet are zero.
        """
        np.copyto(self.parameters, other.parameters)
        np.copyto(self.slots, other.slots if other.has_slots else 0)

    def view(self, region: np.ndarray, segment: Segment) -> np.ndarray:
        """The array of one segment inside a flat region, in its own shape."""
        return region[segment.offset : segment.offset + segment.size].reshape(segment.shape)

    def initialize(self, seed: int, stream_offsets: Iterable[int]) -> None:
        """Draw every parameter afresh, segment i from the i-th offset of the random stream."""
        for segment, offset in zip(self.segments, stream_offsets, strict=True):
            values = segment.parameter.initializer.draw(segment.shape, seed, offset)
            self.view(self.parameters, segment)[...] = values


class Snapshot:
    """Room for a copy of parameters and slots, kept from one use to the next."""

    def __init__(self, arena: ParameterArena):
        self._arena = arena
        self._parameters = np.empty_like(arena.parameters)
        self._slots = np.empty_like(arena.slots)

    def take(self) -> None:
        """Copy parameters and slots."""
        np.copyto(self._parameters, self._arena.parameters)
        np.copyto(self._slots, self._arena.slots)

    def restore(self) -> None:
        """Put them back as they were."""
        np.copyto(self._arena.parameters, self._parameters)
        np.copyto(self._arena.slots, self._slots)
