"""Freezing: which layers training moves, and how many updates the others have missed.

Moving averages of an optimizer start at zero, and its steps correct for that by the number of
updates so far. Parameters that are frozen know fewer of them than the network has done; counted all
the same, the first steps of an unfrozen layer would be several times too long.

`Model.updates_skipped` has the balance of each layer that was ever frozen: the step of every
`unfreeze` added, that of every `freeze` subtracted. It is right whenever the layer is trained.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from ..errors import ArgumentError
from ..layers import Layer
from ..utils import checks
from ..utils.specification import changed
from .base import Model


def set_trainable(model: Model, names: Iterable[str], trainable: bool) -> None:
    """Replace the named layers, or all that can be, by ones that are trainable or not."""
    layers = dict(zip(model.layer_names, model.layers, strict=True))
    chosen = {name: checks.one_of("layer", name, layers) for name in names}
    for name, layer in chosen.items():
        if not _can_learn(layer):
            raise ArgumentError(f"layer {name!r} ({type(layer).__name__}) has nothing to freeze")
    skipped, step = dict(model.updates_skipped), model.state.step
    for name, layer in chosen.items() or layers.items():
        if _can_learn(layer) and layer.trainable != trainable:
            layers[name] = changed(layer, trainable=trainable)
            skipped[name] = skipped.get(name, 0) + (step if trainable else -step)
    model.update_architecture(tuple(layers.values()), skipped)


def _can_learn(layer: Layer) -> bool:
    """Return whether `trainable` is one of its own arguments."""
    return any(field.name == "trainable" for field in dataclasses.fields(layer))  # type: ignore[arg-type]
