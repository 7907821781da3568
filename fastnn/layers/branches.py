"""Layers that hold layers: paths side by side, and shortcuts past them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, ArgumentTypeError
from ..ir.parameter import Buffer, Parameter
from ..ir.program import Ref
from ..utils import checks
from . import user_layers
from .base import Layer
from .merging import MERGES, Split
from .naming import layer_names
from .sequence import Branch, Branched, nested

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback

__all__ = ["Parallel", "Residual"]


class _Container(Branched, listed=False):
    """Base of the layers that merge the outputs of their branches."""

    @property
    def merge_name(self) -> str:
        """Return how outputs are merged, a key of `MERGES`."""
        raise NotImplementedError

    def paths(self) -> tuple[tuple[Layer, ...], ...]:
        """Return the layers of every branch."""
        raise NotImplementedError

    def branches(self) -> tuple[Branch, ...]:
        return self._branches

    @cached_property
    def _branches(self) -> tuple[Branch, ...]:
        paths = self.paths()
        names = iter(layer_names([layer for path in paths for layer in path]))
        return tuple(Branch(path, tuple(next(names) for _ in path)) for path in paths)

    def _check_container(self) -> None:
        """Check names and places of layers, once the fields are set."""
        for layer in nested([layer for path in self.paths() for layer in path]):
            if layer.follows is not None or layer.adapts:
                raise ArgumentError(
                    f"{type(layer).__name__} works on the input of a network, not within "
                    f"{type(self).__name__}"
                )
        layer_names([layer for path in self.paths() for layer in path])
        self._check_training()
        self.check_name()

    @property
    def declared_input(self) -> tuple[int, ...] | None:
        firsts = (path[0].declared_input for path in self.paths() if path)
        return next((shape for shape in firsts if shape is not None), None)

    def input_view(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        for path in self.paths():
            first = next((layer for layer in path if not layer.keeps_axes), None)
            if first is not None and first.input_view(input_shape) != input_shape:
                return first.input_view(input_shape)
        return input_shape

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        return tuple(p for branch in self.branches() for p in branch.parameters(input_shape))

    def buffers(self, input_shape: tuple[int, ...]) -> tuple[Buffer, ...]:
        return tuple(b for branch in self.branches() for b in branch.buffers(input_shape))

    def outputs(self, input_shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return the shape of the output of every branch."""
        return [branch.shapes(input_shape)[-1] for branch in self.branches()]

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        branches = self.branches()
        if not self.trainable:
            branches = tuple(branch.frozen() for branch in branches)
        outputs: list[Ref] = []
        pullbacks: list[Pullback] = []
        builder.split()
        for branch in branches:
            with builder.holding(x, *outputs):
                output, pullback = branch.lower(builder, x, parameters)
            outputs.append(output)
            pullbacks.append(pullback)
        with builder.holding(*outputs):
            y, split = MERGES[self.merge_name](builder, outputs)
        return y, _Backward(builder, split, pullbacks)


class _Backward:
    """The pullback of a container: the branches', and the sum of what they return."""

    def __init__(self, builder: PlanBuilder, split: Split, pullbacks: Sequence[Pullback]):
        self._builder, self._split, self._pullbacks = builder, split, pullbacks

    def __call__(self, dy: Ref, need_dx: bool) -> Ref | None:
        builder = self._builder
        waiting = self._split(dy)
        sums: Ref | None = None
        for pullback in self._pullbacks:
            gradient = waiting.pop(0)
            kept = waiting if sums is None else [*waiting, sums]
            with builder.holding(*kept):
                dx = pullback(gradient, need_dx)
            if sums is not None and dx is not None:
                builder.emit("backward", "add", sums, sums, dx, 1.0)
            else:
                sums = dx
        return sums


