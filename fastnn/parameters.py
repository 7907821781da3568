"""The arena: one flat array per region, and the table that says what lies where."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from . import checks, initializers
from .errors import ArgumentError
from .initializers import Initializer

Wanted = TypeVar("Wanted", "Parameter", "Buffer")
Placed = TypeVar("Placed", "Segment", "BufferSegment")

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


def aligned_copy(array: np.ndarray) -> np.ndarray:
    """Return a writeable copy in memory of its own, aligned as `aligned_zeros` is."""
    copy = aligned_zeros(array.size, array.dtype).reshape(array.shape)
    np.copyto(copy, array)
    return copy


@dataclass(frozen=True)
class Regularization:
    """What keeps weights small: the network's choice for layers that make none; 0 is nothing.

    Attributes
    ----------
    l1, l2 : float
        Penalties in the loss: l1 Σ|w| + ½ l2 Σw².
    weight_decay : float
        The optimizer's, beside its step.
    max_norm : float
        Longest vector of weights of one unit.
    """

    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float = 0.0
    max_norm: float = 0.0


#: What the strengths of penalties are measured against.
PENALTY_SCALES = ("mean", "sum")


@dataclass(frozen=True)
class Treatment:
    """How training treats one array: its layer's wishes, the network's where it has none.

    Attributes
    ----------
    trainable : bool
    learning_rate_multiplier : float
    skipped : int
        Updates that it has sat out, frozen: its moments do not know them.
    l1, l2, weight_decay, max_norm : float
        As in `Regularization`.
    """

    trainable: bool = True
    learning_rate_multiplier: float = 1.0
    skipped: int = 0
    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float = 0.0
    max_norm: float = 0.0


@dataclass(frozen=True)
class Parameter:
    """What a layer asks for: one array to learn.

    Of l1, l2, weight_decay and max_norm, None takes what the network has for all its weights.

    Parameters
    ----------
    name : str
        Under which `Layer.lower` gets it, and which model files hold.
    shape : tuple of int
    initializer : str or Initializer
        One of `fastnn.initializers`.
    l1, l2 : float, optional
        Penalties.
    decays : bool
        Whether None stands for the network's choice; False, as for biases, makes it nothing.
    weight_decay : float, optional
    max_norm : float, optional
        The longest column of a matrix, or of the last axis of an array of more dimensions.
    trainable : bool
        Whether training moves it.
    learning_rate_multiplier : float
    sparse : bool
        Asks for steps that move the rows alone that a batch has touched.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.Parameter("weights", (8, 4), "he_normal").initializer
    HeNormal()
    """

    name: str
    shape: tuple[int, ...]
    initializer: Initializer  # or its name, which is resolved
    l1: float | None = None
    l2: float | None = None
    decays: bool = True
    weight_decay: float | None = None
    max_norm: float | None = None
    trainable: bool = True
    learning_rate_multiplier: float = 1.0
    sparse: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or "/" in self.name:
            raise ArgumentError(f"name must be a string without '/', got {self.name!r}")
        initializer = initializers.get("initializer", self.initializer)
        object.__setattr__(self, "initializer", initializer)
        object.__setattr__(self, "shape", checks.shape("shape", self.shape))

    def treatment(
        self,
        defaults: Regularization,
        *,
        trainable: bool = True,
        learning_rate_multiplier: float = 1.0,
        skipped: int = 0,
    ) -> Treatment:
        """How it is trained in a layer with these settings, that has sat out so many updates."""
        given = vars(defaults if self.decays else Regularization())
        own = {name: getattr(self, name) for name in given}
        return Treatment(
            self.trainable and trainable,
            self.learning_rate_multiplier * learning_rate_multiplier,
            skipped,
            **{name: given[name] if own[name] is None else own[name] for name in given},
        )


@dataclass(frozen=True)
class Buffer:
    """What a layer asks for: one array that it keeps and no gradient moves.

    Running statistics are one. `initial` is the value of all elements, or of each.
    """

    name: str
    shape: tuple[int, ...]
    initial: float | tuple[float, ...] = 0.0


@dataclass(frozen=True)
class Segment:
    """Where one parameter array lies: `offset` counts elements from the start of its region."""

    name: str
    layer: int
    offset: int
    parameter: Parameter
    treatment: Treatment

    @property
    def shape(self) -> tuple[int, ...]:
        return self.parameter.shape

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class BufferSegment:
    """Where one buffer lies, as `Segment` has it."""

    name: str
    layer: int
    offset: int
    buffer: Buffer

    @property
    def shape(self) -> tuple[int, ...]:
        return self.buffer.shape

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def lay_out(
    layers: Iterable[tuple[str, Iterable[Wanted]]],
    dtype: np.dtype,
    kind: Callable[[str, int, int, Wanted], Placed],
) -> tuple[tuple[Placed, ...], int]:
    """Place everything wanted by every (layer name, wanted) on an aligned offset.

    Sparse parameters come last, so that the others are one piece. Returns the segments, of the
    given kind and in the order of the layers, and the size of the region in elements, padding
    included.
    """
    step = ALIGNMENT // dtype.itemsize
    everything = [
        (f"{layer}/{wanted.name}", index, wanted)
        for index, (layer, arrays) in enumerate(layers)
        for wanted in arrays
    ]
    offsets, end = {}, 0
    for name, _, wanted in sorted(everything, key=lambda item: getattr(item[2], "sparse", False)):
        offsets[name] = end
        end += round_up(math.prod(wanted.shape), step)
    segments = (kind(name, index, offsets[name], wanted) for name, index, wanted in everything)
    return tuple(segments), end


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
    """

    def __init__(
        self,
        segments: tuple[Segment, ...],
        size: int,
        slots: int,
        dtype: np.dtype,
        buffer_segments: tuple[BufferSegment, ...] = (),
        buffer_size: int = 0,
    ):
        self.segments = segments
        self.size = size
        self.dtype = dtype
        self.parameters = aligned_zeros(size, dtype)
        self.buffer_segments = buffer_segments
        self.buffers = aligned_zeros(buffer_size, dtype)
        for segment in buffer_segments:
            initial = np.reshape(segment.buffer.initial, (-1, *segment.shape[1:]))
            self.view(self.buffers, segment)[...] = initial
        self._slot_count = slots
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
        """Shape (size,)."""
        if self._gradients is None:
            self._gradients = aligned_zeros(self.size, self.dtype)
        return self._gradients

    def release_gradients(self) -> None:
        """Give back the memory of the gradients, until they are needed again."""
        self._gradients = None

    @property
    def slots(self) -> np.ndarray:
        """Shape (slots, size): one row for each array of state that the optimizer keeps."""
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
        """Whether training has begun, so that the slots hold something."""
        return self._slots is not None

    def fits(
        self, segments: tuple[Segment, ...], buffer_segments: tuple[BufferSegment, ...]
    ) -> bool:
        """Whether these arrays are its own: the same names, places and shapes."""

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
        """The array of one segment inside a flat region, in its own shape."""
        return region[segment.offset : segment.offset + segment.size].reshape(segment.shape)

    def initialize(self, seed: int, stream_offsets: Iterable[int]) -> None:
        """Draw every parameter afresh, segment i from the i-th offset of the random stream."""
        for segment, offset in zip(self.segments, stream_offsets, strict=True):
            values = segment.parameter.initializer.draw(segment.shape, seed, offset)
            self.view(self.parameters, segment)[...] = values


class Snapshot:
    """Room for a copy of all that training changes, kept from one use to the next."""

    def __init__(self, arena: ParameterArena):
        self._arena = arena
        self._copies = [np.empty_like(region) for region in self._regions()]

    def take(self) -> None:
        """Copy parameters, slots and buffers."""
        for kept, region in zip(self._copies, self._regions(), strict=True):
            np.copyto(kept, region)

    def restore(self) -> None:
        """Put them back as they were."""
        for kept, region in zip(self._copies, self._regions(), strict=True):
            np.copyto(region, kept)

    def _regions(self) -> tuple[np.ndarray, ...]:
        return self._arena.parameters, self._arena.slots, self._arena.buffers
