"""Names in the code spans of pages become links: `Dense(64)` leads to the reference of `Dense`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

#: A dotted name, alone or with what follows it in a call: Adam, Network.fit(…), fastnn.Adam(3e-4).
SPAN = re.compile(r"(?P<name>[A-Za-z_]\w*(\.\w+)*)(?P<call>\(.*\))?")

logger = logging.getLogger(__name__)


def is_word(span: re.Match[str]) -> bool:
    """Return whether it may as well be an argument or a value, such as `loss`."""
    return not span["call"] and span["name"] == span["name"].lower() and "." not in span["name"]


def is_foreign(literal: nodes.literal) -> bool:
    """Return whether it stands in the first column of a table, where names are of others."""
    cell = literal.parent
    while cell is not None and not isinstance(cell, nodes.entry):
        cell = cell.parent
    return cell is not None and cell.parent.index(cell) == 0


def find(name: str, objects: dict[str, Any]) -> str | None:
    """Return the full name of the only documented object of this name, or None."""
    if name in objects:
        return name
    found = [n for n, entry in objects.items() if n.endswith(f".{name}") and not entry.aliased]
    return found[0] if len(found) == 1 else None


def names_on(page: str, doctree: nodes.document) -> Iterator[tuple[nodes.literal, str]]:
    """Yield the code spans that may be linked, and their names; `net` is a network."""
    newcomers = page.startswith("coming_from/")
    for literal in list(doctree.findall(nodes.literal)):
        span = SPAN.fullmatch(literal.astext())
        if span is None or is_word(span) or isinstance(literal.parent, nodes.reference):
            continue
        if not newcomers:
            yield literal, span["name"]
        elif not is_foreign(literal):
            yield literal, re.sub(r"^net\.", "Network.", span["name"])


def link(app: Any, doctree: nodes.document, page: str) -> None:
    """Link the names of a page that was written in Markdown; one of fastnn's must be known."""
    if app.env.doc2path(page).suffix != ".md":
        return
    objects = app.env.domains["py"].objects
    for literal, name in names_on(page, doctree):
        if full := find(name, objects):
            home = objects[full]
            text = literal.deepcopy()
            literal.replace_self(
                make_refnode(app.builder, page, home.docname, home.node_id, text, full)
            )
        elif name.startswith("fastnn."):
            logger.warning("%s is not in the reference", name, location=literal)


def trim(app: Any, doctree: nodes.document) -> None:
    """Take the blank lines away that end examples for the sake of doctest."""
    for block in doctree.findall(nodes.literal_block):
        if len(block.children) == 1 and block.rawsource == block.astext():
            text = block.astext().rstrip("\n")
            block.rawsource = text
            block[0] = nodes.Text(text)
