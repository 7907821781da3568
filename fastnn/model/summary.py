"""The table that `Network.summary` prints."""

from __future__ import annotations

from collections.abc import Iterator

from ..layers import Layer
from ..utils import counting
from ..utils.text import table
from .base import Model


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
        shape = " × ".join(map(str, architecture.shapes[index + 1]))
        rows.append((name, _describe(layer), shape, f"{count:,}"))
    total = counting.count(n_parameters, "parameter", ",")
    frozen = sum(s.size for s in architecture.segments if not s.options.trainable)
    if frozen:
        total += f", {frozen:,} of them frozen"
    average = "" if model.weight_average is None else f", average {model.weight_average!r}"
    bytes_held = n_parameters * model.dtype.itemsize
    buffers = sum(s.size for s in architecture.buffer_segments)
    kept = f" and {buffers:,} numbers of state" if buffers else ""
    inputs = " × ".join(map(str, model.input_shape))
    return (
        f"input {inputs}, {model.dtype}\n"
        f"{table(rows, right=frozenset({2, 3}))}\n"
        f"{total} ({bytes_held / 1e6:.3g} MB){kept}, "
        f"loss {model.loss.title}, optimizer {model.optimizer!r}{average}\n"
        f"runs in the {model.executors.describe()}"
    )


def _named_layers(model: Model) -> Iterator[tuple[str, Layer]]:
    return zip(model.layer_names, model.layers, strict=True)


def _describe(layer: Layer) -> str:
    detail = getattr(layer, "activation", getattr(layer, "rate", None))
    notes = [str(detail)] if detail is not None else []
    notes += [] if layer.trainable else ["frozen"]
    return type(layer).__name__ + (f" ({', '.join(notes)})" if notes else "")
