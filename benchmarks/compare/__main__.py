"""Compare the speed of two states of fastnn, and tell a slowdown from the noise of the machine.

    python benchmarks/compare main HEAD                          # some 20 minutes
    python benchmarks/compare v1.0 HEAD --only 'adam*' --threads 2
    python benchmarks/compare ../before . --smoke                # folders, as they were built

Revisions are built in temporary folders. For each workload, processes of both take turns, several
pairs of them; a bootstrap gives the interval of the ratio of their times. Workloads are kernels,
training, prediction, the building of a network, and the import of the package. Where the interval
says that HEAD is more than 5 % slower, new pairs measure again. On one thread, time is what the
process and its children had of their processor, so that other programs lengthen nothing.
Instructions of the kernels, counted by valgrind or perf where they are installed, are a second
witness, which no noise reaches, but which knows nothing of caches.

The exit status is 1 if the interval of a ratio excludes that HEAD is at most 5 % slower, 2 if
nothing could be measured, else 0.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from compare.builds import Build, RevisionError, prepare
from compare.instructions import COUNTED, NoCountError, count
from compare.intervals import ALLOWED
from compare.pairs import Comparison, all_workloads, chosen

PAIRS, ROUNDS = 5, 40
SMOKE_PAIRS, SMOKE_ROUNDS = 3, 20


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, print the table, and return the exit status."""
    options = _options(argv)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            base, head = (
                Build(label, *prepare(name, folder), options.threads, folder)
                for label, name in (("base", options.base), ("head", options.head))
            )
        except RevisionError as error:
            print(error, file=sys.stderr)
            return 2
        names = chosen(workloads := all_workloads(head), options.only, options.smoke)
        if not names:
            print(f"No workload is called {options.only!r}", file=sys.stderr)
            return 2
        comparison = Comparison(base, head)
        pairs, rounds = (SMOKE_PAIRS, SMOKE_ROUNDS) if options.smoke else (PAIRS, options.rounds)
        comparison.measure({name: workloads[name] for name in names}, pairs, rounds)
        slower = {name: workloads[name] for name in names if comparison.slower(name)}
        comparison.measure(slower, pairs, rounds)
        counts, why_not = _instructions(base, head, names, options)
    print(_table(comparison, counts), *why_not, *_compilation(base, head), sep="\n")
    if options.json:
        _write(options, comparison, counts)
    return 1 if any(comparison.slower(name) for name in comparison.ratios) else 0


def _instructions(
    base: Build, head: Build, workloads: Sequence[str], options: argparse.Namespace
) -> tuple[dict[str, float], list[str]]:
    """Return ratios by kernel, of those among the workloads; reasons if there are none."""
    if options.no_instructions:
        return {}, []
    kernels = [name for name in head.kernel_names() if _counted(name) in workloads]
    if not kernels:
        return {}, []
    try:
        before, after = (
            count(kernels, build.variables, drawn_by=head.variables) for build in (base, head)
        )
    except NoCountError as error:
        return {}, [f"Instructions are not counted: {error}"]
    return {name: after[name] / before[name] for name in after if name in before}, []


def _counted(kernel: str) -> str:
    """Return the workload whose instructions are counted."""
    return f"{kernel}, {COUNTED[0]}"


def _compilation(base: Build, head: Build) -> list[str]:
    """Return the ratio of the times of both compilations, taken once each, if there were two."""
    if not (base.compilation and head.compilation):
        return []
    ratio = head.compilation / base.compilation
    return [f"Compilation: {head.compilation:.0f} s of a processor, {ratio:.2f} × base"]


def _table(comparison: Comparison, counts: dict[str, float]) -> str:
    """Return a line for each workload, the largest ratios first."""
    rows = sorted(comparison.intervals().items(), key=lambda item: -item[1].middle)
    lines = [f"{'head / base':<44}{'time':>7}{'99 % interval':>17}{'instructions':>14}"]
    counted = {_counted(kernel): ratio for kernel, ratio in counts.items()}
    for name, found in rows:
        instructions = counted.get(name)
        shown = "" if instructions is None else f"{instructions:.3f}"
        verdict = "SLOWER" if found.slower else "faster" if found.faster else ""
        spread = f"{found.low:.3f} – {found.high:.3f}"
        lines.append(f"{name:<44}{found.middle:>7.3f}{spread:>17}{shown:>14}  {verdict}")
    lines += [f"{name}: {reason}" for name, reason in comparison.missing.items()]
    more = [f"{name} ({ratio:.2f} ×)" for name, ratio in counts.items() if ratio > ALLOWED]
    if more:
        lines.append(f"More than 5 % more instructions: {', '.join(more)}")
    slower = sum(found.slower for _, found in rows)
    lines.append(f"{len(rows)} workloads, {slower} slower by more than 5 %")
    return "\n".join(lines)


def _write(options: argparse.Namespace, comparison: Comparison, counts: dict[str, float]) -> None:
    data = {
        "base": options.base,
        "head": options.head,
        "workloads": {
            name: {**asdict(found), "slower": found.slower, "ratios": comparison.ratios[name]}
            for name, found in comparison.intervals().items()
        },
        "missing": comparison.missing,
        "instructions": counts,
    }
    options.json.write_text(json.dumps(data, indent=1) + "\n")


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base", help="revision or built folder")
    parser.add_argument("head", help="revision or built folder")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names, as in a shell")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    parser.add_argument("--smoke", action="store_true", help="some workloads, fewer repeats")
    parser.add_argument("--no-instructions", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every ratio")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
