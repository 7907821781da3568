"""Conversion of a table to arrays for ``fastnn train`` and ``fastnn search``."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .. import tables
from ..errors import ArgumentError
from ..tables import CsvTable, Preprocessing
from ..utils.counting import count
from ..utils.text import printable
from . import column_names, streams
from .options import dialect


@dataclass(frozen=True)
class Prepared:
    """Training and test rows of a table, and messages about them.

    Attributes
    ----------
    preprocessing : Preprocessing
        Fitted on the training rows.
    x_train, x_test : ndarray, shape (n, features), float32
        Test rows may be missing.
    train, test : ndarray, shape (n,)
        The target's values: text for classes, float64 for regression.
    task : str
        "classification" or "regression", with the reason.
    notices : list of str
        Decisions about columns and rows.
    warnings : list of str
        Unreadable cells, and decisions that may be unintended.
    """

    preprocessing: Preprocessing
    x_train: np.ndarray
    x_test: np.ndarray
    train: np.ndarray
    test: np.ndarray
    task: str
    notices: list[str]
    warnings: list[str]


def read(options: Namespace) -> CsvTable:
    """Read the table of the options; replace the column names in options by their full names."""
    file = tables.CsvFile.open(options.data, dialect(options))
    options.target = column_names.named(options.target, file.names)
    for role in ("drop", "numeric", "categorical"):
        setattr(options, role, column_names.resolved(getattr(options, role), file.names))
    options.na = list(file.dialect.missing)
    return file.table(text=[options.target, *options.categorical])


def prepare(table: CsvTable, options: Namespace) -> Prepared:
    """Infer the columns, split the rows, and fit the preprocessing to the training part."""
    frame = table.frame
    schema = tables.find_columns(
        frame,
        options.target,
        numeric=options.numeric,
        categorical=options.categorical,
        drop=options.drop,
        notations=table.notations,
        dialect=table.dialect,
    )
    column, reason = tables.find_target(frame, options.target, options.task, dialect=table.dialect)
    values, unreadable = tables.read_target(column, frame[options.target])
    rows, left_out = tables.usable_rows(
        column, values, many_classes=options.task == "classification"
    )
    stratified = column.kind != "number"
    train, test = split(rows, values if stratified else None, options.test_fraction, options.seed)

    encoder = tables.TableEncoder(schema.columns)
    cells = encoder.read(frame)
    encoder.learn(cells.take(train))
    target = tables.Target.learn(column, values[train])
    task = "classification" if target.classes else "regression"
    return Prepared(
        tables.Preprocessing(encoder, target, schema.dropped, table.dialect),
        encoder.encode(cells.take(train)),
        encoder.encode(cells.take(test)),
        values[train],
        values[test],
        f"{task}, because {reason}",
        [*left_out, *schema.notices, *encoder.notices],
        [
            *table.notices,
            *unreadable,
            *schema.doubts,
            *cells.findings.sentences(),
            *_constant_target(column.name, values[train]),
        ],
    )


def tell(prepared: Prepared, target: str, say: Callable[[str], object]) -> None:
    """Print the decisions; write warnings to standard error."""
    say(f"target {printable(target)}: {prepared.task}")
    for notice in prepared.notices:
        say(f"  {printable(notice)}")
    for warning in prepared.warnings:
        streams.note(f"warning: {warning}")


def _constant_target(target: str, train: np.ndarray) -> list[str]:
    """Return a warning if there is nothing to learn."""
    if len(np.unique(train)) == 1:
        return [f"target {target}: {train[0]} in all training rows, so there is nothing to learn"]
    return []


def split(
    rows: np.ndarray, labels: np.ndarray | None, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split row numbers into those of training and test rows.

    With labels, both parts hold every class, in equal shares where the numbers allow; each class
    needs at least two rows.
    """
    from sklearn.model_selection import train_test_split

    if fraction == 0:
        return rows, rows[:0]
    numbers, found = (None, [0]) if labels is None else pd.factorize(labels[rows], sort=True)
    fewest = len(found)
    held_out = min(max(round(fraction * len(rows)), fewest), len(rows) - fewest)
    if held_out < fewest:
        raise ArgumentError(
            f"{len(rows)} rows are too few to train and test on {count(fewest, 'class')}"
        )
    train, test = train_test_split(
        rows, test_size=held_out, random_state=seed % 2**32, stratify=numbers
    )
    return train, test
