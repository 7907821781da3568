"""The rows of results.json as the tables of docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

TWO_THREADS = "two threads, "
FORMS = ("x w", "dy wᵀ", "xᵀ dy")

Row = dict[str, Any]


def markdown(rows: Sequence[Row]) -> str:
    """Return all tables that have rows, in the order of the page."""
    found = [_training(rows, threads, peers) for peers in _peers(rows) for threads in (1, 2)]
    found += [_products(rows, dtype) for dtype in ("float32", "float64")]
    return "\n\n".join(filter(None, [*found, _parts(rows)]))


def _peers(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return the lists of peers that trained networks, each once."""
    return list(dict.fromkeys(tuple(r["ratios"]) for r in rows if r["name"].startswith("train ")))


def _training(rows: Sequence[Row], threads: int, peers: Sequence[str]) -> str:
    """Return a line for each network of these peers; on two threads, with what they bring."""
    chosen = [
        r
        for r in rows
        if r["name"].startswith("train ")
        and r["threads"] == threads
        and tuple(r["ratios"]) == tuple(peers)
    ]
    if not chosen:
        return ""
    speedups = {r["case"]: r["figure"] for r in rows if r["name"].startswith(TWO_THREADS)}
    beside = ["over the FMA limit", "goal"] if threads == 1 else ["over one thread"]
    lines = [["network, batch", "fastnn", *beside, *peers]]
    for row in chosen:
        time, _, limit = row["figure"].partition(" = ")
        own = [limit.removesuffix(" × FMA limit") or "–", _goal(row)]
        cells = own if threads == 1 else [speedups.get(row["case"], "–")]
        ratios = [_ratio(row["ratios"].get(peer)) for peer in peers]
        lines.append([row["name"].removeprefix("train "), time, *cells, *ratios])
    return _table(lines)


def _products(rows: Sequence[Row], dtype: str) -> str:
    """Return the share of the peak by size and form, with the fastest peer's time over ours."""
    products = [r for r in rows if r["name"].startswith("gemm ")]
    chosen = [r for r in products if ("float64" in r["name"]) == (dtype == "float64")]
    cells: dict[str, dict[str, str]] = {}
    for row in chosen:
        size, *words = row["name"].removeprefix("gemm ").split(", ")
        column = next((w for w in words if w in (*FORMS, "AVX2")), FORMS[0])
        cells.setdefault(size, {})[column] = _product(row)
    columns = [c for c in (*FORMS, "AVX2") if any(c in found for found in cells.values())]
    lines = [[f"product, {dtype}", *columns]]
    lines += [[size, *(found.get(c, "") for c in columns)] for size, found in cells.items()]
    return _table(lines) if chosen else ""


def _product(row: Row) -> str:
    ratios = {peer: ratio for peer, ratio in row["ratios"].items() if ratio is not None}
    fastest = min(ratios, key=ratios.__getitem__, default=None)
    beside = f" ({fastest} {ratios[fastest]:.2f})" if fastest else ""
    share = row["figure"].removesuffix(" of FMA peak") or "—"
    return f"{share}{beside}{_missed(row)}"


def _parts(rows: Sequence[Row]) -> str:
    others = ("train ", "gemm ", TWO_THREADS)
    chosen = [r for r in rows if not r["name"].startswith(others)]
    lines = [["part", "fastnn", "goal", "peer's time over fastnn's"]]
    for row in chosen:
        ratios = (f"{peer} {_ratio(ratio)}" for peer, ratio in row["ratios"].items())
        lines.append([row["name"], row["figure"], row["target"] + _missed(row), ", ".join(ratios)])
    return _table(lines) if chosen else ""


def _goal(row: Row) -> str:
    """Return the first part of a target; the second, to be ahead of every peer, shows."""
    return row["target"].split(" × FMA limit")[0].split(", ")[0] + _missed(row)


def _missed(row: Row) -> str:
    return " (missed)" if row["met"] is False else ""


def _ratio(ratio: float | None) -> str:
    return "—" if ratio is None else f"{ratio:.2f}"


def _table(lines: Iterable[Sequence[str]]) -> str:
    head, *rest = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([head, "|---" * (head.count(" | ") + 1) + "|", *rest])
