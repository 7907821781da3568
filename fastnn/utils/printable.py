"""Text from data and files, made harmless for a terminal."""

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
    """Return a text whose control characters are escaped, as ``ls`` does at a terminal.

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
    >>> from fastnn.utils.printable import printable
    >>> print(printable("Zürich" + chr(27) + "[2J"))
    Zürich\\x1b[2J
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(c if c in keep else _escaped(c) for c in text)


def escape(text: str) -> str:
    """Return a text for a page of HTML: made harmless, and its markup escaped.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> from fastnn.utils.printable import escape
    >>> print(escape("<b>" + chr(27)))
    &lt;b&gt;\\x1b
    """
    return html.escape(printable(text, keep="\n\t"))


@lru_cache(4096)
def _escaped(character: str) -> str:
    if unicodedata.category(character) in _HARMFUL and character not in _JOINERS:
        return character.encode("unicode_escape").decode("ascii")
    return character
