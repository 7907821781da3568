"""The report of a search: one HTML file, made from the template report.html."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata, resources
from itertools import groupby
from typing import Any

from ..._version import __version__
from ...diagnostics.tables import Rows
from ...errors import MissingDependencyError
from ...plotting import html, style
from ...runtime.build_info import show_config
from ...utils import optional
from ...utils.counting import count
from ...utils.text import printable
from . import plot_grid
from .study_view import Dimension, StudyView, TrialView

#: Rows of the tables of trials and of errors.
ROWS = 20
#: Characters of a value in a table, and of an error.
VALUE, ERROR = 40, 600
#: Trial numbers that the table of errors lists for each.
NUMBERS = 8

#: Inches of a plot that has a row of its own.
_WIDE = (12.0, 3.7)

#: Colours and characters for the legend of the plots.
_SIGNS = {
    "complete": ("#0072b2", "●"),
    "pruned": ("#888888", "○"),
    "failed": ("#cc79a7", "×"),
    "best": ("#d55e00", "◆"),
    "worse": ("#888888", "△"),
}


def page(
    view: StudyView,
    *,
    seed: int,
    settings: Mapping[str, str] | None,
    interrupted: bool,
    command: str | None,
) -> str:
    """Return the report as HTML; `command`, if given, is shown instead of the call of `search`."""
    known = {"seed": str(seed)} | dict(settings or {})
    body = _template().make_module(
        {
            "headline": _headline(view),
            "summary": _summary(view, interrupted),
            "settings": known,
            "command": command,
            "call": None if settings is None else _call(known),
            "versions": versions(),
            "space": _space_rows(view),
            "failures": failure_rows([t for t in view.trials if t.state == "failed"]),
            **_best(view),
            **_plots(view),
            **_trials(view),
        }
    )
    return html.document(_headline(view), [str(body)], str(body.style))


def _template() -> Any:
    """Return the template, whose values are escaped, control characters too."""
    jinja2 = optional.module("jinja2", extra="search", need="SearchResult.report")
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: (
            value if hasattr(value, "__html__") else printable(value, keep="\n\t")
        ),
    )
    source = resources.files(__package__).joinpath("report.html").read_text(encoding="utf-8")
    return environment.from_string(source)


def _headline(view: StudyView) -> str:
    if len(view.objectives) > 1:
        return f"Search: {count(len(view.chosen), 'trial')} on the front"
    [objective] = view.objectives
    return f"Search: {objective.name} {view.chosen[0].values[0]:.5g}"


def _summary(view: StudyView, interrupted: bool) -> str:
    states = ", ".join(f"{n} {state}" for state, n in view.counts().items())
    seconds = sum(trial.seconds for trial in view.trials)
    epochs = sum(trial.epochs for trial in view.trials)
    ended = ", interrupted" if interrupted else ""
    return (
        f"{count(len(view.trials), 'trial')} ({states}){ended}; {count(epochs, 'epoch', ',')}, "
        f"{seconds:,.3g} s of trials, side by side"
    )


def _call(settings: Mapping[str, str]) -> str:
    lines = "".join(f"    {name}={text},\n" for name, text in settings.items())
    return f"fastnn.search.search(\n    build, space, X, y,\n{lines})"


def _best(view: StudyView) -> dict[str, Any]:
    """Return the front as a table; of one objective, the facts about the best trial."""
    rows = trial_rows(view, view.chosen)
    if len(view.objectives) > 1:
        return {"best": None, "front": rows}
    return {"best": {name: text for name, text in zip(*rows, strict=True) if text}}


# --- plots ----------------------------------------------------------------------------------------


def _plots(view: StudyView) -> dict[str, Any]:
    """Return rows of plots as SVG with their legend; without matplotlib, a message."""
    try:
        style.require_matplotlib()
    except MissingDependencyError as error:
        return {"no_plots": str(error)}
    legend = [(*_SIGNS[state], name) for state, name in plot_grid.names(view).items()]
    return {"no_plots": None, "legend": legend, "plots": list(_pictures(view))}


def _pictures(view: StudyView) -> Iterator[tuple[bool, list[str]]]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # readers have fonts
        for wide, group in groupby(plot_grid.panels(view), key=lambda panel: panel.wide):
            yield wide, [style.svg(panel.draw, _WIDE if wide else style.PANEL) for panel in group]


# --- tables ---------------------------------------------------------------------------------------


def _trials(view: StudyView) -> dict[str, Any]:
    """Return the best trials by the first objective, complete ones before others."""
    sign = view.objectives[0].sign
    ranked = sorted(
        view.scored, key=lambda t: (t.state != "complete", sign * t.values[0], t.number)
    )
    title = "Trials" if len(ranked) <= ROWS else f"The best {ROWS} of {len(ranked)} trials"
    return {"trials_title": title, "trials": trial_rows(view, ranked[:ROWS])}


def trial_rows(view: StudyView, trials: Sequence[TrialView]) -> Rows:
    """Return the heading and a row for each trial."""
    objectives = [objective.name for objective in view.objectives]
    names = [dimension.name for dimension in view.dimensions]
    rows: Rows = [("trial", *objectives, *names, "epochs", "seconds", "state")]
    for trial in trials:
        values = [f"{value:.5g}" for value in trial.values]
        params = [value_text(trial.params[n]) if n in trial.params else "" for n in names]
        facts = (str(trial.epochs), f"{trial.seconds:.3g}", trial.state)
        rows.append((str(trial.number), *values, *params, *facts))
    return rows


def failure_rows(failed: Sequence[TrialView]) -> Rows:
    """Return the heading and a row for each error, the most frequent first; empty without any."""
    numbers: dict[str, list[int]] = {}
    for trial in failed:
        numbers.setdefault(trial.error or "unknown", []).append(trial.number)
    ranked = sorted(numbers.items(), key=lambda item: -len(item[1]))
    rows: Rows = [("trials", "which", "error")] if ranked else []
    for error, which in ranked[:ROWS]:
        more = ", …" if len(which) > NUMBERS else ""
        listed = ", ".join(map(str, which[:NUMBERS])) + more
        rows.append((str(len(which)), listed, _cut(error, ERROR)))
    if len(ranked) > ROWS:
        rows.append(("", "", f"and {len(ranked) - ROWS} other errors"))
    return rows


def _space_rows(view: StudyView) -> Rows:
    trials = len(view.trials)
    rows: Rows = [("parameter", "values", "scale", "trials", "importance")]
    shares = view.importances.shares if view.importances else {}
    for dimension in view.dimensions:
        having = [t.params[dimension.name] for t in view.trials if dimension.name in t.params]
        share = f"{shares[dimension.name]:.0%}" if dimension.name in shares else ""
        values, scale = _values(dimension, having)
        rows.append((dimension.name, values, scale, f"{len(having)} of {trials}", share))
    return rows


def _values(dimension: Dimension, seen: Sequence[Any]) -> tuple[str, str]:
    """Return the range of a parameter and its scale, as text."""
    if dimension.choices is not None:
        shown = ", ".join(value_text(choice) for choice in dimension.choices)
        return _cut(shown, 2 * VALUE), count(len(dimension.choices), "choice")
    low, high = dimension.low, dimension.high
    if low is None or high is None:
        return f"{value_text(min(seen))} – {value_text(max(seen))} drawn", "a distribution"
    kind = "integers" if dimension.whole else "numbers"
    spread = f"{kind}, logarithmic" if dimension.log else kind
    return f"{value_text(low)} – {value_text(high)}", spread


def value_text(value: Any) -> str:
    """Return the value of a parameter as text for a table."""
    return f"{value:.5g}" if isinstance(value, float) else _cut(str(value), VALUE)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def versions() -> dict[str, str]:
    """Return the versions of the packages, and the machine."""
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
