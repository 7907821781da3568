"""Parameters as layers declare them, and their places in the arena."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from .. import initializers
from ..errors import ArgumentError
from ..initializers import Initializer
from ..utils import checks

Wanted = TypeVar("Wanted", "Parameter", "Buffer")
Placed = TypeVar("Placed", "Segment", "BufferSegment")

ALIGNMENT = 64  # bytes: a cache line, and the widest vector


def round_up(count: int, multiple: int) -> int:
    """Return the smallest multiple of `multiple` that is at least `count`."""
    return -(-count // multiple) * multiple


@dataclass(frozen=True)
class Regularization:
    """Penalties and limits of weights, for layers without their own; 0 is none.

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


NO_REGULARIZATION = Regularization()

#: The loss that penalties are added to: the mean or the sum of the rows' losses.
PENALTY_SCALES = ("mean", "sum")


@dataclass(frozen=True)
class ParameterOptions:
    """Options to train one array with: its layer's, or else the network's.

    Attributes
    ----------
    trainable : bool
    learning_rate_multiplier : float
    skipped : int
        Updates during which it was frozen: its moments do not know them.
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
    """Description of one trained array of a layer.

    Where l1, l2, weight_decay or max_norm is None, the network's holds.

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
        Whether None stands for the network's value; False, as for biases, makes it none.
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

    def options(
        self,
        defaults: Regularization,
        *,
        trainable: bool = True,
        learning_rate_multiplier: float = 1.0,
        skipped: int = 0,
    ) -> ParameterOptions:
        """Return its options in a layer with these settings, frozen during `skipped` updates."""
        given = defaults if self.decays else NO_REGULARIZATION
        return ParameterOptions(
            self.trainable and trainable,
            self.learning_rate_multiplier * learning_rate_multiplier,
            skipped,
            given.l1 if self.l1 is None else self.l1,
            given.l2 if self.l2 is None else self.l2,
            given.weight_decay if self.weight_decay is None else self.weight_decay,
            given.max_norm if self.max_norm is None else self.max_norm,
        )


@dataclass(frozen=True)
class Buffer:
    """Description of one array of a layer without a gradient, such as running statistics.

    `initial` is the value of all elements, or of each.
    """

    name: str
    shape: tuple[int, ...]
    initial: float | tuple[float, ...] = 0.0


@dataclass(frozen=True)
class Segment:
    """Place of one parameter array: `offset` counts elements from the start of its region."""

    name: str
    layer: int
    offset: int
    parameter: Parameter
    options: ParameterOptions

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the array."""
        return self.parameter.shape

    @property
    def own_name(self) -> str:
        """Return the name that the parameter has in its own layer, within others or not."""
        return self.parameter.name.rpartition(".")[2]

    @property
    def size(self) -> int:
        """Return the number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class BufferSegment:
    """Place of one buffer, as `Segment` has it."""

    name: str
    layer: int
    offset: int
    buffer: Buffer

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the array."""
        return self.buffer.shape

    @property
    def size(self) -> int:
        """Return the number of elements."""
        return math.prod(self.shape)


def lay_out(
    layers: Iterable[tuple[str, Iterable[Wanted]]],
    dtype: np.dtype,
    kind: Callable[[str, int, int, Wanted], Placed],
) -> tuple[tuple[Placed, ...], int]:
    """Place the arrays of every (layer name, arrays) on aligned offsets.

    Sparse parameters come last, so that the others are one piece. Returns the segments, of the
    given kind and in the order of the layers, and the size of the region in elements, padding
    included.
    """
    step = ALIGNMENT // dtype.itemsize
    everything = [
        (f"{layer}/{array.name}", index, array)
        for index, (layer, arrays) in enumerate(layers)
        for array in arrays
    ]
    offsets, end = {}, 0
    for name, _, array in sorted(everything, key=lambda item: getattr(item[2], "sparse", False)):
        offsets[name] = end
        end += round_up(math.prod(array.shape), step)
    segments = (kind(name, index, offsets[name], array) for name, index, array in everything)
    return tuple(segments), end
