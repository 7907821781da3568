"""What training reported, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class History(Mapping[str, list[float]]):
    """Loss and metrics of every epoch: a mapping from name to one value per epoch.

    Attributes
    ----------
    epoch : list of int
        Numbers of the epochs, counted from 1 over the life of the network.

    Examples
    --------
    >>> from fastnn.history import History
    >>> history = History()
    >>> history.append(1, {"loss": 0.5})
    >>> history["loss"]
    [0.5]
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self._values: dict[str, list[float]] = {}

    def append(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Add one epoch; a name that some epochs lack is NaN there."""
        for name in logs:
            self._values.setdefault(name, [math.nan] * len(self.epoch))
        self.epoch.append(epoch)
        for name, values in self._values.items():
            values.append(logs.get(name, math.nan))

    def since(self, epoch: int) -> History:
        """A history of the epochs after number `epoch` alone."""
        later = History()
        for row, number in enumerate(self.epoch):
            if number > epoch:
                later.append(number, {name: values[row] for name, values in self._values.items()})
        return later

    def to_frame(self) -> pd.DataFrame:
        """The history as a pandas DataFrame, indexed by epoch; needs pandas."""
        import pandas as pd

        return pd.DataFrame(self._values, index=pd.Index(self.epoch, name="epoch"))

    def __getitem__(self, name: str) -> list[float]:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={values[-1]:.4g}" for name, values in self._values.items())
        return f"History({len(self.epoch)} epochs{': ' + last if last else ''})"
