"""Results of asv: each benchmark over commits, relative to the first one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

GROUPS = {"networks": "networks", "limits": "limits", "package": "package"}
KERNELS = "kernels"
NOT_RESULTS = ("machine.json", "benchmarks.json")

Values = list[float | None]  # of all combinations of parameters


def load(folder: Path) -> dict[str, Any]:
    """Return `commits` in the order of their dates, and `series` with a value for each of them.

    Of several machines or environments, the one that measured most commits.
    """
    by_environment: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for path, result in _results(folder):
        key = path.parent.name, result["env_name"]
        by_environment.setdefault(key, {})[result["commit_hash"]] = result
    if not by_environment:
        return {"commits": [], "series": [], "measured_on": ""}
    (machine, _), found = max(by_environment.items(), key=lambda item: len(item[1]))
    results = sorted(found.values(), key=lambda result: result["date"])
    described = json.loads((folder / "benchmarks.json").read_text(encoding="utf-8"))
    columns = [_values(result) for result in results]
    names = [name for name in described if any(name in values for values in columns)]
    all_series = [
        {
            "name": name,
            "group": name.split(".")[0] if name.split(".")[0] in GROUPS else KERNELS,
            "unit": described[name].get("unit", ""),
            "more_is_better": more_is_better(described[name].get("unit", "")),
            **over_time([values.get(name, []) for values in columns]),
        }
        for name in names
    ]
    return {
        "commits": [{"hash": r["commit_hash"][:8], "date": r["date"]} for r in results],
        "series": [series for series in all_series if series["last"] is not None],
        "measured_on": machine,
    }


def over_time(values: Sequence[Values]) -> dict[str, Any]:
    """Return geometric means over parameters, relative to the first commit that has them.

    Parameters
    ----------
    values : sequence of list
        For each commit, the value of each combination of parameters, or None.

    Returns
    -------
    dict
        `relative`, for each commit; `last`, the geometric mean of the last values as measured; and
        `parameters`, the number of combinations.
    """
    width = max(map(len, values), default=0)
    first = [next((v[k] for v in values if len(v) > k and v[k]), None) for k in range(width)]
    relative = [
        _mean([math.log(a / b) for a, b in zip(v, first, strict=False) if a and b]) for v in values
    ]
    last = [_mean([math.log(a) for a in v if a]) for v in values]
    return {
        "relative": relative,
        "last": next((value for value in reversed(last) if value is not None), None),
        "parameters": width,
    }


def more_is_better(unit: str) -> bool:
    """Return whether the unit is a share of a limit or a rate; all else is a cost."""
    return unit.startswith("share") or unit.endswith("/s")


def _mean(logarithms: list[float]) -> float | None:
    """Return the geometric mean, with four digits."""
    if not logarithms:
        return None
    return float(f"{math.exp(math.fsum(logarithms) / len(logarithms)):.4g}")


def _results(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(folder.glob("*/*.json")):
        if path.name not in NOT_RESULTS:
            yield path, json.loads(path.read_text(encoding="utf-8"))


def _values(result: dict[str, Any]) -> dict[str, Values]:
    """Return the values by benchmark; NaN, which asv writes for what failed, is None too."""
    place = result["result_columns"].index("result")
    return {
        name: [None if v is None or math.isnan(v) or v <= 0 else v for v in row[place] or []]
        for name, row in result["results"].items()
    }
