"""Times two states of fastnn in turn, and tells a slowdown from the noise of the machine.

    python benchmarks/compare.py main HEAD
    python benchmarks/compare.py v1.0 HEAD --only 'adam*' --threads 2
    python benchmarks/compare.py ../before . --smoke    # folders, as they were built

Both are built in temporary folders. For each workload, processes of both take turns, several pairs
of them; a bootstrap gives the interval of the ratio of their times. Where it says that HEAD is more
than 5 % slower, new pairs measure again. On one thread, time is what the process had of its
processor, so that other programs lengthen nothing. Instructions of the kernels, counted by valgrind
where it is installed, are a second witness, which no noise reaches, but which knows nothing of
caches.

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

from instructions import COUNTED, NoCountError, count
from intervals import ALLOWED
from pairs import Comparison, Side, all_works, chosen
from revisions import RevisionError, prepare

PAIRS, ROUNDS = 5, 40
SMOKE_PAIRS, SMOKE_ROUNDS = 3, 20


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    with tempfile.TemporaryDirectory() as folder:
        try:
            base, head = (
                Side(label, prepare(name, Path(folder)), options.threads, Path(folder))
                for label, name in (("base", options.base), ("head", options.head))
            )
        except RevisionError as error:
            print(error, file=sys.stderr)
            return 2
        works = all_works(head)
        names = chosen(works, options.only, options.smoke)
        if not names:
            print(f"No workload is called {options.only!r}", file=sys.stderr)
            return 2
        comparison = Comparison(base, head)
        pairs, rounds = (SMOKE_PAIRS, SMOKE_ROUNDS) if options.smoke else (PAIRS, options.rounds)
        comparison.measure({name: works[name] for name in names}, pairs, rounds)
        slower = {name: works[name] for name in names if comparison.slower(name)}
        comparison.measure(slower, pairs, rounds)
        counts, why_not = _instructions(base, head, names, options)
    print(_table(comparison, counts), *why_not, sep="\n")
    if options.json:
        _write(options, comparison, counts)
    return 1 if any(comparison.slower(work) for work in comparison.ratios) else 0


def _instructions(
    base: Side, head: Side, works: Sequence[str], options: argparse.Namespace
) -> tuple[dict[str, float], list[str]]:
    """Ratios by kernel, of those among the works; reasons if there are none."""
    kernels = [name for name in head.kernel_names() if _counted(name) in works]
    if options.no_instructions or not kernels:
        return {}, []
    try:
        before, after = (count(kernels, side.variables) for side in (base, head))
    except NoCountError as error:
        return {}, [f"Instructions are not counted: {error}"]
    return {name: after[name] / before[name] for name in after if name in before}, []


def _counted(kernel: str) -> str:
    """The work whose instructions are counted."""
    return f"{kernel}, {COUNTED[0]}"


def _table(comparison: Comparison, counts: dict[str, float]) -> str:
    """The largest ratios first."""
    rows = sorted(comparison.intervals().items(), key=lambda item: -item[1].middle)
    lines = [f"{'head / base':<44}{'time':>7}{'99 % interval':>17}{'instructions':>14}"]
    counted = {_counted(kernel): ratio for kernel, ratio in counts.items()}
    for work, found in rows:
        instructions = counted.get(work)
        shown = "" if instructions is None else f"{instructions:.3f}"
        verdict = "SLOWER" if found.slower else "faster" if found.faster else ""
        spread = f"{found.low:.3f} – {found.high:.3f}"
        lines.append(f"{work:<44}{found.middle:>7.3f}{spread:>17}{shown:>14}  {verdict}")
    lines += [f"{work}: {reason}" for work, reason in comparison.missing.items()]
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
        "works": {
            work: {**asdict(found), "slower": found.slower, "ratios": comparison.ratios[work]}
            for work, found in comparison.intervals().items()
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
