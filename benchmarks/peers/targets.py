"""The goals, and the rows of the report that hold measured times against them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from workloads import OVERHEAD, TRAINING, Workload

from . import cases
from .adapters import TRAINERS
from .results import Results

OURS = "fastnn"
PEERS = tuple(peer for peer in TRAINERS if peer != OURS)

# Time of a step over that of its arithmetic at the machine's peak: (goal / limit, both in µs), as
# set on a machine of 214 GFLOP/s a core.
STEP_GOALS = dict(
    zip(TRAINING, (5 / 1.2, 65 / 41, 720 / 511, 3000 / 2400, 108000 / 90600), strict=True)
)
OVERHEAD_GOAL = 2e-6  # seconds a step
LARGE = TRAINING[3:]
SPEEDUP_GOAL = 1.8  # of two threads, on large networks
NEVER_SLOWER = 0.97  # of two threads, on small ones: two measurements of the same may differ

PEAK_GOALS = {(1024, 1024, 1024): 0.85, (64, 128, 128): 0.60}
EPILOGUE_GOALS = dict(zip(cases.EPILOGUE_SIZES, (1.2, 1.08), strict=True))
ADAM_GOALS = {10**4: ("torch", 3.0), 10**5: ("torch", 1.5), 10**7: (cases.LIMIT, 0.9)}
COPY_GOAL, DROPOUT_GOAL = 0.8, 10.0
ACTIVATION_GOAL = 0.4e-9  # seconds an element
BUILD_GOAL = 0.5e-3  # seconds
IMPORT_GOAL = 50e-3  # seconds more than NumPy


@dataclass(frozen=True)
class Row:
    """One line of the report.

    `ratios` are times of peers over ours, above 1 where we are faster. `met` is None where nothing
    was measured, or no goal is set.
    """

    name: str
    threads: int
    goal: str
    figure: str
    met: bool | None
    ratios: dict[str, float | None] = field(default_factory=dict)
    note: str = ""

    @property
    def verdict(self) -> str:
        return {True: "met", False: "MISSED", None: "–"}[self.met]


def rows(results: Results, threads: Sequence[int], names: Sequence[str]) -> list[Row]:
    """All rows whose cases, given by their names, were run."""
    few = min(threads)
    pairs = [
        *_training_rows(results, threads),
        *_scaling_rows(results, threads),
        *_gemm_rows(results, few),
        *_epilogue_rows(results, few),
        *_elementwise_rows(results, few),
        *_other_rows(results, few),
    ]
    return [row for case, row in pairs if case in names]


Rows = Iterator[tuple[str, Row]]


def _ratios(
    results: Results, case: str, threads: int, peers: Sequence[str]
) -> dict[str, float | None]:
    return {peer: results.ratio(case, (peer, threads), (OURS, threads)) for peer in peers}


def _row(
    results: Results, case: str, threads: int, name: str, goal: str, figure, met, peers
) -> Row:
    """A row, or what is known of it if our own figure is missing."""
    if results.median(case, OURS, threads) is None:
        reason = results.reason(case, OURS, threads)
        return Row(name, threads, goal, "—", None, dict.fromkeys(peers), reason)
    ratios = _ratios(results, case, threads, peers)
    return Row(name, threads, goal, figure, met, ratios)


def _training_rows(results: Results, threads: Sequence[int]) -> Rows:
    for n in threads:
        for workload in (*TRAINING, OVERHEAD):
            case = cases.training_name(workload)
            seconds = results.median(case, OURS, n)
            peak = results.ratio(case, (OURS, n), (cases.LIMIT, n))  # in operations of the peak
            figure = "" if seconds is None else duration(seconds)
            goal, met = "ahead of every peer", _ahead(results, case, n)
            if n == 1 and workload is OVERHEAD:
                goal = f"≤ {duration(OVERHEAD_GOAL)}"
                met = None if seconds is None else seconds <= OVERHEAD_GOAL
            elif peak is not None and workload is not OVERHEAD:
                times = peak / workload.flops
                figure += f" = {times:.2f} × FMA limit"
                if n == 1:
                    goal = f"≤ {STEP_GOALS[workload]:.2f} × FMA limit, ahead of every peer"
                    met = times <= STEP_GOALS[workload] and bool(met)
            yield case, _row(results, case, n, case, goal, figure, met, PEERS)


def _ahead(results: Results, case: str, threads: int) -> bool | None:
    """Whether every peer that ran takes longer; None if there was none."""
    measured = [r for r in _ratios(results, case, threads, PEERS).values() if r is not None]
    return min(measured) > 1 if measured else None


def _scaling_rows(results: Results, threads: Sequence[int]) -> Rows:
    if not {1, 2} <= set(threads):
        return
    for workload in TRAINING:
        case = cases.training_name(workload)
        yield case, _scaling_row(results, case, workload)


def _scaling_row(results: Results, case: str, workload: Workload) -> Row:
    speedups = {peer: results.ratio(case, (peer, 1), (peer, 2)) for peer in TRAINERS}
    ours = speedups.pop(OURS)
    limit = SPEEDUP_GOAL if workload in LARGE else NEVER_SLOWER
    others = ", ".join(f"{peer} {s:.2f} ×" for peer, s in speedups.items() if s is not None)
    return Row(
        f"two threads, {workload.name}",
        2,
        f"≥ {limit} × one",
        "—" if ours is None else f"{ours:.2f} ×",
        None if ours is None else ours >= limit,
        note=others and f"others: {others}",
    )


def _gemm_rows(results: Results, threads: int) -> Rows:
    for size in cases.GEMM_SIZES:
        case = cases.gemm_name(size)
        peers = ("numpy", "torch")
        ratios = _ratios(results, case, threads, peers)
        calls = results.ratio(case, (cases.LIMIT, threads), (OURS, threads))
        figure, goal = "", "≥ OpenBLAS and MKL"
        measured = [r for r in ratios.values() if r is not None]
        met = min(measured) >= 1 if measured else None
        if calls is not None:
            share = calls * 2 * size[0] * size[1] * size[2]
            figure = f"{share:.0%} of FMA peak"
            if size in PEAK_GOALS:
                goal = f"≥ {PEAK_GOALS[size]:.0%} of FMA peak, {goal}"
                met = bool(met) and share >= PEAK_GOALS[size]
        yield case, _row(results, case, threads, case, goal, figure, met, peers)


def _epilogue_rows(results: Results, threads: int) -> Rows:
    for size, limit in EPILOGUE_GOALS.items():
        case = cases.epilogue_name(size)
        times = results.ratio(case, (OURS, threads), ("bare gemm", threads))
        figure, met = ("", None) if times is None else (f"{times:.2f} ×", times <= limit)
        yield case, _row(results, case, threads, case, f"≤ {limit} × bare gemm", figure, met, ())


def _elementwise_rows(results: Results, threads: int) -> Rows:
    for size, (peer, limit) in ADAM_GOALS.items():
        goal = f"≥ {limit} × {'4R/3W stream' if peer == cases.LIMIT else peer}"
        yield _elementwise(results, f"adam {size:,}", threads, goal, {peer: limit})
    for size in cases.DROPOUT_SIZES:
        limits = {"torch": DROPOUT_GOAL}
        goal = f"≥ {DROPOUT_GOAL:.0f} × torch"
        if size == max(cases.DROPOUT_SIZES):  # beyond the caches
            limits[cases.LIMIT] = COPY_GOAL
            goal = f"≥ {COPY_GOAL} × copy, {goal}"
        yield _elementwise(results, f"dropout {size:,}", threads, goal, limits)
    for name in cases.ACTIVATIONS:
        for size in cases.ACTIVATION_SIZES:
            yield _activation(results, f"{name} {size:,}", threads)


def _elementwise(
    results: Results, case: str, threads: int, goal: str, limits: dict[str, float]
) -> tuple[str, Row]:
    """Goals are least ratios of speed to peers or to the machine's limit."""
    peers = ("torch", cases.LIMIT)
    ratios = _ratios(results, case, threads, peers)
    measured = [ratios[peer] for peer in limits]
    met = None
    if None not in measured:
        met = all(ratios[peer] >= limit for peer, limit in limits.items())
    figure = _per_element(results.median(case, OURS, threads))
    return case, _row(results, case, threads, case, goal, figure, met, peers)


