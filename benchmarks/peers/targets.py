"""The targets, and the rows of the report that hold measured times against them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from workloads import CONVOLUTIONS, OVERHEAD, TRAINING, Convolutional, Workload, convolutions

from . import cases
from .adapters import trainers
from .results import Results

OURS = "fastnn"

# Time of a step over that of its arithmetic at the machine's peak.
STEP_TARGETS = {
    **dict(zip(TRAINING, (3.0, 1.6, 1.2, 1.2, 1.15), strict=True)),
    convolutions.CNN: 1.35,
    convolutions.COLOUR: 1.25,
}
OVERHEAD_TARGET = 2e-6  # seconds a step
# Of two threads; 0.97 on the smallest, since two measurements of the same may differ.
SPEEDUP_TARGETS = {
    **dict(zip(TRAINING, (0.97, 1.5, 1.85, 1.85, 1.85), strict=True)),
    **dict.fromkeys(
        (
            convolutions.COLOUR,
            convolutions.FCN,
            convolutions.INCEPTION,
            convolutions.LARGE_BATCH,
        ),
        1.8,
    ),
}
#: Least ratios on one thread, where more is asked for than to be ahead.
PEER_TARGETS = {
    convolutions.CNN: {
        "keras": 1.7,
        "torch": 3.0,
        "torch, channels last": 3.0,
        "torch.compile": 3.0,
    }
}

PEAK_TARGETS = {
    **{(n, n, n): 0.90 for n in (256, 512, 1024)},
    **dict.fromkeys(((2048, 2048, 2048), (64, 128, 128)), 0.88),
}
AVX2_TARGET = 0.85  # of its peak
EPILOGUE_TARGETS = dict(zip(cases.EPILOGUE_SIZES, (1.2, 1.08), strict=True))
ADAM_TARGETS = {10**4: ("torch", 3.0), 10**5: ("torch", 1.5), 10**7: (cases.LIMIT, 0.9)}
PUBLIC_ADAM_TARGETS = dict(zip(cases.PUBLIC_ADAM_SIZES, (5.0, 2.0), strict=True))
COPY_TARGET, DROPOUT_TARGET = 0.8, 15.0
ACTIVATION_TARGET = 0.4e-9  # seconds an element
BUILD_TARGET = 0.4e-3  # seconds
IMPORT_TARGET = 50e-3  # seconds more than NumPy


@dataclass(frozen=True)
class Row:
    """One line of the report.

    `ratios` are times of peers over ours, above 1 where we are faster. `met` is None where nothing
    was measured, or no target is set.
    """

    case: str
    name: str
    threads: int
    target: str
    figure: str
    met: bool | None
    ratios: dict[str, float | None] = field(default_factory=dict)
    note: str = ""

    @property
    def verdict(self) -> str:
        """Return `met` in words."""
        return {True: "met", False: "MISSED", None: "–"}[self.met]


@dataclass(frozen=True)
class Measured:
    """The results of a case on a number of threads; `ours` is the label of our own task."""

    results: Results
    case: str
    threads: int
    ours: str = OURS

    @property
    def seconds(self) -> float | None:
        """Return our own median."""
        return self.results.median(self.case, self.ours, self.threads)

    def ratio(self, label: str) -> float | None:
        """Return the time of another over ours."""
        return self.results.ratio(self.case, (label, self.threads), (self.ours, self.threads))

    def least(self, peers: Sequence[str]) -> float | None:
        """Return the smallest ratio of the peers that ran; None if there was none."""
        return min((r for r in map(self.ratio, peers) if r is not None), default=None)

    def row(
        self,
        target: str,
        figure: str,
        met: bool | None,
        peers: Sequence[str] = (),
        name: str | None = None,
    ) -> Row:
        """Return a row, or what is known of it if our own figure is missing."""
        name, note = name or self.case, ""
        if self.seconds is None:
            figure, met = "—", None
            note = self.results.reason(self.case, self.ours, self.threads)
        ratios = {peer: self.ratio(peer) for peer in peers}
        return Row(self.case, name, self.threads, target, figure, met, ratios, note)


def rows(results: Results, threads: Sequence[int], names: Sequence[str]) -> list[Row]:
    """Return all rows whose cases, given by their names, were run."""
    few = min(threads)
    found = [row for n in threads for row in _training_rows(results, n)]
    if {1, 2} <= set(threads):
        found += [_scaling_row(results, workload) for workload in SPEEDUP_TARGETS]
    for part in (_gemm_rows, _epilogue_rows, _elementwise_rows, _other_rows):
        found += part(results, few)
    return [row for row in found if row.case in names]


def _training_rows(results: Results, threads: int) -> Iterator[Row]:
    for workload in (*TRAINING, OVERHEAD, *CONVOLUTIONS):
        case = Measured(results, cases.training_name(workload), threads)
        figure, target = duration(case.seconds), "ahead of every peer"
        peers = [peer for peer in trainers(workload) if peer != OURS]
        met = _above(case.least(peers), 1)
        if threads == 1:
            for peer, least in PEER_TARGETS.get(workload, {}).items():
                target += f", ≥ {least:g} × {peer}"
                met = _all(met, _at_least(case.ratio(peer), least))
        limit = case.ratio(cases.LIMIT)  # seconds of an operation at the peak
        if workload is OVERHEAD:
            if threads == 1:
                target = f"≤ {duration(OVERHEAD_TARGET)}"
                met = _at_most(case.seconds, OVERHEAD_TARGET)
        elif limit is not None:
            times = 1 / limit / workload.flops
            figure += f" = {times:.2f} × FMA limit"
            if threads == 1 and workload in STEP_TARGETS:
                target = f"≤ {STEP_TARGETS[workload]:.2f} × FMA limit, {target}"
                met = _all(met, times <= STEP_TARGETS[workload])
        yield case.row(target, figure, met, peers)


def _scaling_row(results: Results, workload: Workload | Convolutional) -> Row:
    case = cases.training_name(workload)
    speedups = {peer: results.ratio(case, (peer, 1), (peer, 2)) for peer in trainers(workload)}
    ours = speedups.pop(OURS)
    limit = SPEEDUP_TARGETS[workload]
    others = ", ".join(f"{peer} {s:.2f} ×" for peer, s in speedups.items() if s is not None)
    return Row(
        case,
        f"two threads, {workload.name}",
        2,
        f"≥ {limit} × one",
        "—" if ours is None else f"{ours:.2f} ×",
        _at_least(ours, limit),
        note=others and f"others: {others}",
    )


def _gemm_rows(results: Results, threads: int) -> Iterator[Row]:
    for product in cases.PRODUCTS:
        case, peers = Measured(results, product.name, threads), product.peers[1:]
        share = _share_of_peak(case, product, cases.LIMIT)
        target, met = "≥ every peer", _at_least(case.least(peers), 1)
        if product.size in PEAK_TARGETS:
            least = PEAK_TARGETS[product.size]
            target, met = f"≥ {least:.0%} of FMA peak, {target}", _all(met, _at_least(share, least))
        yield case.row(target, _percent(share), met, peers)
        if product.by_avx2:
            yield _avx2_row(results, product, threads)


def _avx2_row(results: Results, product: cases.Product, threads: int) -> Row:
    case = Measured(results, product.name, threads, cases.AVX2)
    share = _share_of_peak(case, product, cases.AVX2_LIMIT)
    target, met = f"≥ {AVX2_TARGET:.0%} of FMA peak", _at_least(share, AVX2_TARGET)
    return case.row(target, _percent(share), met, name=f"{product.name}, AVX2")


def _share_of_peak(case: Measured, product: cases.Product, limit: str) -> float | None:
    seconds = case.ratio(limit)  # of an operation at the peak over our product
    return None if seconds is None else seconds * 2 * math.prod(product.size)


def _epilogue_rows(results: Results, threads: int) -> Iterator[Row]:
    for size, limit in EPILOGUE_TARGETS.items():
        case = Measured(results, cases.epilogue_name(size), threads)
        bare = case.ratio("bare gemm")
        figure = "" if bare is None else f"{1 / bare:.2f} ×"
        yield case.row(f"≤ {limit} × bare gemm", figure, _at_least(bare, 1 / limit))


def _elementwise_rows(results: Results, threads: int) -> Iterator[Row]:
    for size, (label, least) in ADAM_TARGETS.items():
        case = Measured(results, f"adam {size:,}", threads)
        yield _elementwise_row(case, {label: least}, {cases.LIMIT: "4R/3W stream"})
    for size, least in PUBLIC_ADAM_TARGETS.items():
        case = Measured(results, cases.public_adam_name(size), threads)
        met = _at_least(case.ratio("torch"), least)
        yield case.row(f"≥ {least:g} × torch", duration(_of_call(case, size)), met, ("torch",))
    for size in cases.DROPOUT_SIZES:
        limits = {"torch": DROPOUT_TARGET}
        if size == max(cases.DROPOUT_SIZES):  # beyond the caches
            limits[cases.LIMIT] = COPY_TARGET
        case = Measured(results, f"dropout {size:,}", threads)
        yield _elementwise_row(case, limits, {cases.LIMIT: "copy"})
    target = f"≤ {ACTIVATION_TARGET * 1e9} ns an element"
    for name in cases.ACTIVATIONS:
        for size in cases.ACTIVATION_SIZES:
            case = Measured(results, f"{name} {size:,}", threads)
            met = _at_most(case.seconds, ACTIVATION_TARGET)
            yield case.row(target, _per_element(case.seconds), met, ("torch",))


def _elementwise_row(case: Measured, limits: dict[str, float], names: dict[str, str]) -> Row:
    """Return a row whose targets are least ratios of speed to peers or to the machine's limit."""
    target = ", ".join(f"≥ {least:g} × {names.get(at, at)}" for at, least in limits.items())
    met = _all(*(_at_least(case.ratio(at), least) for at, least in limits.items()))
    return case.row(target, _per_element(case.seconds), met, ("torch", cases.LIMIT))


