"""From a table to arrays: what `fastnn train` does before it trains."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .. import tables
from ..errors import ArgumentError
from ..tables import Preprocessing


@dataclass(frozen=True)
class Prepared:
    """Training and test rows of a table, and what is to be said about them.

    Attributes
    ----------
    preprocessing : Preprocessing
        Fitted on the training rows.
    x_train : ndarray, shape (n, features), float32
    frame_test : DataFrame
        May have no rows.
    train, test : ndarray, shape (n,)
        The target's values: text for classes, float64 for regression.
    task : str
        "classification" or "regression", with the reason.
    notices, warnings : list of str
    """

    preprocessing: Preprocessing
    x_train: np.ndarray
    frame_test: pd.DataFrame
    train: np.ndarray
    test: np.ndarray
    task: str
    notices: list[str]
    warnings: list[str]


def prepare(frame: pd.DataFrame, options: Namespace) -> Prepared:
    """Decide what the columns are, split the rows, fit the preprocessing on the training part."""
    schema = tables.find_columns(
        frame,
        options.target,
        numeric=options.numeric,
        categorical=options.categorical,
        drop=options.drop,
    )
    column, reason = tables.find_target(frame, options.target, options.task)
    values = column.read(frame)
    rows, notices = tables.usable_rows(column, values)
    stratified = column.kind != "number"
    train, test = split(rows, values if stratified else None, options.test_fraction, options.seed)

    encoder = tables.TableEncoder(schema.columns).fit(frame.iloc[train])
    target = tables.Target.learn(column, values[train])
    task = "classification" if target.classes else "regression"
    return Prepared(
        tables.Preprocessing(encoder, target, schema.dropped),
        encoder.transform(frame.iloc[train]),
        frame.iloc[test],
        values[train],
        values[test],
        f"{task}, because {reason}",
        [*notices, *schema.notices, *encoder.notices],
        _warnings(column.name, values[train]),
    )


def _warnings(target: str, train: np.ndarray) -> list[str]:
    """Say what makes training pointless."""
    if len(np.unique(train)) == 1:
        return [f"target {target}: {train[0]} in all training rows, so there is nothing to learn"]
    return []


def split(
    rows: np.ndarray, labels: np.ndarray | None, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Training and test rows.

    With labels, both parts hold every class, in equal shares where the numbers allow; this takes
    at least two rows of each class.
    """
    from sklearn.model_selection import train_test_split

    if fraction == 0:
        return rows, rows[:0]
    fewest = 1 if labels is None else len(np.unique(labels[rows]))
    held_out = min(max(round(fraction * len(rows)), fewest), len(rows) - fewest)
    if held_out < fewest:
        raise ArgumentError(f"{len(rows)} rows are too few to train and test on {fewest} classes")
    train, test = train_test_split(
        rows,
        test_size=held_out,
        random_state=seed % 2**32,
        stratify=None if labels is None else labels[rows],
    )
    return train, test
