"""The pickled form of a fitted estimator: arrays, plain values, scikit-learn's transformers.

So a reader such as skops has to trust only the class of the estimator and the classes of objects
among its parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._version import __version__
from ..errors import FastnnError, ModelFileError
from ..layers import Layer
from ..losses import Loss
from ..model.base import model_of
from ..model_file.custom_objects import CustomObjects
from ..model_file.state import custom_objects, is_foreign, model_from, model_state
from ..network import Network, network_of
from ..utils.warn import warn_caller
from .build_network import NetworkConfig
from .columns import Columns
from .target_scaling import TargetScaling

VERSION = "_fastnn_version"


def pack(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of an estimator with plain values in place of fastnn's objects."""
    state = attributes | {VERSION: __version__}
    for name, (to_plain, _) in _CONVERTERS.items():
        if state.get(name) is not None:
            state[name] = to_plain(state[name])
    return state


def unpack(kind: str, state: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that `pack` was given.

    Parameters
    ----------
    kind : str
        Name of the estimator's class, for messages.
    state : dict

    Raises
    ------
    ModelFileError
        It has the form of another version of fastnn that this one cannot read.
    """
    attributes = dict(state)
    version = attributes.pop(VERSION, None)
    attributes.pop("out_activation_", None)  # follows from the network
    if version != __version__:
        warn_caller(
            f"this {kind} was pickled by fastnn {version} and is loaded by fastnn {__version__}, "
            "which may break it; Network.save writes files that last",
        )
    try:
        for name, (_, from_plain) in _CONVERTERS.items():
            if isinstance(attributes.get(name), dict):
                attributes[name] = from_plain(attributes[name])
    except (FastnnError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"this {kind} was pickled by fastnn {version} in a form that fastnn {__version__} "
            f"cannot read: {error}"
        ) from error
    return attributes


def _network_state(network: Network) -> Any:
    return model_state(model_of(network)) or network


def _config_state(config: NetworkConfig) -> Any:
    parts = (*config.layers, config.loss)
    if any(map(is_foreign, parts)):
        return config
    return {
        "layers": [layer.to_config() for layer in config.layers],
        "loss": config.loss.to_config(),
        "l1": config.l1,
        "l2": config.l2,
        "custom_objects": custom_objects(parts),
    }


def _config_from_state(state: dict[str, Any]) -> NetworkConfig:
    custom = CustomObjects(state["custom_objects"])
    layers = [Layer.from_config(custom.filled_in(config)) for config in state["layers"]]
    loss = custom.resolved(state["loss"])
    own = loss if isinstance(loss, Loss) else Loss.from_config(loss)
    return NetworkConfig(tuple(layers), own, state["l1"], state["l2"])


#: Attributes of fastnn's own classes: the conversion to plain values, and back.
_CONVERTERS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "network_": (_network_state, lambda state: network_of(model_from(state))),
    "_described": (_config_state, _config_from_state),
    "_scaling": (TargetScaling.state, TargetScaling.from_state),
    "_columns": (Columns.state, Columns.from_state),
}