def _other_rows(results: Results, threads: int) -> Iterator[Row]:
    for workload in cases.PREDICTED:
        case = Measured(results, cases.prediction_name(workload), threads)
        yield case.row("none set", duration(case.seconds), None, ("scikit-learn", "torch", "jax"))
    case = Measured(results, "build", threads)
    met, name = _at_most(case.seconds, BUILD_TARGET), "build and first step, 8-32-32-2"
    yield case.row(f"≤ {duration(BUILD_TARGET)}", duration(case.seconds), met, name=name)
    case = Measured(results, "import", threads)
    numpy = results.median("import", "numpy", threads)
    more = None if case.seconds is None or numpy is None else case.seconds - numpy
    figure = "" if more is None else f"{duration(case.seconds)}, NumPy {duration(numpy)}"
    target, met = f"≤ NumPy + {duration(IMPORT_TARGET)}", _at_most(more, IMPORT_TARGET)
    yield case.row(target, figure, met, ("numpy",))


def _at_most(value: float | None, limit: float) -> bool | None:
    return None if value is None else value <= limit


def _at_least(value: float | None, limit: float) -> bool | None:
    return None if value is None else value >= limit


def _above(value: float | None, limit: float) -> bool | None:
    return None if value is None else value > limit


def _all(*verdicts: bool | None) -> bool | None:
    return None if None in verdicts else all(verdicts)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%} of FMA peak"


def _of_call(case: Measured, size: int) -> float | None:
    return None if case.seconds is None else size * case.seconds


def _per_element(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e9:.3f} ns an element"


def duration(seconds: float | None) -> str:
    """Return a time with three digits and the unit that suits it."""
    if seconds is None:
        return ""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if abs(seconds) * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
