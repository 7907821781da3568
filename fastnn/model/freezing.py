"""Freezing: which layers training moves, and how many updates the others have sat out.

Moving averages of an optimizer start at zero, and its steps correct for that by the number of
updates so far. Parameters that are frozen know fewer of them than the network has done; counted all
the same, the first steps of an unfrozen layer would be several times too long.

`Network.updates_skipped` has the balance of each layer that was ever frozen: the step of every
`unfreeze` added, that of every `freeze` subtracted. It is right whenever the layer is trained.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..errors import ArgumentError
from ..utils import checks

if TYPE_CHECKING:
    from ..layers import Layer
    from ..network import Network


def set_trainable(network: Network, names: Iterable[str], trainable: bool) -> None:
    """Replace the named layers, or all that can be, by ones that are trainable or not."""
    layers = dict(zip(network.layer_names, network.layers, strict=True))
    chosen = {name: checks.one_of("layer", name, layers) for name in names}
    for name, layer in chosen.items():
        if not _can_learn(layer):
            raise ArgumentError(f"layer {name!r} ({type(layer).__name__}) has nothing to freeze")
    skipped, step = dict(network.updates_skipped), network.state.step
    for name, layer in chosen.items() or layers.items():
        if _can_learn(layer) and layer.trainable != trainable:
            layers[name] = dataclasses.replace(layer, trainable=trainable)  # type: ignore[type-var]
            skipped[name] = skipped.get(name, 0) + (step if trainable else -step)
    network.resettle(tuple(layers.values()), skipped)


def _can_learn(layer: Layer) -> bool:
    """Whether `trainable` is one of its own arguments."""
    return any(field.name == "trainable" for field in dataclasses.fields(layer))  # type: ignore[arg-type]