def _activation(results: Results, case: str, threads: int) -> tuple[str, Row]:
    seconds = results.median(case, OURS, threads)
    met = None if seconds is None else seconds <= ACTIVATION_GOAL
    goal, figure = f"≤ {ACTIVATION_GOAL * 1e9} ns an element", _per_element(seconds)
    return case, _row(results, case, threads, case, goal, figure, met, ("torch",))


def _other_rows(results: Results, threads: int) -> Rows:
    for workload in cases.PREDICTED:
        case = f"predict a row, {'-'.join(map(str, workload.sizes))}"
        figure = duration(results.median(case, OURS, threads))
        peers = ("scikit-learn", "torch", "jax")
        yield case, _row(results, case, threads, case, "none set", figure, None, peers)
    seconds = results.median("build", OURS, threads)
    met = None if seconds is None else seconds <= BUILD_GOAL
    goal, name = f"≤ {duration(BUILD_GOAL)}", "build and first step, 8-32-32-2"
    yield "build", _row(results, "build", threads, name, goal, duration(seconds), met, ())
    ours, theirs = (results.median("import", who, threads) for who in (OURS, "numpy"))
    more = None if ours is None or theirs is None else ours - theirs
    figure = "" if more is None else f"{duration(ours)}, NumPy {duration(theirs)}"
    met = None if more is None else more <= IMPORT_GOAL
    goal = f"≤ NumPy + {duration(IMPORT_GOAL)}"
    yield "import", _row(results, "import", threads, "import", goal, figure, met, ("numpy",))


def _per_element(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e9:.3f} ns an element"


def duration(seconds: float | None) -> str:
    """With three digits and the unit that suits them."""
    if seconds is None:
        return ""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if abs(seconds) * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
