"""Layers: descriptions that infer shapes and lower to ops; they do no arithmetic."""

from __future__ import annotations

from . import (
    activation,
    base,
    branches,
    convolution,
    dense,
    depthwise,
    dropout,
    embedding,
    global_pooling,
    input_normalization,
    noise,
    normalization,
    pooling,
    rescaling,
    reshaping,
    resizing,
    spatial_dropout,
    tabular,
    transposed,
)
from .activation import *
from .base import *
from .branches import *
from .convolution import *
from .dense import *
from .depthwise import *
from .dropout import *
from .embedding import *
from .global_pooling import *
from .input_normalization import *
from .noise import *
from .normalization import *
from .pooling import *
from .rescaling import *
from .reshaping import *
from .resizing import *
from .spatial_dropout import *
from .tabular import *
from .transposed import *

__all__: list[str] = []
__all__ += activation.__all__
__all__ += base.__all__
__all__ += branches.__all__
__all__ += convolution.__all__
__all__ += dense.__all__
__all__ += depthwise.__all__
__all__ += dropout.__all__
__all__ += embedding.__all__
__all__ += global_pooling.__all__
__all__ += input_normalization.__all__
__all__ += noise.__all__
__all__ += normalization.__all__
__all__ += pooling.__all__
__all__ += rescaling.__all__
__all__ += reshaping.__all__
__all__ += resizing.__all__
__all__ += spatial_dropout.__all__
__all__ += tabular.__all__
__all__ += transposed.__all__
