"""`LayerHealth`: the callback that measures the layers at the end of epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..callbacks.base import Callback, Info, Logs
from ..errors import ArgumentError
from ..plotting import style
from ..runtime.random_streams import check_seed
from ..utils import checks
from . import plots
from .layer_flags import Flag, find_flags
from .measurement import FIGURES, LayerFigures, LayerMeter
from .samples import checked_data, data_for, sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..network import Network


class LayerHealth(Callback):
    """Measure every layer at the end of epochs: activations, gradients, updates.

    One training step on a copy of the network, on rows fixed beforehand; nothing of the training
    changes. It costs what three to five steps on as many rows cost.

    Parameters
    ----------
    X, y : array-like of numbers
        Data to measure on, such as the training data, of which `rows` rows are drawn.
    every : int
        Epochs from one measurement to the next.
    rows : int
        Number of rows, at most. A unit counts as dead if it is 0 on all of them.
    seed : int
        Seed of the sample of rows.

    Attributes
    ----------
    epochs : list of int
        Epochs of the measurements, counted over all fits; the fit of an untrained network starts a
        new list.
    records : list of tuple of LayerFigures
        The figures of each layer at each measurement.
    flags : tuple of Flag
        Problems at the last measurement.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> import fastnn
    >>> X, y = load_digits(return_X_y=True)
    >>> layers = [fastnn.Dense(32, "relu"), fastnn.Dense(10)]
    >>> net = fastnn.Network(layers, loss="softmax_cross_entropy", seed=0)
    >>> health = fastnn.LayerHealth(X / 16, y, every=2)
    >>> _ = net.fit(X / 16, y, epochs=4, callbacks=[health], verbose=0)
    >>> health.epochs, health.flags
    ([2, 4], ())
    >>> list(health.values("update_ratio"))
    ['dense_1', 'dense_2']
    """

    def __init__(self, X: Any, y: Any, *, every: int = 1, rows: int = 128, seed: int = 0):
        self._X, self._y = X, y
        self.every = checks.integer("every", every, low=1)
        self.rows = checks.integer("rows", rows, low=1)
        self.seed = check_seed(seed)
        self.epochs: list[int] = []
        self.records: list[tuple[LayerFigures, ...]] = []
        self.flags: tuple[Flag, ...] = ()
        self._meter: LayerMeter | None = None

    def check_fit(self, network: Network, info: Info) -> None:
        """Check X and y."""
        data_for(network, self._X, self._y, "LayerHealth: ")

    def on_train_begin(self, network: Network, info: Info) -> None:
        """Draw the rows."""
        if network.state.step == 0:
            self.epochs, self.records, self.flags = [], [], ()
        data = checked_data(network, self._X, self._y, "LayerHealth: ")
        self._meter = LayerMeter(network, sample(data, self.rows, self.seed))

    def on_epoch_end(self, network: Network, epoch: int, logs: Logs) -> None:
        """Measure the layers, in every `every`-th epoch."""
        if epoch % self.every == 0:
            assert self._meter is not None
            self.epochs.append(epoch)
            self.records.append(self._meter.measure())
            self.flags = find_flags(network, self.records[-1])

    def on_train_end(self, network: Network) -> None:
        """Release the memory of the measurements."""
        self._meter = None

    def state_dict(self) -> dict[str, Any]:
        """Return epochs and figures, for a checkpoint."""
        if not self.records:
            return {"epochs": []}
        figures = [[[getattr(f, n) for n in FIGURES] for f in record] for record in self.records]
        return {
            "epochs": list(self.epochs),
            "layers": [[f.name, f.kind, f.activation] for f in self.records[0]],
            "figures": np.array(figures, np.float64),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore epochs and figures from a checkpoint."""
        self.epochs = list(state.get("epochs", []))
        layers = state.get("layers", [])
        self.records = [
            tuple(
                LayerFigures(*layer, **dict(zip(FIGURES, row, strict=True)))
                for layer, row in zip(layers, figures.tolist(), strict=True)
            )
            for figures in state.get("figures", [])
        ]

    def values(self, figure: str) -> dict[str, list[float]]:
        """Return one of the figures of ``LayerFigures`` by layer, a value for each of `epochs`.

        Raises
        ------
        ArgumentError
            There is no figure of that name.
        """
        checks.one_of("figure", figure, dict.fromkeys(FIGURES))
        columns = zip(*self.records, strict=True)
        return {column[0].name: [getattr(f, figure) for f in column] for column in columns}

    def plot(self, ax: Any = None) -> list[Axes]:
        """Draw gradient and update of every layer over the epochs, in two panels.

        Raises
        ------
        ArgumentError
            Nothing has been measured yet.
        MissingDependencyError
            matplotlib, of the extra ``plot``, is not installed.
        """
        if not self.records:
            raise ArgumentError("nothing to plot: no epoch has been measured yet")
        axes = style.panels(ax, len(plots.HEALTH))
        for panel, (figure, title) in zip(axes, plots.HEALTH.items(), strict=True):
            plots.health(panel, self.epochs, self.values(figure), title)
        return axes
