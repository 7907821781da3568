"""Weights of Keras models and of PyTorch modules, for networks of the same layers.

Neither package is needed to read a file that it wrote: `keras_weights` needs h5py for that,
`torch_state_dict` nothing.
"""

from __future__ import annotations

from .from_keras import keras_weights
from .from_torch import torch_state_dict
from .report import Conversion, Converted

__all__ = ["Conversion", "Converted", "keras_weights", "torch_state_dict"]
