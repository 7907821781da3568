"""A search as one HTML file."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..._version import __version__
from ...diagnostics.tables import Rows
from ...errors import MissingDependencyError
from ...plotting import html, style
from ...runtime.build_info import show_config
from ...utils.printable import escape
from . import plot_grid
from .study_view import Dimension, Observation, Observed

if TYPE_CHECKING:
    from ..result import SearchResult

_STYLE = """
.wide { overflow-x: auto }
.wide svg { width: 100%; min-width: 44rem; height: auto; display: block }
.facts th, .facts td { text-align: left; white-space: normal; overflow-wrap: anywhere }
.facts th { white-space: nowrap; vertical-align: top }
.errors td:last-child, .errors th:last-child { text-align: left; white-space: pre-wrap;
  overflow-wrap: anywhere; min-width: 16rem }
.errors td { vertical-align: top }
.space :nth-child(2), .space :nth-child(3), .errors :nth-child(2) { text-align: left }
.legend { color: var(--quiet); font-size: .9rem }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); font-size: .85rem }
"""

#: Rows of the tables of trials and of errors.
ROWS = 20
#: Characters of a value in a table, and of an error.
VALUE, ERROR = 40, 600
#: Characters of a table's column of trial numbers.
NUMBERS = 8

#: Inches of a plot that has a row of its own.
_WIDE = (12.0, 3.7)

#: How the legend of the plots looks as text.
_SIGNS = {
    "complete": ("#0072b2", "●"),
    "pruned": ("#888888", "○"),
    "failed": ("#cc79a7", "×"),
    "best": ("#d55e00", "◆"),
    "worse": ("#888888", "△"),
}


def page(result: SearchResult, command: str | None) -> str:
    """The whole document."""
    observed = result.observed()
    return html.document(_headline(observed), _body(result, observed, command), _STYLE)


def _headline(observed: Observed) -> str:
    if len(observed.objectives) > 1:
        return f"Search: {len(observed.chosen)} trials on the front"
    [objective] = observed.objectives
    return f"Search: {objective.name} {observed.chosen[0].values[0]:.5g}"


def _body(result: SearchResult, observed: Observed, command: str | None) -> Iterator[str]:
    yield f"<h1>{escape(_headline(observed))}</h1>"
    yield f'<p class="quiet">{escape(_summary(result, observed))}</p>'
    yield _best(observed)
    yield html.section("Plots", _plots(observed))
    yield html.section(*_trials(observed))
    failed = [trial for trial in observed.trials if trial.state == "failed"]
    if failed:
        yield html.section("Failures", html.table(failure_rows(failed), "errors"))
    yield html.section("What was searched", html.table(_space_rows(observed), "space"))
    settings = {"seed": str(result.seed)} | (result.settings or {})
    yield html.section("Settings", _facts(settings))
    if command is not None or result.settings is not None:
        yield html.section("How to repeat it", _repeat(settings, command))
    yield html.section("Made by", _facts(versions()))


def _summary(result: SearchResult, observed: Observed) -> str:
    states = ", ".join(f"{n} {state}" for state, n in observed.counts().items())
    seconds = sum(trial.seconds for trial in observed.trials)
    epochs = sum(trial.epochs for trial in observed.trials)
    ended = ", interrupted" if result.interrupted else ""
    return (
        f"{len(observed.trials)} trials ({states}){ended}; {epochs:,} epochs, "
        f"{seconds:,.3g} s of trials, side by side"
    )


def _best(observed: Observed) -> str:
    """The front as a table; of one objective, the best trial from top to bottom."""
    rows = trial_rows(observed, observed.chosen)
    if len(observed.objectives) > 1:
        return html.section("The front", html.table(rows))
    best = {name: text for name, text in zip(*rows, strict=True) if text}
    return html.section("The best trial", _facts(best))


# --- plots ----------------------------------------------------------------------------------------


def _plots(observed: Observed) -> str:
    """As SVG; without matplotlib a line that says so."""
    try:
        style.require_matplotlib()
    except MissingDependencyError as error:
        return f"<p>{escape(str(error))}</p>"
    blocks = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # readers have fonts
        for wide, group in groupby(plot_grid.panels(observed), key=lambda panel: panel.wide):
            size = _WIDE if wide else style.PANEL
            pictures = "\n".join(style.svg(panel.draw, size) for panel in group)
            blocks.append(f'<div class="{"wide" if wide else "plots"}">\n{pictures}\n</div>')
    return "\n".join([_legend(observed), *blocks])


def _legend(observed: Observed) -> str:
    signs = []
    for state, name in plot_grid.names(observed).items():
        colour, sign = _SIGNS[state]
        signs.append(f'<span style="color: {colour}">{sign}</span> {escape(name)}')
    return f'<p class="legend">{" &emsp; ".join(signs)}</p>'


# --- tables ---------------------------------------------------------------------------------------


def _trials(observed: Observed) -> tuple[str, str]:
    """Heading and table of the best trials by the first objective, complete ones before others."""
    sign = observed.objectives[0].sign
    ranked = sorted(
        observed.judged, key=lambda t: (t.state != "complete", sign * t.values[0], t.number)
    )
    title = "Trials" if len(ranked) <= ROWS else f"The best {ROWS} of {len(ranked)} trials"
    return title, html.table(trial_rows(observed, ranked[:ROWS]))


def trial_rows(observed: Observed, trials: Sequence[Observation]) -> Rows:
    """A row for each trial, heading first."""
    objectives = [objective.name for objective in observed.objectives]
    names = [dimension.name for dimension in observed.dimensions]
    rows: Rows = [("trial", *objectives, *names, "epochs", "seconds", "state")]
    for trial in trials:
        values = [f"{value:.5g}" for value in trial.values]
        params = [value_text(trial.params[n]) if n in trial.params else "" for n in names]
        facts = (str(trial.epochs), f"{trial.seconds:.3g}", trial.state)
        rows.append((str(trial.number), *values, *params, *facts))
    return rows


def failure_rows(failed: Sequence[Observation]) -> Rows:
    """A row for each error, the most frequent first."""
    numbers: dict[str, list[int]] = {}
    for trial in failed:
        numbers.setdefault(trial.error or "unknown", []).append(trial.number)
    ranked = sorted(numbers.items(), key=lambda item: -len(item[1]))
    rows: Rows = [("trials", "which", "error")]
    for error, which in ranked[:ROWS]:
        more = ", …" if len(which) > NUMBERS else ""
        listed = ", ".join(map(str, which[:NUMBERS])) + more
        rows.append((str(len(which)), listed, _cut(error, ERROR)))
    if len(ranked) > ROWS:
        rows.append(("", "", f"and {len(ranked) - ROWS} other errors"))
    return rows


def _space_rows(observed: Observed) -> Rows:
    trials = len(observed.trials)
    rows: Rows = [("parameter", "values", "scale", "trials", "importance")]
    shares = observed.importances.shares if observed.importances else {}
    for dimension in observed.dimensions:
        having = [t.params[dimension.name] for t in observed.trials if dimension.name in t.params]
        share = f"{shares[dimension.name]:.0%}" if dimension.name in shares else ""
        values, scale = _values(dimension, having)
        rows.append((dimension.name, values, scale, f"{len(having)} of {trials}", share))
    return rows


def _values(dimension: Dimension, seen: Sequence[Any]) -> tuple[str, str]:
    """What a parameter may be, and how it is spread."""
    if dimension.choices is not None:
        shown = ", ".join(value_text(choice) for choice in dimension.choices)
        return _cut(shown, 2 * VALUE), f"{len(dimension.choices)} choices"
    low, high = dimension.low, dimension.high
    if low is None or high is None:
        return f"{value_text(min(seen))} – {value_text(max(seen))} drawn", "a distribution"
    kind = "integers" if dimension.whole else "numbers"
    spread = f"{kind}, logarithmic" if dimension.log else kind
    return f"{value_text(low)} – {value_text(high)}", spread


def value_text(value: Any) -> str:
    """A parameter's value in a table."""
    return f"{value:.5g}" if isinstance(value, float) else _cut(str(value), VALUE)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _facts(found: Mapping[str, str]) -> str:
    lines = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>'
        for name, text in found.items()
    )
    return f'<div class="table"><table class="facts">\n{lines}\n</table></div>'


def _repeat(settings: Mapping[str, str], command: str | None) -> str:
    if command is not None:
        return f"<pre>{escape(command)}</pre>"
    lines = "".join(f"    {name}={text},\n" for name, text in settings.items())
    call = f"fastnn.search.search(\n    build, space, X, y,\n{lines})"
    return (
        f"<pre>{escape(call)}</pre>"
        "<p>With the same build, space, X and y, on the same instruction set, a search in rounds "
        "that neither time nor Ctrl-C ended gives the same trials and the same bits.</p>"
    )


def versions() -> dict[str, str]:
    """Of what took part, and on what."""
    packages = ("numpy", "scikit-learn", "optuna")
    found = {name: metadata.version(name) for name in packages}
    native = show_config(mode="dict")["native"]
    return {
        "fastnn": __version__,
        "Python": platform.python_version(),
        **found,
        "instruction set": native["isa"] if native else "none: not the native back end",
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
    }
