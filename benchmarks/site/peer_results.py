"""Results of benchmarks/peers: ratios of peers to fastnn, and shares of the machine's limits."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peers.adapters import PEERS

OURS = "fastnn"
KINDS = {"train": "training", "predict": "prediction", "gemm": "matrix products"}
OTHERS = set(PEERS) - {OURS, "machine"}  # a case may have other contestants beside
OTHER_KINDS = {"build": "start", "import": "start"}


def load(path: Path) -> dict[str, Any]:
    """Return `about` the run, `cases` and `shares`; empty if there is no such file."""
    if not path.is_file():
        return {"about": {"versions": {}}, "cases": [], "shares": []}
    data = json.loads(path.read_text(encoding="utf-8"))
    about = {name: data[name] for name in ("machine", "date", "versions", "settings")}
    return {"about": about, "cases": cases(data["times"]), "shares": shares(data["shares"])}


def cases(times: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return fastnn's time and the ratios of peers, for each case and number of threads."""
    ours = {(t["case"], t["threads"]): t for t in times if t["task"] == OURS}
    return [
        {
            "name": name,
            "kind": kind_of(name),
            "threads": threads,
            "seconds": mine["median"],
            "peers": [
                {"peer": t["task"], **_beside(t, mine)}
                for t in times
                if (t["case"], t["threads"]) == (name, threads) and t["task"] in OTHERS
            ],
        }
        for (name, threads), mine in ours.items()
        if mine["seconds"]
    ]


def shares(measured: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the quartiles of the share of a limit, for each case and number of threads."""
    return [
        {
            "name": share["case"],
            "kind": kind_of(share["case"]),
            "threads": share["threads"],
            "limit": share["limit"],
            **quartiles(share["rounds"]),
        }
        for share in measured
    ]


def kind_of(case: str) -> str:
    """Return what a reader filters by; most parts of a step are elementwise."""
    first = case.split()[0]
    return KINDS.get(first) or OTHER_KINDS.get(first) or "elementwise"


def quartiles(values: Sequence[float]) -> dict[str, float]:
    """Return the quartiles, `low`, `middle` and `high`."""
    several = values if len(values) > 1 else list(values) * 2
    found = statistics.quantiles(several, method="inclusive")
    return dict(zip(("low", "middle", "high"), found, strict=True))


def _beside(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """Return the quartiles of the ratios within rounds, or the reason why there are none."""
    if not theirs["seconds"]:
        return {"missing": theirs["missing"]}
    pairs = zip(theirs["seconds"], ours["seconds"], strict=True)
    return quartiles([their / our for their, our in pairs])
