"""The builder of a plan, to which layers, losses and optimizers emit their ops."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..errors import ArgumentTypeError
from ..kernels import KERNELS
from ..utils import checks
from ..utils.counting import count
from .parameter import ALIGNMENT, round_up
from .program import STAGES, Op, Ref, Region, Result

#: Emits the backward ops of a layer: takes the ref of the output's gradient and `need_dx`, and
#: returns the ref of the input's gradient (or None).
Pullback = Callable[[Ref, bool], "Ref | None"]

#: The place of the first layer within another one, beyond those of any network's own layers.
FIRST_NESTED = 1 << 15


class PlanMode(NamedTuple):
    """The purpose that a plan is compiled for.

    Attributes
    ----------
    training : bool
        Whether to plan gradients and the update, and to apply dropout and noise.
    labels : bool
        Whether targets are int64 class numbers, one a row, instead of a value per output.
    fused : bool
        Whether one op may do the work of several: the same step in fewer passes over memory, whose
        arena holds gradients without those of the penalties and of sparse parameters.
    folded : bool
        Whether normalisations may go into weights, in a plan for inference.
    noise : bool
        Whether a plan for inference too applies dropout and noise.
    batch_statistics : bool
        Whether a plan for inference too normalises by the statistics of batches; its update stage
        moves their averages.
    link : bool
        Whether predictions are what the loss's link makes of the outputs of the last layer, instead
        of these.
    """

    training: bool = False
    labels: bool = False
    fused: bool = False
    folded: bool = False
    noise: bool = False
    batch_statistics: bool = False
    link: bool = True


@dataclass(frozen=True)
class SparseGradient:
    """The gradient of one table.

    Attributes
    ----------
    table : Ref, shape (N, D)
    values : Ref, a row (D,) for each look-up
    rows : Ref
        Of the table; −1 for places that stand for none.
    order : Ref
        Scratch of the kernel that sums.
    """

    table: Ref
    values: Ref
    rows: Ref
    order: Ref


class Observer(Protocol):
    """A reader of one layer's output and of the gradient at it; it changes neither."""

    def record_output(self, y: np.ndarray) -> None:
        """Take the output y (B, …), in the forward pass."""

    def record_gradient(self, dy: np.ndarray) -> None:
        """Take the gradient of the loss at the output, dy (B, …), in the backward pass."""


