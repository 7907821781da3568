"""Names of columns in options: lists with commas, in which any name of a table can be written."""

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
    """Return a list of names as `split` takes it."""
    text = io.StringIO()
    csv.writer(text, escapechar="\\", lineterminator="").writerow(names)
    return text.getvalue()


def resolved(texts: Iterable[str], known: Sequence[str]) -> list[str]:
    """Return the names of columns that the texts of an option mean.

    A text is the name of a column, or a list of names. Blanks around a name matter only if there
    are columns that differ by them. Names that are unknown stay as they are.
    """
    found = []
    for text in texts:
        parts = [text] if text in known else split(text)
        found += [named(part, known) for part in parts]
    return list(dict.fromkeys(found))


def named(text: str, known: Sequence[str]) -> str:
    """Return the name of the column that a text means: itself if there is none."""
    if text in known:
        return text
    alike = [name for name in known if name.strip() == text.strip()]
    return alike[0] if len(alike) == 1 else text.strip() or text
