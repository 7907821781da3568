"""Column names in options: lists with commas, with quotes for names that contain commas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence


def split(text: str) -> list[str]:
    """Return the parts of a list such as ``a, "size, m2"``; quotes and backslashes keep commas."""
    lines = io.StringIO(text, newline="")
    [parts] = list(csv.reader(lines, skipinitialspace=True, escapechar="\\")) or [[]]
    return [part for part in parts if part]


def joined(names: Iterable[str]) -> str:
    """Return names as a list that `split` takes apart."""
    text = io.StringIO()
    csv.writer(text, escapechar="\\", lineterminator="").writerow(names)
    return text.getvalue()


def resolved(texts: Iterable[str], known: Sequence[str]) -> list[str]:
    """Return the column names given by the values of an option.

    A value is the name of a column, or a list of names. Blanks around a name matter only if there
    are columns that differ by them. Unknown names are returned as they are.
    """
    found = []
    for text in texts:
        parts = [text] if text in known else split(text)
        found += [named(part, known) for part in parts]
    return list(dict.fromkeys(found))


def named(text: str, known: Sequence[str]) -> str:
    """Return the column that a text names, up to blanks around it; the text if there is none."""
    if text in known:
        return text
    alike = [name for name in known if name.strip() == text.strip()]
    return alike[0] if len(alike) == 1 else text.strip() or text
