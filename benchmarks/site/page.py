"""The HTML page: its template filled with the data, and texts that the template needs."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import asv_results
import jinja2
from peers.targets import duration

HERE = Path(__file__).parent


def gather(peers: Path, asv: Path) -> dict[str, Any]:
    """Return all that the page shows, as JSON has it; lists are empty where files are missing."""
    found: dict[str, Any] = {"about": {"versions": {}}, "cases": [], "shares": []}
    if peers.is_file():
        results = json.loads(peers.read_text(encoding="utf-8"))
        about = {name: results[name] for name in ("machine", "date", "versions")}
        found = {"about": about, "cases": results["cases"], "shares": results["shares"]}
    return {**found, **asv_results.load(asv)}


def html(data: dict[str, Any]) -> str:
    """Return the page, complete in itself."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    filters = (described, digits, duration, last_change, quantity, shortened)
    environment.filters.update({function.__name__: function for function in filters})
    environment.globals.update(percent=percent, sparkline=sparkline)
    return environment.get_template("page.html.j2").render(
        **data, data=data, peers=measured_peers(data["cases"]), scales=scales(data["cases"])
    )


def measured_peers(cases: Sequence[dict[str, Any]]) -> list[str]:
    """Return those that trained, or did not for a reason, or did anything else."""
    entries = ((case["kind"], entry) for case in cases for entry in case["peers"])
    return list(
        dict.fromkeys(e["peer"] for kind, e in entries if kind == "training" or "middle" in e)
    )


def scales(cases: Sequence[dict[str, Any]]) -> dict[str, Callable[[float], float]]:
    """Return, for each kind of work, a logarithmic scale that holds 1 and all ratios.

    It maps a ratio to its part of the width.
    """

    def scale(kind: str) -> Callable[[float], float]:
        entries = [e for c in cases if c["kind"] == kind for e in c["peers"] if "middle" in e]
        low = math.log(min([0.9, *(e["low"] for e in entries)]))
        high = math.log(max([1.5, *(e["high"] for e in entries)]))
        return lambda ratio: (math.log(ratio) - low) / (high - low)

    return {kind: scale(kind) for kind in {case["kind"] for case in cases}}


def sparkline(relative: Sequence[float | None]) -> dict[str, Any]:
    """Return the points of a line over commits in a box of 300 by 56, and the place of 1."""
    known = [value for value in relative if value is not None]
    low, high = min(0.9, *known, 1), max(1.1, *known, 1)

    def x(index: int) -> float:
        return 4 + 292 * index / (len(relative) - 1) if len(relative) > 1 else 150

    def y(value: float) -> float:
        return round(52 - 48 * (value - low) / (high - low), 2)

    return {
        "points": [(round(x(i), 2), y(v)) for i, v in enumerate(relative) if v is not None],
        "base": y(1),
        "label": ", ".join(f"{value:.2f}" for value in known),
    }


def last_change(series: dict[str, Any]) -> tuple[str, str]:
    """Return the change since the commit before in words, and a verdict if it exceeds 5 %."""
    known = [value for value in series["relative"] if value is not None]
    if len(known) < 2:
        return "one commit so far", ""
    change = 100 * (known[-1] / known[-2] - 1)
    verdict = "better" if (change > 0) == series["more_is_better"] else "worse"
    sign = "+" if change > 0 else "−" if change < 0 else "±"
    text = f"{sign}{abs(change):.1f} % since the commit before"
    return text, "" if abs(change) < 5 else verdict


def percent(part: float) -> str:
    """Return a part of the width in the notation of CSS."""
    return f"{100 * part:.2f}%"


def digits(value: float) -> str:
    """Return a ratio with the digits that matter: 0.87, 1.4, 46, 312."""
    return f"{value:.{0 if value >= 10 else 2 if value < 2 else 1}f}"


def quantity(value: float, unit: str) -> str:
    """Return a number as asv measured it, in its unit."""
    if unit == "seconds":
        return duration(value)
    if unit == "bytes":
        return f"{value / 1e6:.2f} MB"
    if unit.startswith("share"):
        return f"{100 * value:.0f} % {unit[6:]}"
    return f"{value:.3g} {unit}"


def described(name: str) -> str:
    """Return a case in words: "train 8-32-32-2, 32" trains a network on batches of 32."""
    words = re.sub(r"^train (.*), (\d+)$", r"train \1, batches of \2", name)
    words = words.replace("predict a row", "predict one row").replace("gemm", "matrix product")
    words = re.sub(r"^build$", "build and first step", words)
    return words[0].upper() + words[1:]


def shortened(name: str) -> str:
    """Return "networks: FitDigits" for "networks.FitDigits.time_call"."""
    parts = name.split(".")
    return ": ".join(parts[: max(2, len(parts) - 1)])
