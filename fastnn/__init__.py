"""fastnn trains neural networks on CPUs.

>>> from sklearn.datasets import load_digits
>>> from fastnn import Dense, Dropout, Network
>>> X, y = load_digits(return_X_y=True)
>>> layers = [Dense(64, "relu"), Dropout(0.1), Dense(10)]
>>> net = Network(layers, loss="softmax_cross_entropy", seed=0)
>>> history = net.fit(X / 16, y, epochs=20, verbose=0)
>>> history["loss"][-1] < history["loss"][0] / 10
True

Names are loaded when first used: ``import fastnn`` costs NumPy and little else. They stand in
`__init__.pyi`.
"""

from __future__ import annotations

import importlib
import os
import re

from ._version import __version__


def _homes() -> dict[str, str]:
    """Return the module of each public name, "." for modules, as the stub imports them."""
    with open(os.path.splitext(__file__)[0] + ".pyi", encoding="utf-8") as stub:
        imports = re.findall(r"^from (\.\S*) import (\([^)]*\)|.*)", stub.read(), re.MULTILINE)
    return {name: home for home, names in imports for name in re.findall(r"(\w+) as", names)}


_HOMES = _homes()

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if home := _HOMES.get(name):
        own = home == "."
        module = importlib.import_module(f".{name}" if own else home, __name__)
        value = globals()[name] = module if own else getattr(module, name)
        return value
    from .utils.foreign_names import ATTRIBUTES

    hint = f": {ATTRIBUTES[name]}" if name in ATTRIBUTES else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return sorted(__all__)
