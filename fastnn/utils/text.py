"""Text for terminals and HTML: escaped, and in tables with aligned columns."""

from __future__ import annotations

import html
import unicodedata
from functools import lru_cache

# Format characters that join letters within words of several scripts, and hide or reorder nothing.
_JOINERS = "\u200c\u200d"
# Control characters, format characters (those that reorder text among them), surrogates, and
# separators of lines and paragraphs.
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: object, *, keep: str = "") -> str:
    r"""Return a text whose control characters are escaped, as ``ls`` does at a terminal.

    Cells, names of columns and files may hold characters that clear a screen, hide text, reverse
    its direction or end a line. They are written as in a Python string; all other characters stay.

    Parameters
    ----------
    text : object
        Its `str` is taken.
    keep : str
        Control characters to leave, such as the ends of lines in a text of several lines.

    Returns
    -------
    str

    Examples
    --------
    >>> from fastnn.utils.text import printable
    >>> print(printable("Zürich" + chr(27) + "[2J"))
    Zürich\x1b[2J
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(c if c in keep else _escaped(c) for c in text)


def escape(text: str) -> str:
    r"""Return a text for a page of HTML: control characters and markup escaped.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> from fastnn.utils.text import escape
    >>> print(escape("<b>" + chr(27)))
    &lt;b&gt;\x1b
    """
    return html.escape(printable(text, keep="\n\t"))


def table(rows: list[tuple[str, ...]], right: frozenset[int] = frozenset()) -> str:
    """Return rows of text in aligned columns, heading first, escaped for a terminal.

    The columns in `right` are flush right.
    """
    rows = [tuple(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(row: tuple[str, ...]) -> str:
        cells = (
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    heading, *body = map(line, rows)
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([heading, rule, *body])


@lru_cache(4096)
def _escaped(character: str) -> str:
    if unicodedata.category(character) in _HARMFUL and character not in _JOINERS:
        return character.encode("unicode_escape").decode("ascii")
    return character
