"""The task of a target column, its values, and the rows with a usable target."""

from __future__ import annotations

import re
import shlex
from decimal import Decimal

import numpy as np
import pandas as pd

from ..errors import ArgumentError
from ..utils import checks
from .cells import (
    MISSING_NUMBERS,
    Numbers,
    are_long,
    has_leading_zeros,
    is_text,
    is_whole,
    labels,
    numbers,
)
from .columns import Column, options_of
from .deciding import check_column, notation_in
from .dialect import Dialect
from .findings import count
from .notation import FEW_UNREADABLE, PLAIN, Notation, notation_of

#: Tasks of a target; "auto" decides by its values.
TASKS = ("auto", "classification", "regression")

# Text that begins with digits, after a sign, a bracket or a currency: "(1.5)", "3k", "₹1,23,456".
_AMOUNT = re.compile(
    r"\W*(?:[A-Z]{1,3}[$€£¥₹ ]{1,2})?\d[\d.,' ]*\)?(?:\s?[^\W\d_]{1,3})?$", re.ASCII
)
_MOST_CLASSES = 20  # distinct whole numbers that are still taken as classes
_MOST_CLASSES_PER_ROW = 0.5
_HUNDREDS, _FEW_ROWS = 100, 5  # classes from which so few rows of each are a mistake


def find_target(
    frame: pd.DataFrame, name: str, task: str = "auto", dialect: Dialect | None = None
) -> tuple[Column, str]:
    """Decide between classification and regression.

    Parameters
    ----------
    frame : pandas.DataFrame
    name : str
        Name of the target column.
    task : {"auto", "classification", "regression"}
        "auto" takes numbers with fractions, and whole numbers with more than 20 distinct values,
        for regression, and everything else for classes. Few cells that are no numbers among many
        that are do not make classes of these.
    dialect : Dialect, optional
        Known notation and words for missing cells.

    Returns
    -------
    column : Column
        Its kind is "number" for regression, another one for classification.
    reason : str
        Why it is one or the other, as a clause: "its values are text".

    Raises
    ------
    ArgumentError
        `name` or `task` is unknown, or the numbers can be read in two ways.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastnn.tables import find_target
    >>> column, reason = find_target(pd.DataFrame({"price": [1.5, 2.25, 7.0]}), "price")
    >>> column.kind, reason
    ('number', 'its values are numbers with fractions')
    """
    if task not in TASKS:
        raise checks.unknown_name("task", task, TASKS)
    check_column(frame, name)
    cells = frame[name]
    dialect = dialect or Dialect()
    notation = dialect.notation if is_text(cells) else PLAIN
    read = numbers(cells, notation)
    if read.unreadable.any() and task != "classification":
        notation = _notation(name, cells, dialect) or notation
        read = numbers(cells, notation)
    of_classes, known = _classes(name, cells, read, notation)
    of_numbers = Column(name, "number", notation)
    written = f" ({notation.describe()})" if notation != PLAIN else ""
    if task != "auto":
        return (of_numbers if task == "regression" else of_classes), "you said so"
    distinct = len(known)
    if read.unreadable.any() and not _few_unreadable(read):
        return of_classes, "its values are text"
    if distinct == 2:
        return of_classes, "it has 2 distinct values"
    if not is_whole(read.values):
        return of_numbers, f"its values are numbers with fractions{written}"
    if distinct <= _MOST_CLASSES:
        return of_classes, f"it has {distinct} distinct whole numbers"
    if has_leading_zeros(known):
        return of_classes, "its values are numbers with zeros in front"
    if are_long(known):
        return of_classes, "its values are whole numbers of more than 15 digits"
    distinct = len(np.unique(read.values[~np.isnan(read.values)]))
    return of_numbers, f"it has {distinct:,} distinct numbers{written}"


def _classes(
    name: str, cells: pd.Series, read: Numbers, notation: Notation
) -> tuple[Column, set[str]]:
    """Return the column as classes, and the labels.

    Among whole numbers, "?" and the like are missing; beside a single number they may be a class.
    """
    known = set(labels(cells)) - {""}
    present = {label for label in known if not _is_missing_number(label)}
    if read.unreadable.any() or not is_whole(read.values) or len(present) < 2 <= len(known):
        return Column(name, "category"), known
    return Column(name, "code", notation), present


def _is_missing_number(label: str) -> bool:
    return label.strip().lower() in MISSING_NUMBERS


def _notation(name: str, cells: pd.Series, dialect: Dialect) -> Notation | None:
    found = notation_in(cells, dialect)
    if len(found) > 1:
        ways = " or ".join(f"{options_of(one)} ({one.describe()})" for one in found)
        raise ArgumentError(f"target {name!r}: numbers that can be read in two ways; give {ways}")
    return found[0] if found else None


def _few_unreadable(read: Numbers) -> bool:
    """Return whether values are numbers but for few, with many distinct numbers."""
    present = read.values[~np.isnan(read.values)]
    wrong = read.unreadable.sum()
    few = wrong <= FEW_UNREADABLE * (len(present) + wrong)
    return bool(few) and len(np.unique(present)) > _MOST_CLASSES


