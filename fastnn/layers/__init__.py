"""Layers: descriptions that settle shapes and lower to ops; they do no arithmetic."""

from __future__ import annotations

from .activation import Activation
from .base import Layer
from .dense import Dense, Flatten
from .dropout import Dropout
from .rescaling import Rescaling

__all__ = ["Activation", "Dense", "Dropout", "Flatten", "Layer", "Rescaling"]
