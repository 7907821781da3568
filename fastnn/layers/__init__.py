"""Layers: descriptions that infer shapes and lower to ops; they do no arithmetic."""

from __future__ import annotations

from .activation import Activation
from .base import Layer
from .dense import Dense, Flatten
from .dropout import AlphaDropout, Dropout
from .embedding import Embedding
from .input_normalization import Normalization
from .noise import GaussianNoise
from .normalization import BatchNorm, LayerNorm
from .rescaling import Rescaling
from .tabular import TabularInput

__all__ = [
    "Activation",
    "AlphaDropout",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianNoise",
    "Layer",
    "LayerNorm",
    "Normalization",
    "Rescaling",
    "TabularInput",
]
