"""The table that `Network.summary` prints."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..compiler.architecture import Architecture
from ..layers import Layer
from ..layers.convolution import WindowedLayer
from ..layers.sequence import branches_of
from ..utils import counting
from ..utils.text import table
from .base import Model

Shape = tuple[int, ...]

#: Rows of the batch whose workspace is shown: those of `Network.fit` by default.
ROWS = 32


def summary(model: Model) -> str:
    """Return layers with output shapes and numbers of parameters, loss, optimizer, executor."""
    if not model.built:
        layers = "\n".join(f"{n}  {x!r}" for n, x in _named_layers(model))
        return f"{layers}\nnot built yet: sizes are settled by build or fit"
    architecture = model.architecture
    n_parameters = sum(segment.size for segment in architecture.segments)
    rows: list[tuple[str, ...]] = [("layer", "type", "output", "parameters")]
    for index, (name, layer) in enumerate(_named_layers(model)):
        count = sum(s.size for s in architecture.segments if s.layer == index)
        rows.append(_row("", name, layer, architecture.shapes[index + 1], count))
        rows += _nested_rows(layer, architecture.views[index], "  ")
    total = counting.count(n_parameters, "parameter", ",")
    frozen = sum(s.size for s in architecture.segments if not s.options.trainable)
    if frozen:
        total += f", {frozen:,} of them frozen"
    average = "" if model.weight_average is None else f", average {model.weight_average!r}"
    bytes_held = n_parameters * model.dtype.itemsize
    buffers = sum(s.size for s in architecture.buffer_segments)
    kept = f" and {buffers:,} numbers of state" if buffers else ""
    inputs = _describe_input(architecture)
    return (
        f"input {inputs}, {model.dtype}\n"
        f"{table(rows, right=frozenset({2, 3}))}\n"
        f"{total} ({bytes_held / 1e6:.3g} MB){kept}, "
        f"loss {model.loss.title}, optimizer {model.optimizer!r}{average}\n"
        f"runs in the {model.executors.describe()}{_workspace(model)}"
    )


def _row(indent: str, name: str, layer: Layer, shape: Shape, count: int) -> tuple[str, ...]:
    """Return the row of a layer with so many parameters."""
    return f"{indent}{name}", _describe(layer), " × ".join(map(str, shape)), f"{count:,}"


def _nested_rows(layer: Layer, input_shape: Shape, indent: str) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the layers within a layer, as a tree with brackets around branches."""
    for branch in branches_of(layer):
        shapes = branch.shapes(input_shape)
        if not branch.layers:
            yield f"{indent}╶ the input", "", " × ".join(map(str, input_shape)), ""
        for number, (inner, name) in enumerate(zip(branch.layers, branch.names, strict=True)):
            mark = "╶ " if len(branch.layers) == 1 else "┌ " if number == 0 else "│ "
            mark = "└ " if 0 < number == len(branch.layers) - 1 else mark
            taken, made = shapes[number : number + 2]
            count = sum(math.prod(p.shape) for p in inner.parameters(taken))
            yield _row(f"{indent}{mark}", name, inner, made, count)
            yield from _nested_rows(inner, taken, f"{indent}  ")


def _workspace(model: Model) -> str:
    """Return the memory of a training batch, where layers look through windows or branch."""
    if not any(isinstance(layer, WindowedLayer) or branches_of(layer) for layer in model.layers):
        return ""
    plan = model.executors.plan(ROWS, training=True, labels=False)
    return f"; a training batch of {ROWS} rows takes {plan.workspace / 1e6:.3g} MB of workspace"


def _describe_input(architecture: Architecture) -> str:
    """Return the shape of a row of X, and that as which a layer takes it if that differs."""
    shown = " × ".join(map(str, architecture.shapes[0]))
    views = zip(architecture.views, architecture.shapes, strict=False)
    taken = next((view for view, shape in views if view != shape), None)
    return shown if taken is None else f"{shown} (taken as {' × '.join(map(str, taken))})"


def _named_layers(model: Model) -> Iterator[tuple[str, Layer]]:
    return zip(model.layer_names, model.layers, strict=True)


def _describe(layer: Layer) -> str:
    detail = getattr(layer, "activation", getattr(layer, "rate", None))
    notes = [str(detail)] if detail is not None else []
    notes += [] if layer.trainable else ["frozen"]
    return type(layer).__name__ + (f" ({', '.join(notes)})" if notes else "")
