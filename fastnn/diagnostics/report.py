"""The result of a diagnosis: as text, plots and a page of HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ..model.history import History
from ..plotting import curves, html, style
from ..utils.text import table
from . import plots, tables
from .bias_variance import BiasVariance
from .hardest import HardExample
from .layer_flags import Flag
from .learning_curve import LearningCurve
from .measurement import LayerFigures
from .scores import ClassScores, Residuals

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .callback import LayerHealth

#: Classes beyond which the printed confusion matrix would not fit a line.
PRINTED_CLASSES = 15


@dataclass(frozen=True)
class Diagnosis:
    """The findings of `fastnn.diagnose`; prints as a report.

    Attributes
    ----------
    network : str
        Its sizes, parameters and optimizer.
    errors : BiasVariance
        Training, validation and human-level error, `avoidable_bias`, `variance`.
    actions : tuple of str
        Recommended next steps, in the order in which to try them.
    layers : tuple of LayerFigures
        From the input to the output.
    flags : tuple of Flag
        Problems of layers, with the likely cause.
    curve : LearningCurve or None
        Errors over the number of training rows.
    classes : ClassScores or None
        For classification.
    residuals : Residuals or None
        For regression.
    hardest : tuple of HardExample
        Validation rows with the largest losses.
    history : History
        All epochs of the network.
    health : LayerHealth or None
        The callback that was given.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastnn import Dense, Network, diagnose
    >>> X, y = load_digits(return_X_y=True)
    >>> net = Network([Dense(32, "relu"), Dense(10)], loss="softmax_cross_entropy", seed=0)
    >>> history = net.fit(X[:1000] / 16, y[:1000], epochs=5, verbose=0)
    >>> report = diagnose(net, X[:1000] / 16, y[:1000], X[1000:] / 16, y[1000:], curve_sizes=None)
    >>> [layer.name for layer in report.layers], report.flags
    (['dense_1', 'dense_2'], ())
    """

    network: str
    errors: BiasVariance
    actions: tuple[str, ...]
    layers: tuple[LayerFigures, ...]
    flags: tuple[Flag, ...]
    curve: LearningCurve | None
    classes: ClassScores | None
    residuals: Residuals | None
    hardest: tuple[HardExample, ...]
    history: History
    health: LayerHealth | None

    @property
    def verdict(self) -> str:
        """Return "high bias", "high bias and high variance", "low bias, low variance" or so."""
        return self.errors.verdict

    def __str__(self) -> str:
        return "\n\n".join(f"{title}\n{body}" for title, body in self._sections())

    def _sections(self) -> Iterator[tuple[str, str]]:
        yield (
            f"{self.network}: {self.verdict}",
            table(tables.error_rows(self.errors), frozenset({1, 3})),
        )
        numbered = (f"{i}. {action}" for i, action in enumerate(self.actions, start=1))
        yield "What to do next", "\n".join(numbered)
        if self.layers:
            figures = table(tables.layer_rows(self.layers), frozenset(range(2, 9)))
            yield "Layers, in one training step", "\n".join([figures, *map(str, self.flags)])
        if self.curve is not None and self.curve.points:
            rows = tables.curve_rows(self.curve, self.errors)
            yield "Learning curve", table(rows, frozenset(range(4)))
        if self.classes is not None:
            yield "Classes", table(tables.class_rows(self.classes), frozenset(range(6)))
            for title, rows in tables.confusion_rows(self.classes):
                if len(rows) <= PRINTED_CLASSES + 1:
                    yield title, table(rows, frozenset(range(len(rows[0]))))
        if self.residuals is not None:
            yield "Residuals, true − predicted", tables.residual_text(self.residuals)
        if self.hardest:
            yield (
                "Hardest validation rows",
                table(tables.hardest_rows(self.hardest), frozenset(range(4))),
            )

    def panels(self, *, matrices: bool = True) -> list[Callable[[Axes], None]]:
        """Return the plots, each a function that draws into given axes."""
        found: list[Callable[[Axes], None]] = [partial(plots.error_parts, errors=self.errors)]
        if self.history.epoch:
            found.append(
                partial(curves.history, epochs=self.history.epoch, values=self.history, name="loss")
            )
        if self.curve is not None and self.curve.points:
            curve = partial(plots.learning_curve, curve=self.curve, errors=self.errors)
            found.append(curve)
        if self.layers:
            found.append(partial(plots.gradients, layers=self.layers))
            found.append(partial(plots.updates, layers=self.layers))
        if self.health is not None and self.health.records:
            for figure, title in plots.HEALTH.items():
                epochs, values = self.health.epochs, self.health.values(figure)
                found.append(partial(plots.health, epochs=epochs, values=values, title=title))
        if matrices and self.classes is not None and self.classes.confusion.ndim == 2:
            found.append(partial(plots.confusion, scores=self.classes))
        if self.residuals is not None:
            found.append(partial(plots.residuals, found=self.residuals))
        return found

    def plot(self) -> Figure:
        """Draw all plots into a new figure of pyplot's; needs matplotlib."""
        style.require_matplotlib()
        from matplotlib import pyplot

        draw = self.panels()
        rows, columns = style.grid(len(draw))
        width, height = style.PANEL
        made = pyplot.figure(figsize=(columns * width, rows * height), layout="constrained")
        style.fill(made.subplots(rows, columns, squeeze=False), draw)
        return made

    def to_png(self, path: str | PathLike[str]) -> None:
        """Write all plots to one picture; needs matplotlib."""
        draw = self.panels()
        made, axes = style.figure(*style.grid(len(draw)))
        style.fill(axes, draw)
        style.save(made, path)

    def to_html(self, path: str | PathLike[str]) -> None:
        """Write a page of HTML with everything, plots included; needs matplotlib and jinja2.

        It is one file without scripts and without links to others, light or dark as the reader's
        device is, and fits a phone.
        """
        from ..utils import atomic_write

        plots = [style.svg(draw) for draw in self.panels(matrices=False)]
        page = html.render("diagnostics/diagnosis.html", found=self, tables=tables, plots=plots)
        atomic_write.write(path, [page.encode("utf-8", "replace")])
