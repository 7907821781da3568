"""Pages of HTML from templates: one file, light and dark, wide and narrow, no scripts or links.

Templates are files beside the modules that render them; `page.html` is the frame of all pages, and
`macros.html` has their parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..utils import optional
from ..utils.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: Any) -> str:
    """Return the page of a template, with values escaped and made harmless.

    Parameters
    ----------
    template : str
        Path of the file in the package, such as "plotting/page.html".
    **values
        Variables of the template.

    Raises
    ------
    MissingDependencyError
        jinja2, of the extra ``plot``, is not installed.
    """
    return _environment().get_template(template).render(values)


def document(title: str, body: Iterable[str], style: str = "") -> str:
    """Return a page with blocks of HTML and rules of style beside those of all pages."""
    values = {"title": title, "style": _markup(style), "body": _markup("\n".join(body))}
    return render("plotting/page.html", **values)


def section(title: str, content: str) -> str:
    """Return a heading with HTML below it."""
    return str(_macros().section(title, caller=lambda: _markup(content)))


def table(rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """Return a table of text, the heading first, that scrolls sideways where it is too wide."""
    return str(_macros().table(rows, kind))


@cache
def _environment() -> Environment:
    jinja2 = optional.module("jinja2", extra="plot", need="a page of HTML")
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1]),
        autoescape=True,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _macros() -> Any:
    return _environment().get_template("plotting/macros.html").module


def _harmless(value: Any) -> Any:
    """Escape control characters of a value, unless it is HTML already."""
    return value if hasattr(value, "__html__") else printable(value, keep="\n\t")


def _markup(text: str) -> str:
    from jinja2.utils import markupsafe  # jinja2 depends on it

    return markupsafe.Markup(text)
