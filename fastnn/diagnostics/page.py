"""A diagnosis as one HTML file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..plotting import html, style
from ..utils.text import escape
from . import tables

if TYPE_CHECKING:
    from .report import Diagnosis
    from .scores import ClassScores

_STYLE = """
.named :nth-child(2), .errors :nth-child(odd) { text-align: left }
.confusion td { text-align: center; min-width: 2.5rem;
  background: color-mix(in srgb, var(--hue) var(--share), transparent) }
.confusion th { text-align: center }
"""


def page(found: Diagnosis) -> str:
    """The whole document."""
    return html.document(f"Diagnosis: {found.verdict}", _body(found), _STYLE)


def _body(found: Diagnosis) -> Iterator[str]:
    high = ' class="bad"' if found.errors.dominant else ""
    yield f"<h1{high}>{escape(found.verdict.capitalize())}</h1>"
    yield f'<p class="quiet">{escape(found.network)}</p>'
    yield html.table(tables.error_rows(found.errors), "errors")
    yield html.section("What to do next", html.items("ol", found.actions))
    plots = "\n".join(style.svg(draw) for draw in found.panels(matrices=False))
    yield html.section("Plots", f'<div class="plots">\n{plots}\n</div>')
    if found.layers:
        flags = (
            html.items("ul", map(str, found.flags)) if found.flags else "<p>Nothing is flagged.</p>"
        )
        figures = html.table(tables.layer_rows(found.layers), "named")
        yield html.section("Layers, in one training step", flags + figures)
    if found.curve is not None and found.curve.points:
        rows = tables.curve_rows(found.curve, found.errors)
        yield html.section("Learning curve", html.table(rows))
    if found.classes is not None:
        yield html.section("Classes", html.table(tables.class_rows(found.classes)))
        yield from _confusion(found.classes)
    if found.residuals is not None:
        note = "<p>Spread: rank correlation of |residual| with the prediction.</p>"
        rows = tables.residual_rows(found.residuals)
        yield html.section("Residuals, true − predicted", html.table(rows) + note)
    if found.hardest:
        yield html.section(
            "Hardest validation rows", html.table(tables.hardest_rows(found.hardest))
        )


def _confusion(classes: ClassScores) -> Iterator[str]:
    """Cells are shaded by their share of the true class."""
    matrices = classes.confusion if classes.confusion.ndim == 3 else classes.confusion[None]
    for (title, rows), counts in zip(tables.confusion_rows(classes), matrices, strict=True):
        heading, *body = rows
        lines = [html.row(heading, "th")]
        for (label, *cells), row in zip(body, counts, strict=True):
            shares = 60 * row / max(row.sum(), 1)  # of the hue: text stays legible on all of it
            shaded = (
                f'<td style="--share: {s:.0f}%">{cell}</td>'
                for s, cell in zip(shares, cells, strict=True)
            )
            lines.append(f"<tr><th>{label}</th>{''.join(shaded)}</tr>")
        content = '<div class="table"><table class="confusion">\n' + "\n".join(lines)
        yield html.section(title, content + "\n</table></div>")
