"""Train the same networks with fastnn and its peers, and hold the times against the targets.

    python benchmarks/peers                     # everything; some 40 minutes
    python benchmarks/peers --smoke             # few repeats; some five minutes
    python benchmarks/peers --only 'gemm*' --threads 1

The first call makes a virtual environment in benchmarks/, with scikit-learn, PyTorch, JAX, Keras,
MKL, BLIS and this checkout of fastnn. Each peer works in a process of its own, on equal threads and
the same cores; their repeats take turns. The losses of a peer are first held against a training in
float64: one that computes something else is not timed. In the end, the bits of our own results are
compared on several numbers of threads. A smoke run leaves out most transposed and float64 products,
torch.compile and Keras. Prints a table, and writes results.json, which has every repeat.

The exit status is 0 if everything ran, whatever the verdicts; 1 if something could not be measured.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from peers import tables
from peers.environment import Environment

BENCHMARKS = Path(__file__).resolve().parents[1]
REPEATS, SMOKE_REPEATS = 15, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Measure in the environment of the comparison, or print; return the exit status."""
    options = _options(argv)
    if options.tables:
        results = json.loads((options.out / "results.json").read_text(encoding="utf-8"))
        print(tables.markdown(results["rows"]))
        return 0
    environment = Environment(options.venv)
    if not environment.inside:
        try:
            environment.prepare()
        except subprocess.CalledProcessError as error:
            print(f"The environment cannot be made: {error}", file=sys.stderr)
            return 1
        environment.enter()
    return measure(options)


def measure(options: argparse.Namespace) -> int:
    """Run the cases that were asked for, and report."""
    # Imported here, since the interpreter that makes the environment may not have NumPy.
    from peers import bits, cases, interleave, report, targets
    from peers.results import Results

    chosen = [
        case
        for case in cases.all_cases(options.threads, options.smoke)
        if fnmatch.fnmatch(case.name, options.only)
    ]
    if not chosen:
        print(f"No case is called {options.only!r}", file=sys.stderr)
        return 1
    repeats = options.repeats or (SMOKE_REPEATS if options.smoke else REPEATS)
    about = {
        "machine": report.describe_machine(),
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "settings": {"threads": options.threads, "repeats": repeats, "smoke": options.smoke},
    }
    results, pool = Results(), interleave.Pool(options.venv)
    start = time.monotonic()
    try:
        for case in chosen:
            print(f"{time.monotonic() - start:5.0f} s  {case.name}", file=sys.stderr, flush=True)
            interleave.run(case, repeats, pool, results)
        print(f"{time.monotonic() - start:5.0f} s  bits", file=sys.stderr, flush=True)
        about["bits"] = {case.name: bits.are_equal(case, pool) for case in chosen}
    finally:
        pool.end()
    about["versions"] = pool.versions

    rows = targets.rows(results, options.threads, [case.name for case in chosen])
    parts = report.heading(about), report.table(rows), report.bits(about["bits"], bits.THREADS)
    print(*parts, report.summary(rows, results), sep="\n\n")
    options.out.mkdir(parents=True, exist_ok=True)
    report.write_json(options.out / "results.json", rows, chosen, results, about)
    return 1 if results.missing() else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--smoke", action="store_true", help="few repeats, and not the slowest cases"
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--repeats", type=int, metavar="N", help=f"default: {REPEATS}")
    parser.add_argument(
        "--only", default="*", metavar="PATTERN", help="names of cases, as in a shell"
    )
    parser.add_argument("--out", type=Path, default=BENCHMARKS / "results", metavar="DIR")
    parser.add_argument("--venv", type=Path, default=BENCHMARKS / ".venv-peers", metavar="DIR")
    parser.add_argument(
        "--tables", action="store_true", help="measure nothing; print the last results in Markdown"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
