"""The kernels compiled by Numba on the user's machine, at the first call of each.

The formulas are those of `fastnn.kernels.reference`, whose text is compiled wherever Numba takes
it. Only kernels that need a loop of their own have a function in this folder; `derived` makes the
others.
"""

from ..table import KERNELS
from . import activation, custom, dense, dropout, embedding, loss, noise, normalization, random
from .derived import derived

_LOOPS = (activation, custom, dense, dropout, embedding, loss, noise, normalization, random)

for _name, _kernel in KERNELS.items():
    _own = (vars(_module)[_name] for _module in _LOOPS if _name in vars(_module))
    globals()[_name] = next(_own, None) or derived(_kernel)

__all__ = list(KERNELS)
