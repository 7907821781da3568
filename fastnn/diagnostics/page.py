"""A diagnosis as one HTML file: light and dark, wide and narrow, without scripts or links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

from . import style, tables

if TYPE_CHECKING:
    from .report import Diagnosis
    from .scores import ClassScores
    from .tables import Rows

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #777; --hue: #0072b2; --bad: #d55e00 }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 72rem;
  background: Canvas; color: CanvasText }
h1 { font-size: 1.5rem; line-height: 1.2; margin: .5rem 0 }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line) }
.network { color: var(--quiet); overflow-wrap: anywhere }
.high { color: var(--bad) }
.plots { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)) }
.plots svg { width: 100%; height: auto; display: block }
.table { overflow-x: auto }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid
  var(--line) }
th { font-weight: 600; color: var(--quiet) }
th:first-child, td:first-child, .named :nth-child(2), .errors :nth-child(odd) { text-align: left }
.confusion td { text-align: center; min-width: 2.5rem;
  background: color-mix(in srgb, var(--hue) var(--share), transparent) }
.confusion th { text-align: center }
li { margin: .3rem 0 }
"""


def page(found: Diagnosis) -> str:
    """The whole document."""
    title = f"Diagnosis: {found.verdict}"
    body = "\n".join(_body(found))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _body(found: Diagnosis) -> Iterator[str]:
    high = ' class="high"' if found.errors.dominant else ""
    yield f"<h1{high}>{escape(found.verdict.capitalize())}</h1>"
    yield f'<p class="network">{escape(found.network)}</p>'
    yield _table(tables.error_rows(found.errors), "errors")
    yield _section("What to do next", _list("ol", found.actions))
    plots = "\n".join(style.svg(draw) for draw in found.panels(matrices=False))
    yield _section("Plots", f'<div class="plots">\n{plots}\n</div>')
    if found.layers:
        flags = _list("ul", map(str, found.flags)) if found.flags else "<p>Nothing is flagged.</p>"
        figures = _table(tables.layer_rows(found.layers), "named")
        yield _section("Layers, in one training step", flags + figures)
    if found.curve is not None and found.curve.points:
        rows = tables.curve_rows(found.curve, found.errors)
        yield _section("Learning curve", _table(rows))
    if found.classes is not None:
        yield _section("Classes", _table(tables.class_rows(found.classes)))
        yield from _confusion(found.classes)
    if found.residuals is not None:
        note = "<p>Spread: rank correlation of |residual| with the prediction.</p>"
        rows = tables.residual_rows(found.residuals)
        yield _section("Residuals, true − predicted", _table(rows) + note)
    if found.hardest:
        yield _section("Hardest validation rows", _table(tables.hardest_rows(found.hardest)))


def _section(title: str, content: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>"


def _list(kind: str, items: Iterable[str]) -> str:
    lines = "\n".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<{kind}>\n{lines}\n</{kind}>"


def _table(rows: Rows, kind: str = "") -> str:
    heading, *body = rows
    lines = [_row(heading, "th"), *(_row(row, "td") for row in body)]
    return f'<div class="table"><table class="{kind}">\n' + "\n".join(lines) + "\n</table></div>"


def _row(cells: tuple[str, ...], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _confusion(classes: ClassScores) -> Iterator[str]:
    """Cells are shaded by their share of the true class."""
    matrices = classes.confusion if classes.confusion.ndim == 3 else classes.confusion[None]
    for (title, rows), counts in zip(tables.confusion_rows(classes), matrices, strict=True):
        heading, *body = rows
        lines = [_row(heading, "th")]
        for (label, *cells), row in zip(body, counts, strict=True):
            shares = 60 * row / max(row.sum(), 1)  # of the hue: text stays legible on all of it
            shaded = (
                f'<td style="--share: {s:.0f}%">{cell}</td>'
                for s, cell in zip(shares, cells, strict=True)
            )
            lines.append(f"<tr><th>{label}</th>{''.join(shaded)}</tr>")
        content = '<div class="table"><table class="confusion">\n' + "\n".join(lines)
        yield _section(title, content + "\n</table></div>")
