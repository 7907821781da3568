"""Layers: descriptions that settle shapes and lower to ops; they do no arithmetic."""

from __future__ import annotations

from .activation import Activation
from .base import Layer
from .dense import Dense, Flatten
from .dropout import Dropout
from .normalization import BatchNorm, LayerNorm
from .rescaling import Rescaling

__all__ = [
    "Activation",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Flatten",
    "Layer",
    "LayerNorm",
    "Rescaling",
]
