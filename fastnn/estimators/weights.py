"""`coefs_` and `intercepts_`: lists of views of the network's parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np

from ..data.arrays import numbers
from ..errors import ArgumentError, ArgumentTypeError


class WeightList(list[np.ndarray]):
    """List of a network's arrays, one for each layer; assignment to an entry changes the network.

    The number of arrays and their shapes are those of the network, so methods that add, remove or
    move entries raise an error. Sums with lists, slices and copies are plain lists.

    Parameters
    ----------
    name : str
        Name of the attribute, for error messages.
    arrays : iterable of ndarray
        Views of the network's parameters.
    """

    def __init__(self, name: str, arrays: Iterable[np.ndarray]):
        super().__init__(arrays)
        self._name = name

    def __setitem__(self, index: Any, values: Any) -> None:
        """Copy values into one array, or a sequence of values into those of a slice.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            Values have another shape or are not finite numbers; nothing is changed.
        """
        places = range(len(self))[index]
        if isinstance(places, range):
            self._write(places, list(values))
        else:
            self._write([places], [values])

    def replace(self, values: Any) -> None:
        """Copy a sequence of values, one for each array; raise the errors of assignment."""
        self._write(range(len(self)), list(values))

    def _write(self, places: Iterable[int], values: list[Any]) -> None:
        targets = [(i, self[i]) for i in places]
        if len(values) != len(targets):
            raise ArgumentError(
                f"{self._name} has {len(targets)} arrays to replace, got {len(values)}"
            )
        pairs = [
            (target, self._checked(i, target, value))
            for (i, target), value in zip(targets, values, strict=True)
        ]
        for target, array in pairs:
            target[...] = array

    def _checked(self, i: int, target: np.ndarray, value: Any) -> np.ndarray:
        """Return a copy in the network's dtype: values may be another view of the same memory."""
        name = f"{self._name}[{i}]"
        array = numbers(name, value)
        if array.shape != target.shape:
            raise ArgumentError(f"{name} has shape {array.shape}, expected {target.shape}")
        with np.errstate(over="ignore"):
            array = array.astype(target.dtype)
        return numbers(f"{name} in {target.dtype}", array)

    def _refuse(self, *arguments: Any, **options: Any) -> NoReturn:
        raise ArgumentTypeError(
            f"{self._name} has one array for each layer of the fitted network: assign to an entry, "
            "or set hidden_layer_sizes and fit again"
        )

    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __delitem__ = __iadd__ = __imul__ = _refuse

    def __reduce__(self) -> tuple[type[list[Any]], tuple[list[np.ndarray]]]:
        return list, (list(self),)

    def copy(self) -> list[np.ndarray]:
        """Return a plain list of the same arrays."""
        return list(self)
