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

import lazy_loader

from ._version import __version__

_load, _, _names = lazy_loader.attach_stub(__name__, __file__)

__all__ = ["__version__", *_names]


def __getattr__(name: str) -> object:
    if name in _names:
        value = globals()[name] = _load(name)
        return value
    from .utils.foreign_names import ATTRIBUTES

    hint = f": {ATTRIBUTES[name]}" if name in ATTRIBUTES else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return sorted(__all__)
