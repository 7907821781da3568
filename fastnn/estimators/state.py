"""What a fitted estimator is pickled as: arrays, plain values, and scikit-learn's own transformers.

So the types that a reader such as skops has to trust are the estimator itself and whatever objects
its parameters hold.
"""

from __future__ import annotations

import warnings
from typing import Any

from .._version import __version__
from ..errors import FastnnError, ModelFileError
from ..layers import Layer
from ..losses import Loss
from ..serialization.custom_objects import CustomObjects
from ..serialization.state import custom_objects, is_foreign, network_of, network_state
from .build_network import Description
from .columns import Columns
from .target_scaling import TargetScaling

VERSION = "_fastnn_version"


def packed(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of an estimator with plain values in the place of our own objects."""
    state = attributes | {VERSION: __version__}
    for name, (pack, _) in _PACKED.items():
        if state.get(name) is not None:
            state[name] = pack(state[name])
    return state


def unpacked(kind: str, state: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that `packed` was given, of an estimator of the class of that name.

    Raises
    ------
    ModelFileError
        Another version of fastnn wrote it, in a form that this one does not know.
    """
    attributes = dict(state)
    version = attributes.pop(VERSION, None)
    attributes.pop("out_activation_", None)  # follows from the network
    if version != __version__:
        warnings.warn(
            f"this {kind} was pickled by fastnn {version} and is loaded by fastnn {__version__}, "
            "which may break it; Network.save writes files that last",
            stacklevel=3,
        )
    try:
        for name, (_, unpack) in _PACKED.items():
            if isinstance(attributes.get(name), dict):
                attributes[name] = unpack(attributes[name])
    except (FastnnError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"this {kind} was pickled by fastnn {version} in a form that fastnn {__version__} "
            f"cannot read: {error}"
        ) from error
    return attributes


def _described_state(described: Description) -> Any:
    parts = (*described.layers, described.loss)
    if any(map(is_foreign, parts)):
        return described
    return {
        "layers": [layer.to_config() for layer in described.layers],
        "loss": described.loss.to_config(),
        "l1": described.l1,
        "l2": described.l2,
        "custom_objects": custom_objects(parts),
    }


def _described_of(state: dict[str, Any]) -> Description:
    custom = CustomObjects(state["custom_objects"])
    layers = [Layer.from_config(custom.filled_in(config)) for config in state["layers"]]
    loss = custom.resolved(state["loss"])
    own = loss if isinstance(loss, Loss) else Loss.from_config(loss)
    return Description(tuple(layers), own, state["l1"], state["l2"])


#: How attributes of our own classes become plain, and what they were again.
_PACKED = {
    "network_": (lambda network: network_state(network) or network, network_of),
    "_described": (_described_state, _described_of),
    "_scaling": (lambda scaling: scaling.state(), TargetScaling.of_state),
    "_columns": (lambda columns: columns.state(), Columns.of_state),
}
