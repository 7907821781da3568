"""The table that `Network.summary` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..utils.text_table import table

if TYPE_CHECKING:
    from ..layers import Layer
    from ..network import Network


def summary(network: Network) -> str:
    """Layers with output shapes and numbers of parameters, loss, optimizer, executor."""
    if not network.built:
        layers = "\n".join(f"{n}  {x!r}" for n, x in _named_layers(network))
        return f"{layers}\nnot built yet: sizes are settled by build or fit"
    architecture = network.architecture
    rows: list[tuple[str, ...]] = [("layer", "type", "output", "parameters")]
    for index, (name, layer) in enumerate(_named_layers(network)):
        count = sum(s.size for s in architecture.segments if s.layer == index)
        shape = " × ".join(map(str, architecture.shapes[index + 1]))
        rows.append((name, _describe(layer), shape, f"{count:,}"))
    total = f"{network.n_parameters:,} parameters"
    frozen = sum(s.size for s in architecture.segments if not s.treatment.trainable)
    if frozen:
        total += f", {frozen:,} of them frozen"
    average = "" if network.weight_average is None else f", average {network.weight_average!r}"
    bytes_held = network.n_parameters * network.dtype.itemsize
    buffers = sum(s.size for s in architecture.buffer_segments)
    kept = f" and {buffers:,} numbers of state" if buffers else ""
    inputs = " × ".join(map(str, network.input_shape))
    return (
        f"input {inputs}, {network.dtype}\n"
        f"{table(rows, right=frozenset({2, 3}))}\n"
        f"{total} ({bytes_held / 1e6:.3g} MB){kept}, "
        f"loss {network.loss.title}, optimizer {network.optimizer!r}{average}\n"
        f"runs in the {network.executors.describe()}"
    )


def _named_layers(network: Network):
    return zip(network.layer_names, network.layers, strict=True)


def _describe(layer: Layer) -> str:
    detail = getattr(layer, "activation", getattr(layer, "rate", None))
    notes = [str(detail)] if detail is not None else []
    notes += [] if layer.trainable else ["frozen"]
    return type(layer).__name__ + (f" ({', '.join(notes)})" if notes else "")
