"""Instructions of each kernel, by valgrind or perf: a witness that no noise reaches.

    python instructions.py OUTPUT NAME…

is what valgrind runs: a call of each kernel, twice, the second of which counts. `count` starts it
and reads what valgrind left. AVX-512 is hidden by older valgrinds, so that kernels run as for AVX2
or the baseline, on one thread.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import hardware_counts

CALL = "fastnn_call"  # the C function through which every kernel is called
LONGEST = 600  # seconds
COUNTED = ("small", "float32")


class NoCountError(Exception):
    """Instructions cannot be counted; the message is the reason."""


def count(names: Sequence[str], variables: Mapping[str, str]) -> dict[str, float]:
    """Instructions of one call of each kernel of the table that a package has.

    Kernels that call what Numba compiles on the spot are left out. `variables` of the environment
    say which package it is.
    """
    if shutil.which("valgrind") is None:
        if not hardware_counts.allowed():
            raise NoCountError("there is no valgrind, and perf may not count here")
        return hardware_counts.count(names, variables)
    with tempfile.TemporaryDirectory() as folder:
        _run(names, variables, Path(folder))
        counted = Path(folder, "names").read_text().split()
        totals = [_total(path) for path in _dumps(Path(folder))]
    # Two for each kernel, and what valgrind writes at the end.
    if len(totals) < 2 * len(counted):
        raise NoCountError(f"valgrind saw {len(totals)} calls of {len(counted)} kernels")
    return dict(zip(counted, totals[1::2], strict=False))


def _run(names: Sequence[str], variables: Mapping[str, str], folder: Path) -> None:
    collect = ["--collect-atstart=no", f"--toggle-collect={CALL}", f"--dump-after={CALL}"]
    command = [
        "valgrind",
        "--tool=callgrind",
        *collect,
        f"--callgrind-out-file={folder}/counts",
        *(sys.executable, __file__, str(folder / "names"), *names),
    ]
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}  # finds workloads
    for isa in ("avx2", "baseline"):
        outcome = subprocess.run(
            command,
            env={**inherited, **hardware_counts.SETTINGS, "FASTNN_ISA": isa, **variables},
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        if outcome.returncode == 0:
            return
    raise NoCountError(f"valgrind ended with {outcome.returncode}: {outcome.stderr[-1000:]}")


def _dumps(folder: Path) -> list[Path]:
    """One for each call, in order."""
    return sorted(folder.glob("counts.*"), key=lambda path: int(path.suffix[1:]))


def _total(path: Path) -> int:
    lines = path.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("totals:"))


def main(output: str, *names: str) -> None:
    from workloads import kernels

    from fastnn.kernels.functions import UserFunction

    counted = []
    for subject in kernels.subjects():
        compiled = any(isinstance(v, UserFunction) for v in subject.setting.values())
        if subject.name in names and not compiled:
            call = kernels.KernelCall(kernels.KernelWork(subject, *COUNTED))
            call()
            call()
            counted.append(subject.name)
    Path(output).write_text("\n".join(counted))


if __name__ == "__main__":
    main(*sys.argv[1:])
