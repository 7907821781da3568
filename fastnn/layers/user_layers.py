"""Checks of the layers of a user: their methods, what these return and what their ops write.

Layers of fastnn pass the checks of shapes only; all others would take time for nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, ArgumentTypeError
from ..ir.parameter import Parameter, Segment
from ..ir.program import Ref, Region
from ..utils import checks, signatures
from .base import Layer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback

#: Names of the arguments that the methods of a layer are called with.
METHODS: dict[str, tuple[str, ...]] = {
    "output_shape": ("input_shape",),
    "parameters": ("input_shape",),
    "buffers": ("input_shape",),
    "lower": ("builder", "x", "parameters", "index"),
}


def check_methods(layer: Layer) -> None:
    """Raise an error for a layer whose methods cannot be called, before a network is made."""
    kind = type(layer)
    if not signatures.is_users(layer):
        return
    if not dataclasses.is_dataclass(kind) or "name" not in kind.__dataclass_fields__:
        raise ArgumentTypeError(
            f"layer class {kind.__name__} must be a frozen dataclass with a field "
            "`name: str | None = None`, so that files and copies know its arguments"
        )
    layer.check_name()
    if kind.lower is Layer.lower:
        raise ArgumentTypeError(f"layer {layer!r} must have a method lower")
    for method, arguments in METHODS.items():
        signatures.require(f"{kind.__name__}.{method}", getattr(layer, method), arguments)


def output_shape(layer: Layer, name: str, input_shape: tuple[int, ...]) -> tuple[int, ...]:
    """Check and return the shape of a layer's output; errors of the layer get its name."""
    try:
        shape = layer.output_shape(input_shape)
    except ArgumentError as error:
        raise ArgumentError(f"layer {name!r}: {error}") from error
    return checks.shape(f"output_shape of layer {name!r}", shape)


def parameters(layer: Layer, name: str, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
    """Check and return the parameters that a layer asks for."""
    wanted = layer.parameters(input_shape)
    if not isinstance(wanted, Sequence) or not all(isinstance(p, Parameter) for p in wanted):
        raise ArgumentTypeError(
            f"parameters of layer {name!r} must be a tuple of fastnn.Parameter, got {wanted!r}"
        )
    names = [parameter.name for parameter in wanted]
    if twice := [one for one in names if names.count(one) > 1]:
        raise ArgumentError(f"layer {name!r} has two parameters of the name {twice[0]!r}")
    return tuple(wanted)


def check_lowered(name: str, lowered: Any, x: Ref, shape: tuple[int, ...]) -> tuple[Ref, Pullback]:
    """Check and return the output and the pullback that `lower` of a layer returned for `x`."""
    if not isinstance(lowered, tuple) or len(lowered) != 2:
        raise ArgumentTypeError(
            f"lower of layer {name!r} must return the output and a pullback, got {lowered!r:.80}"
        )
    y, pullback = lowered
    if not isinstance(y, Ref):
        raise ArgumentTypeError(
            f"lower of layer {name!r} must return the Ref of its output first, got {y!r:.80}"
        )
    if y.shape != shape or y.per_row != x.per_row:
        raise ArgumentError(
            f"lower of layer {name!r} returned an output of shape {y.shape}, but output_shape "
            f"says {shape}"
        )
    if not callable(pullback):
        raise ArgumentTypeError(
            f"lower of layer {name!r} must return a pullback, a function, second; got "
            f"{pullback!r:.80}"
        )
    signatures.require(f"the pullback of layer {name!r}", pullback, ("dy", "wanted"))
    return y, pullback


def check_gradient(name: str, dx: Any, shape: tuple[int, ...]) -> Ref:
    """Check and return the gradient of its layer's input that a pullback returned."""
    if not isinstance(dx, Ref):
        raise ArgumentTypeError(
            f"the pullback of layer {name!r} must return the Ref of dx where it is wanted, "
            f"got {dx!r:.80}"
        )
    if dx.shape != shape:
        raise ArgumentError(
            f"the pullback of layer {name!r} returned dx of shape {dx.shape}, but the layer's "
            f"input has the shape {shape}"
        )
    return dx


def check_gradients_written(
    layers: Sequence[Layer], segments: Sequence[Segment], builder: PlanBuilder
) -> None:
    """Raise `ArgumentError` for a trainable layer whose ops write no gradient of a parameter."""
    users = [s for s in segments if s.options.trainable and signatures.is_users(layers[s.layer])]
    if not users:
        return
    written = [
        (ref.offset, ref.offset + ref.count(0) * ref.dtype.itemsize)
        for op in builder.stages["backward"]
        for ref in op.refs
        if ref.region is Region.GRADIENTS
    ]
    written += [
        (sparse.table.offset, sparse.table.offset + 1) for sparse in builder.sparse
    ]  # whose gradient is elsewhere
    for segment in users:
        offset = segment.offset * builder.dtype.itemsize
        if any(a <= offset < b for a, b in written):
            continue
        layer, _, parameter = segment.name.rpartition("/")
        raise ArgumentError(
            f"layer {layer!r} gives its parameter {parameter!r} no gradient: an op of its pullback "
            f"must write gradient_of(parameters[{parameter!r}]), or the parameter must have "
            "trainable=False"
        )
