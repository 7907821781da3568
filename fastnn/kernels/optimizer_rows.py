"""Rows of the kernel table: the steps of the optimizers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .rows import Array, Kernel, per_element

# What dp lacks of the gradient: nothing, or all that there is.
_WHOLE = {"l1": 0.0, "l2": 0.0, "scale": 1.0, "clip": math.inf}
_PARTIAL = {"l1": 0.01, "l2": 0.1, "scale": 0.5, "clip": 0.75}


def _step(name: str, flops: float, slots: Mapping[str, str], *settings: dict[str, Any]) -> Kernel:
    """A step as it is and with decay; the last settings also with a partial gradient.

    `slots` says how tests fill them; a question mark behind a name makes the slot optional.
    """
    settings = (*(row | _WHOLE for row in settings), settings[-1] | _PARTIAL)
    arrays = {"p": Array("*", "rw"), "dp": Array("*")}
    for slot, values in slots.items():
        optional = slot.endswith("?")
        arrays[slot.rstrip("?")] = Array("*", "rw", optional=optional, values=values)
    return Kernel(name, arrays, settings, per_element(flops), relative_to="array")


_NADAM = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "momentum_decay": 0.004, "eps": 1e-8}

STEPS = (
    _step(
        "sgd_step",
        4,
        {},
        {"lr": 0.1, "weight_decay": 0.0},
        {"lr": 0.01, "weight_decay": 0.1},
    ),
    _step(
        "momentum_step",
        7,
        {"v": "normal"},
        {"lr": 0.1, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0},
        {"lr": 0.01, "momentum": 0.5, "nesterov": True, "weight_decay": 0.1},
    ),
    _step(
        "adagrad_step",
        8,
        {"s": "positive"},
        {"lr": 0.1, "eps": 1e-10, "weight_decay": 0.0},
        {"lr": 0.01, "eps": 1e-3, "weight_decay": 0.1},
    ),
    _step(
        "rmsprop_step",
        16,
        {"s": "positive", "mean?": "small", "v?": "normal"},
        {"lr": 0.001, "rho": 0.9, "momentum": 0.9, "eps": 1e-8, "weight_decay": 0.0},
        {"lr": 0.01, "rho": 0.5, "momentum": 0.5, "eps": 1e-3, "weight_decay": 0.1},
    ),
    _step(
        "lion_step",
        11,
        {"m": "normal"},
        {"lr": 1e-4, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0},
        {"lr": 1e-2, "beta1": 0.5, "beta2": 0.9, "weight_decay": 0.1},
    ),
    _step(
        "adam_step",
        14,
        {"m": "normal", "v": "positive"},
        {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "t": 1, "weight_decay": 0.0},
        {"lr": 1e-2, "beta1": 0.5, "beta2": 0.9, "eps": 1e-6, "t": 10**9, "weight_decay": 0.1},
    ),
    _step(
        "amsgrad_step",
        15,
        {"m": "normal", "v": "positive", "largest": "positive"},
        {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "t": 1, "weight_decay": 0.0},
        {"lr": 1e-2, "beta1": 0.5, "beta2": 0.9, "eps": 1e-6, "t": 10**9, "weight_decay": 0.1},
    ),
    _step(
        "nadam_step",
        16,
        {"m": "normal", "v": "positive"},
        _NADAM | {"t": 1, "weight_decay": 0.0},
        _NADAM | {"t": 300, "weight_decay": 0.0},
        _NADAM | {"t": 10**9, "beta1": 0.5, "momentum_decay": 0.0, "weight_decay": 0.1},
    ),
    _step(
        "radam_step",
        14,
        {"m": "normal", "v": "positive"},
        {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "t": 5, "weight_decay": 0.0},
        {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "t": 6, "weight_decay": 0.0},
        {"lr": 1e-2, "beta1": 0.5, "beta2": 0.9, "eps": 1e-6, "t": 10**9, "weight_decay": 0.1},
    ),
)
