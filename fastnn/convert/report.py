"""The report of a conversion: which array came from where."""

from __future__ import annotations

from dataclasses import dataclass

from ..utils import text


@dataclass(frozen=True)
class Converted:
    """One array that was converted.

    Attributes
    ----------
    array : str
        Name of the network's array, such as "conv2d_1/weights", as in its model file.
    shape : tuple of int
    source : str
        Layer that it came from.
    source_array : str
        Name of the array in the other library, such as "kernel".
    source_shape : tuple of int

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(3)], loss="huber").build(2)
    >>> state = {"fc.weight": np.ones((3, 2)), "fc.bias": np.zeros(3)}
    >>> one = fastnn.convert.torch_state_dict(state, net).arrays[0]
    >>> one.array, one.shape, one.origin, one.source_shape
    ('dense_1/weights', (2, 3), 'fc.weight', (3, 2))
    """

    array: str
    shape: tuple[int, ...]
    source: str
    source_array: str
    source_shape: tuple[int, ...]

    @property
    def origin(self) -> str:
        """The layer that it came from, and its name there: "features.0.weight"."""
        return f"{self.source}.{self.source_array}".removeprefix(".")


@dataclass(frozen=True)
class Conversion:
    """The report of a conversion; printed, it is a table.

    Attributes
    ----------
    arrays : tuple of Converted
        In the order of the network's layers.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(3)], loss="huber").build(2)
    >>> state = {"fc.weight": np.ones((3, 2)), "fc.bias": np.zeros(3)}
    >>> print(fastnn.convert.torch_state_dict(state, net))
    array            shape   from       shape
    ──────────────────────────────────────────
    dense_1/weights  (2, 3)  fc.weight  (3, 2)
    dense_1/bias     (3,)    fc.bias    (3,)
    """

    arrays: tuple[Converted, ...]

    def __str__(self) -> str:
        rows = [
            (one.array, str(one.shape), one.origin, str(one.source_shape)) for one in self.arrays
        ]
        return text.table([("array", "shape", "from", "shape"), *rows])
