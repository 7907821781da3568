"""Cells: a CSV file as text, and columns of a table as numbers or as text.

A CSV is read as text, so that what a column means is decided once, when a model is trained, and not
anew for each file: "1" is the same category in a file where another row of the column is blank.
"""

from __future__ import annotations

import csv
import io
import os
import re
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ArgumentError
from .opening import contents

#: Cells that mean "missing", compared without case and surrounding blanks.
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "<na>", "null"})
#: Cells that mean "missing" among numbers, though among words they may be one of the words.
MISSING_NUMBERS = MISSING | {"none", "?", "-", "."}

_DELIMITERS = ",;\t|"
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f]")  # control characters that text does not hold


def read_csv(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a CSV file, every cell as text.

    The delimiter (comma, semicolon, tab or bar) is the one that splits the header into most cells.

    Parameters
    ----------
    path : str or path-like
        UTF-8 text with a header line; may be compressed (``.gz``, ``.xz``, ``.zip``, …). A pipe,
        or "-" for standard input, is read once.

    Returns
    -------
    pandas.DataFrame
        At least one row; all columns are text, with different names.

    Raises
    ------
    ArgumentError
        The file is missing, unreadable, not CSV, has no rows, or two columns have one name.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from fastnn.tables import read_csv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "pets.csv")
    ...     _ = file.write_text("pet;legs\\ncat;4\\nhen;2\\n")
    ...     read_csv(file)["legs"].tolist()
    ['4', '2']
    """
    name = os.fsdecode(path)
    try:
        return _read(name, contents(path))
    except pd.errors.EmptyDataError:
        raise ArgumentError(f"{name}: the file is empty") from None
    except UnicodeDecodeError:
        raise ArgumentError(f"{name}: not a CSV file in UTF-8") from None
    except (pd.errors.ParserError, csv.Error) as error:
        raise ArgumentError(f"{name}: not a CSV file ({str(error).strip()})") from None


def _read(path: str, data: bytes) -> pd.DataFrame:
    text: dict[str, Any] = {"dtype": str, "keep_default_na": False, "encoding": "utf-8-sig"}
    headers = {
        sep: pd.read_csv(io.BytesIO(data), sep=sep, header=None, nrows=1, **text).iloc[0].tolist()
        for sep in _DELIMITERS
    }
    sep, header = max(headers.items(), key=lambda item: len(item[1]))
    if _BINARY.search("".join(header)):
        raise ArgumentError(f"{path}: not a CSV file (the first line holds binary data)")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ArgumentError(f"{path}: more than one column is called {twice[0]!r}; rename them")
    # Blank lines separate nothing, except in a single column, where they are missing cells.
    frame = pd.read_csv(io.BytesIO(data), sep=sep, skip_blank_lines=len(header) > 1, **text)
    if not isinstance(frame.index, pd.RangeIndex):
        raise ArgumentError(f"{path}: not a CSV table (rows have more cells than the header)")
    if frame.empty:
        raise ArgumentError(f"{path}: no rows below the header")
    return frame


def is_text(column: pd.Series) -> bool:
    """Whether a column holds anything but numbers: text, booleans, dates, categories."""
    return not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)


def numbers(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """A column as numbers.

    Infinity counts as missing.

    Returns
    -------
    values : ndarray, shape (n,), float64
        NaN where the cell is missing or not a number.
    foreign : ndarray, shape (n,), bool
        True where the cell is neither missing nor a number.
    """
    missing = column.isna()
    if is_text(column):
        column = column.astype(str).str.strip()
        missing |= column.str.lower().isin(MISSING_NUMBERS)
    parsed = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    foreign = np.isnan(parsed) & ~missing.to_numpy()
    return np.where(np.isfinite(parsed), parsed, np.nan), foreign


def words(column: pd.Series) -> np.ndarray:
    """A column as text, shape (n,), dtype object: blanks around it removed, "" where missing."""
    text = column.astype(str).str.strip()
    missing = column.isna() | text.str.lower().isin(MISSING)
    return text.mask(missing, "").to_numpy(dtype=object)


def codes(column: pd.Series) -> np.ndarray:
    """A column of whole numbers as text, "" where missing: 1, 1.0 and "1" are all "1"."""
    values, foreign = numbers(column)
    text = ["" if np.isnan(value) else f"{value:.0f}" for value in values]
    return np.where(foreign, words(column), np.array(text, dtype=object))


def is_whole(values: np.ndarray) -> bool:
    """Whether all numbers that are not missing are whole."""
    present = values[~np.isnan(values)]
    return bool(np.all(present == np.floor(present)))
