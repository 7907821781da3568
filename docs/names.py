"""Names in the code spans of pages become links: `Dense(64)` leads to the reference of `Dense`."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

#: A dotted name, alone or with what follows it in a call: Adam, Network.fit(…), fastnn.Adam(3e-4).
SPAN = re.compile(r"(?P<name>[A-Za-z_]\w*(\.\w+)*)(?P<call>\(.*\))?")

logger = logging.getLogger(__name__)


def is_word(span: re.Match[str]) -> bool:
    """Whether it may as well be an argument or a value, such as `loss`."""
    return not span["call"] and span["name"] == span["name"].lower() and "." not in span["name"]


def find(span: re.Match[str], objects: dict[str, Any]) -> str | None:
    """The only documented object of this name, in full, or None."""
    name = span["name"]
    if name in objects:
        return name
    found = [n for n, entry in objects.items() if n.endswith(f".{name}") and not entry.aliased]
    return found[0] if len(found) == 1 else None


def link(app: Any, doctree: nodes.document, page: str) -> None:
    """Link the names of a page that was written in Markdown; one of fastnn's must be known."""
    if app.env.doc2path(page).suffix != ".md":
        return
    objects = app.env.domains["py"].objects
    for literal in list(doctree.findall(nodes.literal)):
        span = SPAN.fullmatch(literal.astext())
        if span is None or is_word(span) or isinstance(literal.parent, nodes.reference):
            continue
        if full := find(span, objects):
            entry = objects[full]
            place = make_refnode(
                app.builder, page, entry.docname, entry.node_id, literal.deepcopy(), full
            )
            literal.replace_self(place)
        elif span["name"].startswith("fastnn."):
            logger.warning("%s is not in the reference", span["name"], location=literal)


def trim(app: Any, doctree: nodes.document) -> None:
    """Take the blank lines away that end examples for the sake of doctest."""
    for block in doctree.findall(nodes.literal_block):
        if len(block.children) == 1 and block.rawsource == block.astext():
            text = block.astext().rstrip("\n")
            block.rawsource = text
            block[0] = nodes.Text(text)
