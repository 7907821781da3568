"""Instructions of each kernel, by valgrind or perf: a witness that no noise reaches.

    python instructions.py CALLS FILE…

is what both run: it calls the kernel of each file so often, and prints the files that it called.
valgrind hides AVX-512 in older releases, so that kernels run as for AVX2 or the baseline, on one
thread. perf knows every instruction set, where the machine lets it count; the difference of two
processes that call more and less often is what the calls took, interpreter included.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from peers.interleave import Worker

CALL = "fastnn_call"  # the C function through which every kernel is called
EVENT = "instructions:u"
COUNTED = ("small", "float32")
FEW, MANY = 10, 510  # calls
LONGEST = 600  # seconds
SETTINGS = {"FASTNN_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
FIXED = {"PYTHONHASHSEED": "0"}  # dictionaries take the same steps in all processes


class NoCountError(Exception):
    """Instructions cannot be counted; the message is the reason."""


def count(
    names: Sequence[str], variables: Mapping[str, str], drawn_by: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Return the instructions of one call of each kernel of the table that a package has.

    Kernels that call what Numba compiles on the spot are left out. `variables` of the environment
    say which package it is, and `drawn_by` which package's table gives the arguments.
    """
    by_valgrind = shutil.which("valgrind") is not None
    if not by_valgrind and (shutil.which("perf") is None or _perf(["true"], os.environ) is None):
        raise NoCountError("there is no valgrind, and perf may not count here")
    with tempfile.TemporaryDirectory() as folder:
        files = _draw(names, drawn_by or variables, Path(folder))
        inherited = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}  # finds modules
        environment = {**inherited, **SETTINGS, **FIXED, **variables}
        counts = (_by_valgrind if by_valgrind else _by_perf)(files, environment)
    return {path.stem: instructions for path, instructions in counts.items()}


def _draw(names: Sequence[str], variables: Mapping[str, str], folder: Path) -> list[Path]:
    """Write the arguments of each kernel that calls no function of the user."""
    worker = Worker("fastnn", 1, folder, variables)
    try:
        worker.answer()
        paths = {name: folder / f"{name}.pickle" for name in names}
        return [
            path
            for name, path in paths.items()
            if worker.ask("tell", "draw_kernel", path, name, *COUNTED)
        ]
    finally:
        worker.end()


def _by_valgrind(files: Sequence[Path], environment: Mapping[str, str]) -> dict[Path, float]:
    """Count the second of two calls of each file's kernel."""
    with tempfile.TemporaryDirectory() as folder:
        called = _valgrind(files, environment, f"{folder}/counts")
        dumps = sorted(Path(folder).glob("counts.*"), key=lambda path: int(path.suffix[1:]))
        totals = [_total(path) for path in dumps]
    # Two for each kernel, and what valgrind writes at the end.
    if len(totals) < 2 * len(called):
        raise NoCountError(f"valgrind saw {len(totals)} calls of {len(called)} kernels")
    return dict(zip(called, totals[1::2], strict=False))


def _valgrind(files: Sequence[Path], environment: Mapping[str, str], target: str) -> list[Path]:
    """Return the files whose kernels were called, after valgrind wrote a file for each call."""
    collect = ["--collect-atstart=no", f"--toggle-collect={CALL}", f"--dump-after={CALL}"]
    command = ["valgrind", "--tool=callgrind", *collect, f"--callgrind-out-file={target}"]
    for isa in ("avx2", "baseline"):
        outcome = subprocess.run(
            [*command, *_program(2, files)],
            env={**environment, "FASTNN_ISA": isa},
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        if outcome.returncode == 0:
            return list(map(Path, outcome.stdout.splitlines()))
    raise NoCountError(f"valgrind ended with {outcome.returncode}: {outcome.stderr[-1000:]}")


def _total(path: Path) -> int:
    lines = path.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("totals:"))


def _by_perf(files: Sequence[Path], environment: Mapping[str, str]) -> dict[Path, float]:
    """Count the calls by which two processes differ, for each file that could be counted."""
    counts = {}
    for path in files:
        few, many = (_perf(_program(calls, [path]), environment) for calls in (FEW, MANY))
        if few is not None and many is not None:
            counts[path] = (many - few) / (MANY - FEW)
    return counts


def _perf(command: Sequence[str], environment: Mapping[str, str]) -> int | None:
    """Return the instructions of a process; None if none were counted, or the program failed."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "counts")
        outcome = subprocess.run(
            ["perf", "stat", "-x,", "-e", EVENT, "-o", str(target), *command],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=LONGEST,
            check=False,
        )
        lines = target.read_text().splitlines() if target.exists() else []
    counted = [line.split(",")[0] for line in lines if EVENT in line]
    if outcome.returncode or not counted or not counted[0].isdigit():
        return None
    return int(counted[0])


def _program(calls: int, files: Sequence[Path]) -> list[str]:
    return [sys.executable, __file__, str(calls), *map(str, files)]


def main(calls: str, *files: str) -> int:
    """Call the kernel of each file so often, and print the files whose kernels there are.

    The exit status is 1 if there are none.
    """
    from peers.adapters import fastnn_native

    status = 1
    for file in files:
        try:
            call = fastnn_native.kernel(Path(file))
        except NotImplementedError:
            continue
        for _ in range(int(calls)):
            call()
        print(file)
        status = 0
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
