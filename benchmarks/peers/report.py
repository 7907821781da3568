"""The report: a table to read, and JSON with every repeat."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .cases import Case
from .peak_fraction import peak_fractions
from .results import Results
from .targets import Row

COLUMNS = ("", "threads", "target", "fastnn", "peers' time / fastnn's", "verdict")


def table(rows: Sequence[Row]) -> str:
    """Return a line for each row, columns as wide as they need."""
    lines = [COLUMNS, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([text[0], "  ".join("─" * width for width in widths), *text[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    ratios = "  ".join(
        f"{peer} {'—' if ratio is None else f'{ratio:.2f}'}" for peer, ratio in row.ratios.items()
    )
    beside = "  ".join(filter(None, (ratios, row.note)))
    return row.name, str(row.threads), row.target, row.figure, beside, row.verdict


def summary(rows: Sequence[Row], results: Results) -> str:
    """Return counts of verdicts, and the reasons of all gaps."""
    met, missed = (sum(row.met is verdict for row in rows) for verdict in (True, False))
    lines = [
        f"{met} targets met, {missed} missed, {len(rows) - met - missed} rows without a verdict"
    ]
    by_reason: dict[str, list[str]] = {}
    for gap, reason in results.missing().items():
        by_reason.setdefault(reason, []).append(gap)
    for reason, gaps in by_reason.items():
        more = f" and {len(gaps) - 1} more" if len(gaps) > 1 else ""
        lines.append(f"— {gaps[0]}{more}: {reason}")
    return "\n".join(lines)


def write_json(
    path: Path,
    rows: Sequence[Row],
    cases: Sequence[Case],
    results: Results,
    about: dict[str, Any],
) -> None:
    """Write rows, every repeat in seconds, shares of limits, and what `about` says of the run."""
    data = {
        **about,
        "rows": [{**asdict(row), "verdict": row.verdict} for row in rows],
        "times": results.as_data(),
        "shares": peak_fractions(cases, results),
    }
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def heading(about: dict[str, Any]) -> str:
    """Return machine, versions and settings."""
    machine, settings = about["machine"], about["settings"]
    versions = ", ".join(f"{p} {v}" for p, v in about["versions"].items() if p != "machine")
    return (
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load']:.1f} at the "
        f"start; {machine['system']}; Python {machine['python']}\n"
        f"{versions}\n"
        f"medians of {settings['repeats']} repeats in turn; {about['date']}"
    )
