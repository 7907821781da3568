"""The entry "fit" of a checkpoint's description: how things stand with the fit that wrote it.

=============  ====================================================================================
first_epoch    epochs that were completed when the fit began
stop_training  whether it is to end now
arguments      what the fit was called with, as far as the outcome depends on it
callbacks      for each that has a state: its class ("type"), its "state" as JSON values, and
               "arrays", dtype and shape of each of its arrays; the arrays themselves are tensors
               "callbacks/0/weights", the number counting these callbacks
=============  ====================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError, ModelFileError
from ..model.running_fit import CallbackState
from ..utils import checks
from .container import compact_json
from .description import refusing, section

#: Dtypes of the arrays that states may hold.
_DTYPES = {name: np.dtype(name) for name in ("float32", "float64", "int64", "uint8")}

Tensors = dict[str, np.ndarray]


def describe_callbacks(callbacks: list[CallbackState]) -> tuple[list[dict[str, Any]], Tensors]:
    """Return the states of callbacks as JSON values and as the tensors of a file.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A state holds other things than JSON values and arrays.
    """
    described: list[dict[str, Any]] = []
    tensors: Tensors = {}
    for number, (kind, state) in enumerate(callbacks):
        arrays = {name: v for name, v in state.items() if isinstance(v, np.ndarray)}
        values = {name: v for name, v in state.items() if name not in arrays}
        _check_state(kind, values, arrays)
        described.append(
            {
                "type": kind,
                "state": values,
                "arrays": {name: [v.dtype.name, list(v.shape)] for name, v in arrays.items()},
            }
        )
        tensors |= {_tensor_name(number, name): v.copy("C") for name, v in arrays.items()}
    return described, tensors


def _tensor_name(number: int, array: str) -> str:
    return f"callbacks/{number}/{array}"


def _check_state(name: str, values: Any, arrays: Mapping[str, np.ndarray]) -> None:
    expected = f"state_dict of {name} must hold JSON values and arrays of {', '.join(_DTYPES)}"
    try:
        plain = json.loads(compact_json(values))
    except TypeError as error:
        raise ArgumentTypeError(f"{expected}; {error}") from None
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"{expected}; {error}") from None
    if plain != values:
        raise ArgumentTypeError(f"{expected}; it has tuples, or keys that are not strings")
    for key, array in arrays.items():
        if array.dtype.name not in _DTYPES:
            raise ArgumentTypeError(f"{expected}; {key!r} has dtype {array.dtype}")


def parse(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of a file's description, its form checked; raise `ModelFileError`."""
    if "fit" not in described:
        raise ModelFileError("it holds no fit to resume: it was not written by a Checkpoint")
    with refusing():
        fit = section(described, "fit")
        return {
            "first_epoch": checks.integer("first_epoch", fit["first_epoch"], low=0),
            "stop_training": checks.boolean("stop_training", fit["stop_training"]),
            "arguments": section(fit, "arguments"),
            "callbacks": [_callback(callback) for callback in fit["callbacks"]],
        }


def _callback(described: Mapping[str, Any]) -> dict[str, Any]:
    arrays = {
        name: (_DTYPES[dtype], tuple(checks.integer("shape", size, low=0) for size in shape))
        for name, (dtype, shape) in section(described, "arrays").items()
    }
    return {"type": described["type"], "state": section(described, "state"), "arrays": arrays}


def tensors(described: Mapping[str, Any]) -> dict[str, tuple[np.dtype, tuple[int, ...]]]:
    """Return dtype and shape of each tensor of a file that belongs to its fit."""
    if "fit" not in described:
        return {}
    return {
        _tensor_name(number, name): spec
        for number, callback in enumerate(parse(described)["callbacks"])
        for name, spec in callback["arrays"].items()
    }


def state_of(fit: Mapping[str, Any], number: int, tensors: Tensors) -> dict[str, Any]:
    """Return the state of the callback of that number."""
    callback = fit["callbacks"][number]
    arrays = {name: tensors[_tensor_name(number, name)] for name in callback["arrays"]}
    return callback["state"] | arrays
