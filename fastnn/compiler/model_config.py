"""The parameters of a network, checked: its layers, loss, optimizer and options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import losses, optimizers
from ..errors import ArgumentError, ArgumentTypeError
from ..ir.parameter import PENALTY_SCALES, Regularization
from ..layers import Layer, user_layers
from ..losses import Loss
from ..metrics import scoring
from ..metrics.scoring import Metric
from ..optimizers import Optimizer, averaging
from ..optimizers.averaging import WeightAverage
from ..runtime.random_streams import check_seed
from ..utils import checks

DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class ModelConfig:
    """The parameters of `fastnn.Network`, checked and converted.

    `updates_skipped` has the number of updates during which layers were frozen, by their names.
    """

    layers: tuple[Layer, ...]
    loss: Loss
    optimizer: Optimizer
    metrics: tuple[Metric, ...]
    seed: int
    dtype: np.dtype
    l1: float
    l2: float
    max_norm: float | None
    penalty_scale: str
    weight_average: WeightAverage | None
    updates_skipped: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def checked(cls, **given: Any) -> ModelConfig:
        """Check all parameters of a network, given by their names.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            A parameter cannot be used, or two do not fit together.
        """
        layers, max_norm = _check_layers(given["layers"]), given["max_norm"]
        layer_names(layers)
        loss = losses.get(given["loss"])
        _check_head(layers[-1], loss)
        optimizer = optimizers.get(given["optimizer"])
        metrics = scoring.get(given["metrics"], loss.task)
        seed, dtype = check_seed(given["seed"]), _check_dtype(given["dtype"])
        l1, l2 = checks.number("l1", given["l1"], low=0), checks.number("l2", given["l2"], low=0)
        if max_norm is not None:
            max_norm = checks.number("max_norm", max_norm, low=0, open_low=True)
        scale = given["penalty_scale"]
        checks.one_of("penalty_scale", scale, dict.fromkeys(PENALTY_SCALES))
        average = averaging.get(given["weight_average"], optimizer)
        return cls(layers, loss, optimizer, metrics, seed, dtype, l1, l2, max_norm, scale, average)

    @property
    def regularization(self) -> Regularization:
        """Return the penalties and limits of weights whose layers have none of their own."""
        return Regularization(self.l1, self.l2, self.optimizer.weight_decay, self.max_norm or 0.0)


def _check_layers(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Return `layers` as a tuple, if it holds layers."""
    if not isinstance(layers, Sequence) or isinstance(layers, str):
        raise ArgumentTypeError(f"layers must be a sequence of layers, got {layers!r}")
    if not layers:
        raise ArgumentError("layers must hold at least one layer, got none")
    for layer in layers:
        if not isinstance(layer, Layer):
            hint = f": write {layer.__name__}(…)" if isinstance(layer, type) else ""
            raise ArgumentTypeError(f"layers must hold layer objects, got {layer!r}{hint}")
        user_layers.check_methods(layer)
    for index, layer in enumerate(layers):
        if layer.follows is not None:
            _check_place(layer, layers[:index])
    return tuple(layers)


def _check_place(layer: Layer, before: Sequence[Layer]) -> None:
    """Refuse layers before one that works on the input itself."""
    allowed = layer.follows or ()
    kind = type(layer).__name__
    for other in before:
        if type(other).__name__ not in allowed:
            names = " or ".join(name for name in allowed if name != kind)
            only = f"only {names}" if names else "nothing"
            raise ArgumentError(
                f"{kind} works on the input, so {only} may stand before it, got {other!r}"
            )


def layer_names(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Return the given names, or the class with a number, such as dense_1."""
    given = [layer.name for layer in layers if layer.name is not None]
    if len(set(given)) < len(given):
        twice = next(name for name in given if given.count(name) > 1)
        raise ArgumentError(f"layer name {twice!r} is given twice")
    names: list[str] = []
    numbers: dict[type[Layer], int] = {}  # of the latest name made from a class
    for layer in layers:
        name, kind = layer.name, type(layer)
        while name is None:
            numbers[kind] = numbers.get(kind, 0) + 1
            made = f"{kind.__name__.lower()}_{numbers[kind]}"
            name = None if made in given else made
        names.append(name)
    return tuple(names)


def _check_head(last: Layer, loss: Loss) -> None:
    """Refuse a last layer that would apply the loss's link a second time."""
    if loss.link is not None and getattr(last, "activation", None) == loss.link:
        raise ArgumentError(
            f"loss {loss.title!r} applies the {loss.link} itself: give the last layer "
            "activation='identity'"
        )


def _check_dtype(dtype: Any) -> np.dtype:
    """Return float32 or float64 as a NumPy dtype."""
    try:
        resolved = np.dtype(dtype)
    except TypeError:
        resolved = None
    if resolved is None or resolved.name not in DTYPES or not resolved.isnative:
        raise ArgumentError(f"dtype must be float32 or float64, got {dtype!r}")
    return resolved
