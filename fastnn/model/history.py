"""The history: loss and metrics of every epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError
from ..utils import checks
from ..utils.counting import count

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_VALIDATION = "val_"


class History(Mapping[str, list[float]]):
    """Loss and metrics of every epoch: a mapping from name to one value per epoch.

    Attributes
    ----------
    epoch : list of int
        Numbers of the epochs, counted from 1 over the life of the network.

    Examples
    --------
    >>> from fastnn.model.history import History
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
        """Return a history of the epochs after number `epoch` alone."""
        later = History()
        for row, number in enumerate(self.epoch):
            if number > epoch:
                later.append(number, {name: values[row] for name, values in self._values.items()})
        return later

    def to_frame(self) -> pd.DataFrame:
        """Return the history as a pandas DataFrame, indexed by epoch; needs pandas."""
        import pandas as pd

        return pd.DataFrame(self._values, index=pd.Index(self.epoch, name="epoch"))

    def plot(self, metrics: str | Sequence[str] | None = None, ax: Any = None) -> list[Axes]:
        """Draw the curves, training and validation of one quantity together; needs matplotlib.

        Parameters
        ----------
        metrics : str or sequence of str, optional
            Names without ``val_``; all of them by default. Each has a panel.
        ax : matplotlib Axes or array of them, optional
            One for each panel; new ones by default.

        Returns
        -------
        list of Axes

        Raises
        ------
        ArgumentError
            There is nothing of that name (or no epoch at all), or too few or too many axes.
        MissingDependencyError
            matplotlib, of the extra ``plot``, is not installed.

        Examples
        --------
        >>> from fastnn.model.history import History
        >>> history = History()
        >>> for epoch in (1, 2, 3):
        ...     history.append(epoch, {"loss": 1 / epoch, "val_loss": 2 / epoch})
        >>> [axes] = history.plot()
        >>> axes.get_ylabel()
        'loss'
        """
        from ..plotting import curves, style

        known = {name.removeprefix(_VALIDATION): None for name in self}
        chosen = (
            [metrics] if isinstance(metrics, str) else list(known if metrics is None else metrics)
        )
        for name in chosen:
            checks.one_of("metrics", name, known)
        if not chosen:
            raise ArgumentError("the history holds no epoch to plot")
        axes = style.panels(ax, len(chosen))
        for panel, name in zip(axes, chosen, strict=True):
            curves.history(panel, self.epoch, self, name)
        return axes

    def __getitem__(self, name: str) -> list[float]:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={values[-1]:.4g}" for name, values in self._values.items())
        return f"History({count(len(self.epoch), 'epoch')}{': ' + last if last else ''})"
