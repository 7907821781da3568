"""Writing of predictions as CSV, some rows at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

import numpy as np

from .target import Target

_CELLS = 1 << 18  # of a piece of text
_LINE_END = "\r\n"  # csv quotes a cell with a line break only where the line end holds it


def csv_of(target: Target, outputs: np.ndarray) -> Iterator[str]:
    """Write outputs as the lines of a CSV file, in pieces of some thousand lines.

    Probabilities have the seven digits that float32 carries; values of a regression those that
    float32 carries of a standardised value, so that a large mean takes none of them away.

    Parameters
    ----------
    target : Target
    outputs : ndarray, shape (n, units)
        Outputs of the network.

    Yields
    ------
    str
        The header; lines.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.tables import Column, Target, csv_of
    >>> target = Target(Column("pet", "category"), classes=("cat", "hen"))
    >>> print("".join(csv_of(target, np.array([[0.25, 0.75]]))), end="")
    pet,probability_cat,probability_hen
    hen,0.25,0.75
    """
    yield _quoted(target.names) + "\n"
    n_rows = max(1, _CELLS // outputs.shape[1])
    lines = _class_lines if target.classes else _value_lines
    for start in range(0, len(outputs), n_rows):
        yield "\n".join(lines(target, outputs[start : start + n_rows])) + "\n"


def _class_lines(target: Target, outputs: np.ndarray) -> Iterator[str]:
    labels = [_quoted([label]) for label in target.classes]
    line = ",".join(["%s", *["%.7g"] * len(labels)])
    best = outputs.argmax(axis=1).tolist()
    for winner, probabilities in zip(best, outputs.tolist(), strict=True):
        yield line % (labels[winner], *probabilities)


def _value_lines(target: Target, outputs: np.ndarray) -> Iterator[str]:
    digits = target.digits
    for value in target.decode(outputs).tolist():
        yield repr(round(value, digits)).removesuffix(".0")


def _quoted(cells: Iterable[str]) -> str:
    """Return cells as a line of CSV, without its end."""
    text = io.StringIO()
    csv.writer(text, lineterminator=_LINE_END).writerow(cells)
    return text.getvalue().removesuffix(_LINE_END)
