"""The picture: how much longer than fastnn each peer takes to train each network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .targets import PEERS, Row

# Distinguishable also for those who see few colours (after Okabe and Ito).
COLOURS = dict(zip(PEERS, ("#0072B2", "#D55E00", "#E69F00", "#009E73", "#56B4E9"), strict=True))
BAR = 0.16  # of the distance between two networks
PREFIX = "train "


def draw(path: Path, rows: Sequence[Row], title: str) -> None:
    """One panel for each number of threads, bars on a logarithmic scale; 1 is fastnn."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    trained = [row for row in rows if row.name.startswith(PREFIX)]
    threads = sorted({row.threads for row in trained})
    if not threads:
        return
    panels = [[row for row in trained if row.threads == n] for n in threads]
    height = 1.5 + 1.05 * max(map(len, panels))
    figure, axes = pyplot.subplots(
        1,
        len(threads),
        figsize=(1.5 + 5.5 * len(threads), height),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for axis, n, panel in zip(axes[0], threads, panels, strict=True):
        _panel(axis, panel)
        axis.set_title(f"{n} thread{'s' * (n > 1)}", fontsize=11)
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=colour) for colour in COLOURS.values()]
    figure.suptitle(title, fontsize=12)
    figure.legend(handles, COLOURS, loc="lower center", ncols=len(COLOURS), frameon=False)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _panel(axis, rows: Sequence[Row]) -> None:
    for place, row in enumerate(rows):
        for bar, peer in enumerate(PEERS):
            ratio = row.ratios.get(peer)
            y = place + (bar - (len(PEERS) - 1) / 2) * BAR
            if ratio is None:
                axis.text(1.02, y, "not run", va="center", fontsize=6, color=COLOURS[peer])
                continue
            axis.barh(y, ratio - 1, BAR * 0.9, left=1, color=COLOURS[peer])
            side = 1 if ratio >= 1 else -1
            axis.annotate(
                _digits(ratio),
                (ratio, y),
                (3 * side, 0),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
                fontsize=7,
            )
    axis.axvline(1, color="black", linewidth=1)
    axis.set_xscale("log")
    axis.margins(x=0.12)
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g} ×")
    axis.xaxis.set_minor_formatter(lambda value, _: "")
    axis.set_xlabel("time of a step ÷ fastnn's (right of the line: fastnn is faster)")
    axis.set_yticks(range(len(rows)), [_label(row) for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.grid(axis="x", alpha=0.3)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def _digits(ratio: float) -> str:
    decimals = 2 if ratio < 1 else 1 if ratio < 10 else 0
    return f"{ratio:.{decimals}f}"


def _label(row: Row) -> str:
    sizes, batch = row.name.removeprefix(PREFIX).split(", ")
    return f"{sizes}\nbatch {batch}"
