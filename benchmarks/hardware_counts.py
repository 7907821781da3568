"""Instructions counted by the processor itself, through `perf stat`, where the machine allows it.

    python hardware_counts.py CALLS NAME

is what perf runs, twice for each kernel: the second process makes more calls, and the difference is
theirs. Unlike valgrind it knows every instruction set.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

FEW, MANY = 10, 510  # calls
EVENT = "instructions:u"
LONGEST = 120  # seconds
SETTINGS = {"FASTNN_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
FIXED = {"PYTHONHASHSEED": "0"}  # dictionaries take the same steps in both


def allowed() -> bool:
    """Whether there is a perf that may count; in most virtual machines it may not."""
    return shutil.which("perf") is not None and _stat(["true"], os.environ) is not None


def count(names: Sequence[str], variables: Mapping[str, str]) -> dict[str, float]:
    """Instructions of one call of each kernel, interpreter included, that could be counted."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}  # finds workloads
    environment = {**inherited, **SETTINGS, **FIXED, **variables}
    counts = {}
    for name in names:
        program = [sys.executable, __file__]
        few, many = (_stat([*program, str(n), name], environment) for n in (FEW, MANY))
        if few is not None and many is not None:
            counts[name] = (many - few) / (MANY - FEW)
    return counts


def _stat(command: Sequence[str], environment: Mapping[str, str]) -> int | None:
    """Of a whole process; None if nothing was counted, or the program failed."""
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


def main(calls: str, name: str) -> None:
    from workloads import kernels

    [subject] = [subject for subject in kernels.subjects() if subject.name == name]
    call = kernels.KernelCall(kernels.KernelWork(subject, "small", "float32"))
    for _ in range(int(calls)):
        call()


if __name__ == "__main__":
    main(*sys.argv[1:])