@dataclass
class PlanBuilder:
    """Collects ops and places buffers while layers lower themselves.

    Buffers of a training plan stay as they are until the step ends; without training, two areas of
    the widest layer's size take turns. `sparse_steps` allows sparse parameters gradients elsewhere
    than in their region. `branch_points` are numbers of forward ops before which the path splits.
    `observers` see outputs and gradients of the layers of these names, as in residual_1/dense_1.
    """

    dtype: np.dtype
    n_rows: int
    mode: PlanMode
    sparse_steps: bool
    widest: int
    observers: Mapping[str, Observer] = field(default_factory=dict)
    layer: str = ""
    input_scale: float = 1.0
    stages: dict[str, list[Op]] = field(default_factory=lambda: {name: [] for name in STAGES})
    workspace: int = 0
    sparse: list[SparseGradient] = field(default_factory=list)
    constants: list[tuple[Ref, tuple[float, ...]]] = field(default_factory=list)
    kinked: list[tuple[Ref, tuple[float, ...]]] = field(default_factory=list)
    branch_points: list[int] = field(default_factory=list)
    _areas: dict[str, list[int]] = field(default_factory=dict)
    _busy: set[int] = field(default_factory=set)  # offsets of areas
    _held: list[int] = field(default_factory=list)  # offsets of areas that several layers read
    _nested: int = 0

    @property
    def training(self) -> bool:
        """Return whether to keep what the backward pass needs."""
        return self.mode.training

    @property
    def noise(self) -> bool:
        """Return whether to apply dropout and noise."""
        return self.mode.training or self.mode.noise

    @property
    def batch_statistics(self) -> bool:
        """Return whether to normalise by the statistics of the batch and update their averages."""
        return self.mode.training or self.mode.batch_statistics

    def emit(
        self,
        stage: str,
        kernel: str | Callable[..., Any],
        *arguments: Any,
        result: Result | None = None,
        factor: float = 1.0,
    ) -> None:
        """Append an op to one of the stages, in the name of the layer being lowered.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            There is no such stage or kernel, or a Python function does not take the arguments.
        """
        checks.one_of("stage", stage, self.stages)
        if isinstance(kernel, str):
            checks.one_of("kernel", kernel, KERNELS)
        else:
            _check_op(self.layer, kernel, arguments)
        named = _named(kernel, arguments)
        self.stages[stage].append(Op(kernel, named, self.layer, result, factor))

    def buffer(
        self, shape: tuple[int, ...], *, dtype: Any = None, bits: bool = False, lookups: int = 1
    ) -> Ref:
        """Return a buffer of its own: a row for each row of the batch, or for each lookup."""
        return self._place(shape, dtype, bits=bits, per_row=lookups)

    def sparse_gradient(self, table: Ref, lookups: int) -> SparseGradient:
        """Return room for the gradient of a table in which each row of the batch looks up rows."""
        values = self.buffer(table.shape[1:], lookups=lookups)
        rows, order = (self.buffer((), dtype=np.int64, lookups=lookups) for _ in range(2))
        self.sparse.append(SparseGradient(table, values, rows, order))
        return self.sparse[-1]

    def fixed(self, shape: tuple[int, ...]) -> Ref:
        """Return a buffer of its own that does not grow with the batch."""
        return self._place(shape, per_row=0)

    def constant(self, values: tuple[float, ...]) -> Ref:
        """Return a vector of numbers that are known now."""
        ref = self.fixed((len(values),))
        self.constants.append((ref, values))
        return ref

    def _place(self, shape: tuple[int, ...], dtype: Any = None, **options: Any) -> Ref:
        dtype = np.dtype(dtype or self.dtype)
        ref = Ref(Region.WORKSPACE, self.workspace, shape, dtype, **options)
        self.workspace += round_up(ref.count(self.n_rows) * dtype.itemsize, ALIGNMENT)
        return ref

    def activation(self, shape: tuple[int, ...]) -> Ref:
        """Return room for a layer's output."""
        return self.buffer(shape) if self.training else self._alternate("activations", shape)

    def elementwise(self, x: Ref) -> Ref:
        """Return room for the output of an elementwise op: x, if inference may overwrite it."""
        shared = x.region is Region.INPUT or x.offset in self._held
        return self.activation(x.shape) if self.training or shared else x

    def pullback_in_place(self, kernel: str, arguments: Callable[[Ref], Sequence[Any]]) -> Pullback:
        """Return the backward function of an elementwise layer: one op computes dx from dy."""

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            if need_dx:
                self.emit("backward", kernel, *arguments(dy))
            return dy if need_dx else None

        return pullback

    def gradient(self, shape: tuple[int, ...]) -> Ref:
        """Return room for the gradient of a layer's input, until the layer before has read it.

        Within one pullback all of them are different, and none is that of dy.
        """
        return self._alternate("gradients", shape)

    def kinks(self, ref: Ref, values: Sequence[float]) -> None:
        """Say that derivatives jump where an element of `ref` passes one of these ascending values.

        A difference across a kink says nothing of the gradient, so `gradient_check` leaves it out.
        """
        self.kinked.append((ref, tuple(map(float, values))))

    def begin(self, layer: str, ref: Ref) -> None:
        """Attribute the ops that follow to `layer`, which reads `ref`."""
        self.layer = layer
        self._busy = {ref.offset, *self._held} if _in_workspace(ref) else set(self._held)

    def observed(self, y: Ref, pullback: Pullback) -> Pullback:
        """Show the output of the layer being lowered to its observer; return what shows gradients.

        The pullback itself is returned where the layer has no observer.
        """
        observer = self.observers.get(self.layer)
        if observer is None:
            return pullback
        self.emit("forward", observer.record_output, y)

        def observing(dy: Ref, need_dx: bool) -> Ref | None:
            self.emit("backward", observer.record_gradient, dy)
            return pullback(dy, need_dx)

        return observing

    @contextmanager
    def holding(self, *refs: Ref) -> Iterator[None]:
        """Keep arrays as they are while layers are lowered that do not read them."""
        held = [ref.offset for ref in refs if _in_workspace(ref)]
        self._held += held
        self._busy.update(held)
        yield
        for offset in held:
            self._held.remove(offset)

    def split(self) -> None:
        """Say that several layers read what the ops so far have computed."""
        self.branch_points.append(len(self.stages["forward"]))

    def nested_index(self) -> int:
        """Return the place, which selects a random stream, of the next layer within another one."""
        self._nested += 1
        return FIRST_NESTED + self._nested - 1

    def _alternate(self, purpose: str, shape: tuple[int, ...]) -> Ref:
        """Return one of two areas in turn, or of more if a layer needs several at once.

        Areas that the current layer reads or has been given are left out.
        """
        if math.prod(shape) > self.widest:
            return self.buffer(shape)
        if purpose not in self._areas:
            self._areas[purpose] = [self.buffer((self.widest,)).offset for _ in range(2)]
        areas = self._areas[purpose]
        free = next((offset for offset in reversed(areas) if offset not in self._busy), None)
        if free is None:
            free = self.buffer((self.widest,)).offset
        else:
            areas.remove(free)
        areas.insert(0, free)
        self._busy.add(free)
        return Ref(Region.WORKSPACE, free, shape, self.dtype)


def _in_workspace(ref: Ref) -> bool:
    return ref.region is Region.WORKSPACE


@cache
def argument_names(kernel: str) -> tuple[str, ...]:
    """Return the names of a kernel's arguments, in the order of its signature."""
    return tuple(KERNELS[kernel].signature.parameters)


def _named(kernel: str | Callable[..., Any], arguments: Sequence[Any]) -> dict[str, Any]:
    """Return the arguments of an op by name; those with a default may be left out at the end."""
    if not isinstance(kernel, str):
        return {str(number): argument for number, argument in enumerate(arguments)}
    names = argument_names(kernel)
    if len(arguments) > len(names):
        raise TypeError(f"{kernel} takes {count(len(names), 'argument')}, got {len(arguments)}")
    return dict(zip(names, arguments, strict=False))


def _check_op(layer: str, function: Any, arguments: Sequence[Any]) -> None:
    """Refuse a Python function as an op that does not take the arguments emitted with it."""
    if not callable(function):
        raise ArgumentTypeError(
            f"layer {layer!r}: an op is the name of a kernel or a function, got {function!r}"
        )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        called = getattr(function, "__name__", repr(function))
        raise ArgumentTypeError(
            f"layer {layer!r}: {called}{signature} is emitted with "
            f"{count(len(arguments), 'argument')}: {error}"
        ) from None