def _path(argument: str, value: Any) -> tuple[Layer, ...]:
    """Return a sequence of layers, or of their descriptions, as a tuple of layers."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ArgumentTypeError(f"{argument} must be a list of layers, got {value!r}")
    layers = tuple(_layer(argument, one) for one in value)
    for layer in layers:
        user_layers.check_methods(layer)
    return layers


def _layer(argument: str, value: Any) -> Layer:
    if isinstance(value, Mapping):
        return Layer.from_config(value)
    if not isinstance(value, Layer):
        raise ArgumentTypeError(f"{argument} must hold layer objects, got {value!r}")
    return value


@dataclass(frozen=True)
class Residual(_Container):
    """Add a shortcut to the output of some layers: y = layers(x) + shortcut(x).

    An activation of the sum is a layer of its own behind it.

    Parameters
    ----------
    layers : list of Layer
        At least one.
    shortcut : list of Layer, optional
        Layers that the shortcut passes, where the shapes of input and output differ, such as a
        convolution of single cells; by default the input itself is added.
    trainable : bool
        Whether training moves what it holds; False freezes all of it.
    learning_rate_multiplier : float
        Positive; multiplies those of the layers it holds.
    name : str, optional

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Also `ValueError` and `TypeError`: something that is no layer, or a layer that works on the
        input of a network. From `Network.build` and `Network.fit`: the two shapes differ.

    References
    ----------
    He, Zhang, Ren, Sun: Deep residual learning for image recognition. CVPR 2016.

    Examples
    --------
    >>> from fastnn import BatchNorm, Conv2D, Residual
    >>> block = Residual([Conv2D(16, 3, "relu", padding="same"), Conv2D(16, 3, padding="same")])
    >>> block.output_shape((14, 14, 16))
    (14, 14, 16)
    """

    layers: tuple[Layer, ...]
    _: KW_ONLY
    shortcut: tuple[Layer, ...] | None = None
    trainable: bool = True
    learning_rate_multiplier: float = 1.0
    name: str | None = None

    def __post_init__(self) -> None:
        layers = _path("layers", self.layers)
        if not layers:
            raise ArgumentError("layers must hold at least one layer, got none")
        shortcut = None if self.shortcut is None else _path("shortcut", self.shortcut)
        self._set_fields(layers=layers, shortcut=shortcut)
        self._check_container()

    @property
    def merge_name(self) -> str:
        return "add"

    def paths(self) -> tuple[tuple[Layer, ...], ...]:
        return self.layers, self.shortcut or ()

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        path, shortcut = self.outputs(input_shape)
        if path != shortcut:
            cure = "" if self.shortcut else "; shortcut=[…] takes layers that change it"
            raise ArgumentError(
                f"Residual adds arrays of one shape, but its layers make {path} of its input of "
                f"shape {input_shape}, and its shortcut {shortcut}{cure}"
            )
        return path


@dataclass(frozen=True)
class Parallel(_Container):
    """Pass the input through several branches and merge what they make of it.

    Parameters
    ----------
    layers : list of list of Layer
        The layers of every branch; an empty list passes the input on as it is.
    merge : {"concat", "add", "mean", "max"}
        The outputs side by side along the last axis, in the order of the branches; or their sum,
        mean or maximum, element by element. Of equal values the first gets the gradient.
    trainable : bool
        Whether training moves what it holds; False freezes all of it.
    learning_rate_multiplier : float
        Positive; multiplies those of the layers it holds.
    name : str, optional

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Also `ValueError` and `TypeError`: an unknown merge, something that is no layer, or a layer
        that works on the input of a network. From `Network.build` and `Network.fit`: shapes that
        cannot be merged.

    References
    ----------
    Szegedy et al.: Going deeper with convolutions. CVPR 2015.

    Examples
    --------
    >>> from fastnn import Conv1D, Parallel
    >>> widths = [[Conv1D(8, size, padding="same")] for size in (3, 5, 9)]
    >>> Parallel(widths).output_shape((100, 2))
    (100, 24)
    """

    layers: tuple[tuple[Layer, ...], ...]
    merge: str = "concat"
    _: KW_ONLY
    trainable: bool = True
    learning_rate_multiplier: float = 1.0
    name: str | None = None

    def __post_init__(self) -> None:
        given = self.layers
        if not isinstance(given, Sequence) or isinstance(given, str):
            raise ArgumentTypeError(f"layers must be a list of branches, got {given!r}")
        if not given:
            raise ArgumentError("layers must hold at least one branch, got none")
        paths = tuple(_path(f"layers[{i}]", path) for i, path in enumerate(given))
        self._set_fields(layers=paths)
        checks.one_of("merge", self.merge, MERGES)
        self._check_container()

    @property
    def merge_name(self) -> str:
        return self.merge

    def paths(self) -> tuple[tuple[Layer, ...], ...]:
        return self.layers

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        outputs = self.outputs(input_shape)
        concat = self.merge == "concat"
        alike = {shape[:-1] if concat else shape for shape in outputs}
        if len(alike) > 1:
            which = "agree in all axes but the last" if concat else "have one shape"
            raise ArgumentError(
                f"Parallel with merge={self.merge!r} needs branches that {which}, but "
                f"theirs make {', '.join(map(str, outputs))} of its input of shape {input_shape}"
            )
        width = sum(shape[-1] for shape in outputs) if concat else outputs[0][-1]
        return (*outputs[0][:-1], width)
