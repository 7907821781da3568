"""Activations, losses and metrics of the user: a file names them, and who loads it brings them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..activations.custom import CustomActivation
from ..errors import ArgumentError, ArgumentTypeError, ModelFileError
from ..losses.custom import CustomLoss
from ..metrics.scoring import Compared, Metric, own
from ..model.base import Model

#: Classes of `fastnn.activation` and `fastnn.loss`, which hold functions of the user.
CUSTOM = CustomActivation, CustomLoss
CustomObject = CustomActivation | CustomLoss | Callable[..., Any]

KINDS: dict[str, Any] = {"activation": CustomActivation, "loss": CustomLoss, "metric": Callable}


def check_names(model: Model) -> None:
    """Refuse to save two different objects under one name: only one of them would come back."""
    found: dict[str, Any] = {}
    values = (value for layer in model.layers for value in vars(layer).values())
    scores = [metric for metric in model.metrics if metric.compares is Compared.OWN]
    for value in (*values, model.loss, *scores):
        if isinstance(value, (*CUSTOM, Metric)) and found.setdefault(value.name, value) != value:
            raise ArgumentError(
                f"the network holds two custom objects of the name {value.name!r}; "
                "a file could not tell them apart"
            )


class CustomObjects:
    """The objects that a file may name.

    Raises
    ------
    ArgumentTypeError
        Not a dict of names to custom activations and losses, and functions of metrics.
    """

    def __init__(self, given: Any):
        if given is not None and not isinstance(given, Mapping):
            raise ArgumentTypeError(
                f"custom_objects must be a dict of name to object, got {type(given).__name__}"
            )
        self._given = dict(given or {})
        self._used: dict[str, CustomObject] = {}
        for name, value in self._given.items():
            if not isinstance(value, CUSTOM) and not callable(value):
                raise ArgumentTypeError(
                    f"custom_objects[{name!r}] must be made by fastnn.activation or fastnn.loss, "
                    f"or be the function of a metric, got {value!r}"
                )

    def resolved(self, described: Any) -> Any:
        """Return the object that a description names; else the description itself.

        Raises
        ------
        ModelFileError
            The object is missing, or of another kind.
        """
        if not _is_name(described):
            return described
        kind, name = described["custom"], described["name"]
        if name not in self._given:
            raise ModelFileError(
                f"it uses the custom {kind} {name!r}; pass it to load as "
                f"custom_objects={{{name!r}: …}}"
            )
        value = self._given[name]
        if kind not in KINDS or not isinstance(value, KINDS[kind]):
            raise ModelFileError(f"it uses the custom {kind} {name!r}, but got {value!r} for it")
        self._used[name] = value
        return value

    def metrics(self, described: Any) -> list[Any]:
        """Return the metrics of a description, those of the user with their functions."""
        if not isinstance(described, list):
            raise ModelFileError("its metrics are not a list")
        found = [(one, self.resolved(one)) for one in described]
        return [own(value, one["name"]) if _is_name(one) else value for one, value in found]

    def filled_in(self, config: Any) -> Any:
        """Return the description of a layer, with the objects in the places of their names."""
        if not isinstance(config, dict):
            return config
        return {field: self.resolved(value) for field, value in config.items()}

    def check_used(self) -> None:
        """Raise `ArgumentError` if there is more than was named."""
        if surplus := [name for name in self._given if name not in self._used]:
            raise ArgumentError(
                f"custom_objects has {surplus[0]!r}, but the network uses "
                + (", ".join(map(repr, self._used)) or "no custom objects")
            )


def _is_name(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"custom", "name"}
        and all(isinstance(part, str) for part in value.values())
    )
