"""A branch: layers in a row within another layer, whose names and arrays carry their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from ..errors import ArgumentError
from ..ir.program import Ref
from ..utils.specification import changed
from . import user_layers
from .base import Layer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.parameter import Buffer, Parameter

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Branch:
    """Layers in a row, with their names; none passes its input on."""

    layers: tuple[Layer, ...]
    names: tuple[str, ...]

    def shapes(self, input_shape: Shape) -> list[Shape]:
        """Return the shapes of the input and of every output; raise `ArgumentError`."""
        shapes = [input_shape]
        for layer, name in self._named():
            declared = layer.declared_input
            if declared is not None and declared != shapes[-1]:
                raise ArgumentError(
                    f"layer {name!r} is declared for inputs of shape {declared}, but gets "
                    f"{shapes[-1]}"
                )
            shapes.append(user_layers.output_shape(layer, name, shapes[-1]))
        return shapes

    def parameters(self, input_shape: Shape) -> Iterator[Parameter]:
        """Yield the parameters of the layers, with the options of their layers in their own."""
        for (layer, name), shape in zip(self._named(), self.shapes(input_shape), strict=False):
            for parameter in user_layers.parameters(layer, name, shape):
                yield replace(
                    parameter,
                    name=f"{name}.{parameter.name}",
                    trainable=parameter.trainable and layer.trainable,
                    learning_rate_multiplier=parameter.learning_rate_multiplier
                    * layer.learning_rate_multiplier,
                )

    def buffers(self, input_shape: Shape) -> Iterator[Buffer]:
        """Yield the buffers of the layers."""
        for (layer, name), shape in zip(self._named(), self.shapes(input_shape), strict=False):
            for buffer in layer.buffers(shape):
                yield replace(buffer, name=f"{name}.{buffer.name}")

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref]
    ) -> tuple[Ref, Pullback]:
        """Emit the forward ops of the layers; return the output and the branch's pullback."""
        outer, shapes = builder.layer, self.shapes(x.shape)
        pullbacks: list[Pullback] = []
        learns: list[bool] = []
        for (layer, name), shape in zip(self._named(), shapes[1:], strict=True):
            builder.begin(f"{outer}/{name}", x)
            own = {
                key.removeprefix(f"{name}."): ref
                for key, ref in parameters.items()
                if key.startswith(f"{name}.")
            }
            lowered = layer.lower(builder, x, own, builder.nested_index())
            x, pullback = user_layers.check_lowered(name, lowered, x, shape)
            builder.layer = f"{outer}/{name}"  # which a layer with branches has left
            pullbacks.append(builder.observed(x, pullback))
            learns.append(layer.trainable and bool(layer.parameters(shapes[len(learns)])))
        builder.layer = outer
        first = learns.index(True) if True in learns else len(learns)

        def pullback_of_all(dy: Ref, need_dx: bool) -> Ref | None:
            for index in range(len(pullbacks) - 1, -1 if need_dx else first - 1, -1):
                builder.begin(f"{outer}/{self.names[index]}", dy)
                wanted = need_dx or index > first
                dx = pullbacks[index](dy, wanted)
                if wanted:
                    dy = user_layers.check_gradient(self.names[index], dx, shapes[index])
            builder.layer = outer
            return dy if need_dx else None

        return x, pullback_of_all

    def frozen(self) -> Branch:
        """Return the branch with all layers frozen that can be."""
        layers = (
            changed(layer, trainable=False)
            if any(field.name == "trainable" for field in fields(layer))  # type: ignore[arg-type]
            else layer
            for layer in self.layers
        )
        return replace(self, layers=tuple(layers))

    def _named(self) -> Iterator[tuple[Layer, str]]:
        return zip(self.layers, self.names, strict=True)


class Branched(Layer, listed=False):
    """Base of the layers that hold branches."""

    def branches(self) -> tuple[Branch, ...]:
        """Return the branches, which all see the layer's input."""
        raise NotImplementedError


def branches_of(layer: Layer) -> tuple[Branch, ...]:
    """Return the branches of layers that a layer holds; none for most."""
    return layer.branches() if isinstance(layer, Branched) else ()


def nested(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Yield layers and, after each, those within it, depth first."""
    for layer in layers:
        yield layer
        for branch in branches_of(layer):
            yield from nested(branch.layers)


def with_inputs(
    layers: Sequence[Layer], names: Sequence[str], shapes: Sequence[Shape]
) -> Iterator[tuple[Layer, str, Shape]]:
    """Yield layers, and those within them, with their names and the shapes of their inputs."""
    for layer, name, shape in zip(layers, names, shapes, strict=False):
        yield layer, name, shape
        for branch in branches_of(layer):
            inner = [f"{name}/{one}" for one in branch.names]
            yield from with_inputs(branch.layers, inner, branch.shapes(shape))
