"""Layers: descriptions that infer shapes and lower to ops; they do no arithmetic."""

from __future__ import annotations

from . import (
    activation,
    base,
    dense,
    dropout,
    embedding,
    input_normalization,
    noise,
    normalization,
    rescaling,
    tabular,
)
from .activation import *
from .base import *
from .dense import *
from .dropout import *
from .embedding import *
from .input_normalization import *
from .noise import *
from .normalization import *
from .rescaling import *
from .tabular import *

__all__: list[str] = []
__all__ += activation.__all__
__all__ += base.__all__
__all__ += dense.__all__
__all__ += dropout.__all__
__all__ += embedding.__all__
__all__ += input_normalization.__all__
__all__ += noise.__all__
__all__ += normalization.__all__
__all__ += rescaling.__all__
__all__ += tabular.__all__
