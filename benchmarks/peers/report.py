"""The report: a table to read, and JSON with every repeat."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workloads.engines import cores

from .adapters import PEERS, VARIABLES
from .cases import LIMIT, MACHINE, Case, Task
from .results import Results
from .targets import OURS, Row

COLUMNS = ("", "threads", "target", "fastnn", "peers' time / fastnn's", "verdict")
LEAST_FLOPS = 1000  # of a step; below, a fraction of the peak says nothing
KINDS = {
    "train": "training",
    "predict": "prediction",
    "gemm": "matrix products",
    "build": "start",
    "import": "start",
}
LIMITS = {"fma": "FMA peak", "stream": "4R/3W stream", "copy": "copy"}


def describe_machine() -> dict[str, object]:
    """Return processor, cores that may be used, system, Python and load."""
    return {
        "processor": _processor(),
        "cores": len(cores()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    names = (line.split(":")[1].strip() for line in text.splitlines() if "model name" in line)
    return next(names, platform.processor())


def heading(about: dict[str, Any]) -> str:
    """Return machine, versions and settings."""
    machine, settings = about["machine"], about["settings"]
    versions = ", ".join(f"{p} {v}" for p, v in about["versions"].items() if p != MACHINE)
    return (
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load']:.1f} at the "
        f"start; {machine['system']}; Python {machine['python']}\n"
        f"{versions}\n"
        f"medians of {settings['repeats']} repeats in turn; {about['date']}"
    )


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


def bits(equal: Mapping[str, bool | None], threads: Sequence[int]) -> str:
    """Return in which cases the bits are the same on so many threads each."""
    names = [name for name, verdict in equal.items() if verdict is False]
    same, numbers = sum(verdict is True for verdict in equal.values()), ", ".join(map(str, threads))
    differing = f"; they DIFFER in {', '.join(names)}" if names else ""
    return f"Bits of {same} cases are equal on {numbers} threads{differing}"


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
    path: Path, rows: Sequence[Row], cases: Sequence[Case], results: Results, about: dict[str, Any]
) -> None:
    """Write rows, every repeat in seconds, shares of limits, and what `about` says of the run."""
    data = {
        **about,
        "rows": [{**asdict(row), "verdict": row.verdict} for row in rows],
        "times": results.as_data(),
        "cases": list(_beside_peers(results.as_data())),
        "shares": list(_peak_fractions(cases, results)),
    }
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def _beside_peers(times: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield our time and the ratios of peers, for each case and number of threads."""
    others = PEERS.keys() - {OURS, MACHINE} - VARIABLES.keys()  # a case may have other tasks beside
    for ours in times:
        if ours["task"] == OURS and ours["seconds"]:
            yield {
                "name": ours["case"],
                "kind": _kind(ours["case"]),
                "threads": ours["threads"],
                "seconds": ours["median"],
                "peers": [
                    {"peer": theirs["task"], **_ratio(theirs, ours)}
                    for theirs in times
                    if theirs["task"] in others
                    and (theirs["case"], theirs["threads"]) == (ours["case"], ours["threads"])
                ],
            }


def _ratio(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """Return the quartiles of the ratios within rounds, or the reason why there are none."""
    if not theirs["seconds"]:
        return {"missing": theirs["missing"]}
    pairs = zip(theirs["seconds"], ours["seconds"], strict=True)
    return _quartiles([their / our for their, our in pairs])


def _kind(case: str) -> str:
    """Return what a reader filters by; most parts of a step are elementwise."""
    return KINDS.get(case.split()[0], "elementwise")


def _quartiles(values: Sequence[float]) -> dict[str, float]:
    several = values if len(values) > 1 else [*values, *values]
    found = statistics.quantiles(several, method="inclusive")
    return dict(zip(("low", "middle", "high"), found, strict=True))


def _peak_fractions(cases: Sequence[Case], results: Results) -> Iterator[dict[str, Any]]:
    """Yield quartiles of our speed over the machine's limit, of cases that ran beside one."""
    for case in cases:
        tasks = {(task.label, task.threads): task for task in case.tasks}
        for (label, threads), limit in tasks.items():
            ours = tasks.get((OURS, threads))
            if label == LIMIT and ours is not None:
                ratios = results.ratios(case.name, (LIMIT, threads), (OURS, threads))
                rounds = [_units(case, ours) * ratio for ratio in ratios]
                if any(rounds):
                    yield {
                        "name": case.name,
                        "kind": _kind(case.name),
                        "threads": threads,
                        "limit": LIMITS[limit.kind],
                        **_quartiles(rounds),
                    }


def _units(case: Case, ours: Task) -> float:
    """Return how many units of the limit's work are in one of ours: operations, or elements.

    Zero where the small network of the overhead has next to none.
    """
    if case.workload is not None:
        return case.workload.flops if case.workload.flops > LEAST_FLOPS else 0
    return 2 * math.prod(ours.arguments[:3]) if ours.kind == "gemm" else 1