def read_target(column: Column, cells: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Read a target: numbers, or labels as they stand.

    Parameters
    ----------
    column : Column
        The column that `find_target` returned.
    cells : pandas.Series, shape (n,)

    Returns
    -------
    values : ndarray, shape (n,)
        float64 with NaN, or text with "", where there is no target that can be read.
    notices : list of str
        Numbers of cells that cannot be read, and labels that are one number.

    Raises
    ------
    ArgumentError
        More than one of ten cells of numbers are not numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastnn.tables import Column, read_target
    >>> read_target(Column("y", "code"), pd.Series(["007", "+1", ""]))
    (array(['007', '+1', ''], dtype=object), [])
    """
    if column.kind != "number":
        values = _labels(column, cells)
        return values, _same_numbers(column, set(values))
    read = column.numbers(cells)
    notices = []
    for what, where in (("no number", read.unreadable), ("infinite", read.infinite)):
        if where.any():
            row = int(np.argmax(where))
            notices.append(
                f"{column.name}: {count(int(where.sum()), 'target')} counted as missing, since "
                f"{what}, such as {str(cells.iloc[row])!r} in data row {row + 1}"
            )
    return read.values, notices


def _labels(column: Column, cells: pd.Series) -> np.ndarray:
    """Read class labels, shape (n,): as they stand, "" where missing; "?" is among numbers."""
    values = labels(cells)
    if column.kind == "code":
        missing = {label for label in set(values) if _is_missing_number(label)}
        values[np.isin(values, list(missing))] = ""
    return values


def _same_numbers(column: Column, known: set[str]) -> list[str]:
    """Return a notice of labels that are one number in several spellings, and stay classes."""
    if column.kind != "code":
        return []
    spellings: dict[Decimal, list[str]] = {}
    for label in sorted(known - {""}):
        spellings.setdefault(column.notation.exact(label), []).append(label)
    several = [" and ".join(map(repr, alike)) for alike in spellings.values() if len(alike) > 1]
    if not several:
        return []
    return [f"{column.name}: {several[0]} are one number, but different classes"]


def usable_rows(
    column: Column, values: np.ndarray, *, many_classes: bool = False
) -> tuple[np.ndarray, list[str]]:
    """Find the rows that can be learnt from, and report the others.

    Parameters
    ----------
    column : Column
    values : ndarray, shape (n,)
        The target's cells as `read_target` reads them.
    many_classes : bool
        Whether hundreds of classes with few rows each are meant as such.

    Returns
    -------
    rows : ndarray of int
        Rows with a target, and for classes with at least one other row of the same class.
    notices : list of str

    Raises
    ------
    ArgumentError
        Fewer than two rows remain, or all of one value, or there are too many classes for the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.tables import Column, usable_rows
    >>> usable_rows(Column("price", "number"), np.array([1.5, np.nan, 3.0]))
    (array([0, 2]), ['price: 1 row without a target left out'])
    """
    name = column.name
    regression = column.kind == "number"
    present = ~np.isnan(values) if regression else values != ""
    notices = []
    if not present.all():
        notices.append(f"{name}: {count(int(np.sum(~present)), 'row')} without a target left out")
    inverse, found = pd.factorize(values[present], sort=True)
    sizes = np.bincount(inverse)
    rows = np.flatnonzero(present)
    if len(rows) < 2:
        raise ArgumentError(f"target {name!r}: {count(len(rows), 'usable row')}; need at least 2")
    if len(found) == 1:
        what = "value" if regression else "class"
        raise ArgumentError(f"target {name!r} has only one {what}, {found[0]}: nothing to learn")
    if regression:
        return rows, notices
    _check_classes(name, found, len(rows), many_classes)
    lonely = sizes == 1
    if lonely.any() and np.sum(~lonely) >= 2:
        shown = ", ".join(found[lonely][:5])
        notices.append(
            f"{name}: {count(int(lonely.sum()), 'class')} with a single row left out: {shown}"
        )
        rows = rows[~lonely[inverse]]
    elif lonely.any():
        raise ArgumentError(f"target {name!r}: every class needs at least 2 rows")
    return rows, notices


def _check_classes(name: str, found: np.ndarray, n_rows: int, many_classes: bool) -> None:
    """Raise ArgumentError if the distinct values are too many to be classes."""
    if len(found) <= _MOST_CLASSES:
        return
    hopeless = len(found) > _MOST_CLASSES_PER_ROW * n_rows
    few_each = len(found) >= _HUNDREDS and n_rows < _FEW_ROWS * len(found)
    if not hopeless and (many_classes or not few_each):
        return
    parsed = PLAIN.parse([str(label) for label in found])
    words, share = found[np.isnan(parsed)], np.mean(~np.isnan(parsed))
    cause = ""
    if share > 0.5 and len(words):
        cause = (
            f"; {share:.0%} of them are numbers, others not, such as {words[0]!r}: if these mean "
            f"missing, give --na {shlex.quote(words[0])}"
        )
    elif (ways := notation_of([str(label) for label in found])) and ways != (PLAIN,):
        cause = "; they look like " + " or ".join(f"{w.describe()} ({options_of(w)})" for w in ways)
    elif share == 1:
        cause = "; if they are amounts, give --task regression"
    elif np.mean([_AMOUNT.match(str(label)) is not None for label in found]) > 0.5:
        cause = "; if they are amounts, write them as plain numbers, such as -1234.5"
    elif not hopeless:
        cause = "; if they are classes, give --task classification"
    raise ArgumentError(
        f"target {name!r} has {len(found)} distinct values in {n_rows} rows, such as {found[0]!r}: "
        f"too many to be classes{cause}"
    )
