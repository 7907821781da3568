"""One HTML file out of its parts and of the data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import beside_peers
import over_commits

HERE = Path(__file__).parent
SCRIPTS = ("parts.js", "page.js")  # in the order of their needs


def gather(peers: Path, asv: Path) -> dict[str, Any]:
    """All that the page shows, as JSON has it; lists are empty where files are missing."""
    return {**beside_peers.load(peers), **over_commits.load(asv)}


def html(data: dict[str, Any]) -> str:
    """The page, complete in itself."""
    embedded = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    parts = {
        "style": _text("page.css"),
        "script": "\n".join(map(_text, SCRIPTS)),
        "data": embedded.replace("<", "\\u003c"),  # no text ends the element that holds it
    }
    page = _text("page.html")
    for name, text in parts.items():
        page = page.replace(f"{{{{ {name} }}}}", text)
    return page


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
