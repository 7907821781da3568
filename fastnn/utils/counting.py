"""Numbers with their nouns, for messages."""

from __future__ import annotations


def count(n: int, noun: str, form: str = "") -> str:
    """Return a number, in a format such as ",", and its noun: "1 row", "2 rows", "0 classes".

    Examples
    --------
    >>> from fastnn.utils.counting import count
    >>> count(1, "entry"), count(2000, "entry", ",")
    ('1 entry', '2,000 entries')
    """
    if n != 1:
        stem, ending = noun, "s"
        if noun.endswith("y") and noun[-2] not in "aeou":
            stem, ending = noun[:-1], "ies"
        elif noun.endswith(("s", "x", "ch", "sh")):
            ending = "es"
        noun = stem + ending
    return f"{n:{form}} {noun}"
