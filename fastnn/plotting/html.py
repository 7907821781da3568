"""Pages of HTML: one file, light and dark, wide and narrow, without scripts or links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..utils.text import escape

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #777; --hue: #0072b2; --bad: #d55e00 }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 72rem;
  background: Canvas; color: CanvasText }
h1 { font-size: 1.5rem; line-height: 1.2; margin: .5rem 0 }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line) }
.quiet { color: var(--quiet); overflow-wrap: anywhere }
.bad { color: var(--bad) }
.plots { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)) }
.plots svg { width: 100%; height: auto; display: block }
.table { overflow-x: auto }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid
  var(--line) }
th { font-weight: 600; color: var(--quiet) }
th:first-child, td:first-child { text-align: left }
li { margin: .3rem 0 }
"""


def document(title: str, body: Iterable[str], style: str = "") -> str:
    """Return the whole file; `style` holds rules beside those that all pages share."""
    text = "\n".join(body)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{style}</style>\n</head>\n"
        f"<body>\n{text}\n</body>\n</html>\n"
    )


def section(title: str, content: str) -> str:
    """Return a section: a heading, and HTML below it."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>"


def items(kind: str, texts: Iterable[str]) -> str:
    """Return a list of the kind "ol" or "ul"."""
    lines = "\n".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<{kind}>\n{lines}\n</{kind}>"


def table(rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """Return a table of rows of text, heading first, that scrolls sideways if too wide."""
    heading, *body = rows
    lines = [row(heading, "th"), *(row(cells, "td") for cells in body)]
    return f'<div class="table"><table class="{kind}">\n' + "\n".join(lines) + "\n</table></div>"


def row(cells: Sequence[str], tag: str) -> str:
    """Return one row of a table."""
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
