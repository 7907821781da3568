"""The arena: one flat array per region, and a copy of it to go back to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..compiler.architecture import Architecture
from ..ir.parameter import ALIGNMENT, BufferSegment, Segment
from ..utils.resources import available_memory

#: Bytes of a network from which on its size is compared with the memory that is left.
LARGE = 1 << 28


def aligned_zeros(count: int, dtype: np.dtype) -> np.ndarray:
    """Return a flat array of zeros that starts on a multiple of `ALIGNMENT` bytes."""
    size = count * dtype.itemsize
    try:
        raw = np.zeros(size + ALIGNMENT, np.uint8)
    except (ValueError, OverflowError):  # NumPy's answer to sizes beyond the address space
        raise MemoryError(f"cannot allocate {size} bytes") from None
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype)


def aligned_copy(array: np.ndarray) -> np.ndarray:
    """Return a writeable copy in memory of its own, aligned as `aligned_zeros` is."""
    copy = aligned_zeros(array.size, array.dtype).reshape(array.shape)
    np.copyto(copy, array)
    return copy


def _check_memory(architecture: Architecture) -> None:
    needed = (architecture.size + architecture.buffer_size) * architecture.dtype.itemsize
    left = available_memory() if needed >= LARGE else None
    if left is not None and needed > left:
        arrays: list[Segment | BufferSegment] = [
            *architecture.segments,
            *architecture.buffer_segments,
        ]
        largest = max(arrays, key=lambda array: array.size)
        raise MemoryError(
            f"the network takes {needed:.3g} bytes for its parameters, of which "
            f"{largest.name!r}, of shape {largest.shape}, takes most; {left:.3g} bytes of "
            "memory are left"
        )


class ParameterArena:
    """Parameters, gradients, optimizer slots and buffers of one network.

    Every region is flat and 64-byte aligned, its padding zero. All regions but the buffers share
    one layout: an element of the gradients, or of a slot, stands where its parameter stands.
    Gradients and slots come into being with the first training step, so a network that only
    predicts holds neither. Copies and unpickled arenas own their memory.

    Attributes
    ----------
    segments : tuple of Segment
    size : int
        Elements per region, padding included.
    parameters : ndarray, shape (size,)
    buffer_segments : tuple of BufferSegment
    buffers : ndarray, flat
        At first, everything has its initial value.

    Raises
    ------
    MemoryError
        There is not as much memory; the message names the array that takes most.
    """

    def __init__(self, architecture: Architecture):
        _check_memory(architecture)
        self.segments = architecture.segments
        self.size = architecture.size
        self.dtype = architecture.dtype
        self.parameters = aligned_zeros(self.size, self.dtype)
        self.buffer_segments = architecture.buffer_segments
        self.buffers = aligned_zeros(architecture.buffer_size, self.dtype)
        for segment in self.buffer_segments:
            initial = np.reshape(segment.buffer.initial, (-1, *segment.shape[1:]))
            self.view(self.buffers, segment)[...] = initial
        self._slot_count = len(architecture.slots)
        self._gradients: np.ndarray | None = None
        self._slots: np.ndarray | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_gradients": None}  # every training step writes all of them

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the arrays of a pickle in memory of its own.

        Those that come may be read-only or looked at by others: memory maps of joblib, buffers
        outside of a pickle (protocol 5).
        """
        own = ("parameters", "buffers", "_slots")
        copies = {name: aligned_copy(state[name]) for name in own if state[name] is not None}
        self.__dict__.update(state | copies)

    @property
    def gradients(self) -> np.ndarray:
        """The gradients, shape (size,)."""
        if self._gradients is None:
            self._gradients = aligned_zeros(self.size, self.dtype)
        return self._gradients

    def release_gradients(self) -> None:
        """Give back the memory of the gradients, until they are needed again."""
        self._gradients = None

    @property
    def slots(self) -> np.ndarray:
        """The slots, shape (slots, size): a row for each array of state of the optimizer."""
        if self._slots is None:
            flat = aligned_zeros(self._slot_count * self.size, self.dtype)
            self._slots = flat.reshape(self._slot_count, self.size)
        return self._slots

    def averaged(self) -> ParameterArena:
        """Return an arena of the same memory whose parameters are the average of the weights."""
        average = ParameterArena.__new__(ParameterArena)  # `copy.copy` would copy the arrays
        average.__dict__.update(self.__dict__, parameters=self.slots[-1])
        return average

    @property
    def has_slots(self) -> bool:
        """Return whether training has begun, so that the slots hold something."""
        return self._slots is not None

    def fits(
        self, segments: tuple[Segment, ...], buffer_segments: tuple[BufferSegment, ...]
    ) -> bool:
        """Return whether these arrays are its own: the same names, places and shapes."""

        def places(*tables: tuple[Segment, ...] | tuple[BufferSegment, ...]) -> list[object]:
            return [[(s.name, s.offset, s.shape) for s in table] for table in tables]

        return places(segments, buffer_segments) == places(self.segments, self.buffer_segments)

    def copy_from(self, other: ParameterArena) -> None:
        """Take over what an arena of the same layout holds, gradients apart; it stays as it is.

        Slots that the other has not needed yet are zero.
        """
        np.copyto(self.parameters, other.parameters)
        np.copyto(self.buffers, other.buffers)
        np.copyto(self.slots, other.slots if other.has_slots else 0)

    def view(self, region: np.ndarray, segment: Segment | BufferSegment) -> np.ndarray:
        """Return the array of one segment inside a flat region, in its own shape."""
        return region[segment.offset : segment.offset + segment.size].reshape(segment.shape)

    def initialize(self, seed: int, stream_offsets: Iterable[int]) -> None:
        """Draw every parameter afresh, segment i from the i-th offset of the random stream."""
        for segment, offset in zip(self.segments, stream_offsets, strict=True):
            values = segment.parameter.initializer.draw(segment.shape, seed, offset)
            self.view(self.parameters, segment)[...] = values


class Snapshot:
    """A copy of all arrays that training changes, reused from one snapshot to the next."""

    def __init__(self, arena: ParameterArena):
        self._arena = arena
        self._copies = [np.empty_like(region) for region in self._regions()]

    def take(self) -> None:
        """Copy parameters, slots and buffers."""
        for saved, region in zip(self._copies, self._regions(), strict=True):
            np.copyto(saved, region)

    def restore(self) -> None:
        """Restore what was copied."""
        for saved, region in zip(self._copies, self._regions(), strict=True):
            np.copyto(region, saved)

    def _regions(self) -> tuple[np.ndarray, ...]:
        return self._arena.parameters, self._arena.slots, self._arena.buffers
