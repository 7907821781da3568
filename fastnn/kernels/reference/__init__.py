"""The contract of every kernel, in plain NumPy.

Each function here is a kernel's specification, its test oracle and a back end one can switch to.
Its decorator is its row of `fastnn.kernels.table`. The other back ends have the same names, the
same signatures and the same results within the tolerance that the row states.

Conventions
-----------
* Outputs come first and are written in place; gradients are called ``d`` + name.
* B = batch rows, I = inputs, O = outputs, C = classes or channels; ``*`` = any shape, the same for
  all ``*``. H, W = lines and columns of an image, P = its positions, OH, OW = lines and columns of
  the output, KH, KW = those of a window, G = channels of a group.
* "real" arrays are float32 or float64, one dtype per call; matrices are row-major.
* Losses and penalties are summed in float64 and returned as a Python float.
* Random numbers are a function of (seed, offset, element): Philox4x32-10 [1]_.

References
----------
.. [1] Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011.
"""

from ..table import KERNELS
from . import (  # noqa: F401 - each enters its kernels in the table
    activation,
    adam,
    arrangement,
    convolution,
    custom,
    dense,
    dropout,
    embedding,
    folding,
    loss,
    merging,
    noise,
    normalization,
    optimizer,
    penalty,
    pooling,
    random,
)
from .activation import ACTIVATIONS

globals().update({name: row.function for name, row in KERNELS.items()})
__all__ = ["ACTIVATIONS", *KERNELS]
