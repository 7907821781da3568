"""Two states of the project, each built in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from peers.environment import HARMFUL, ROOT
from peers.interleave import Worker
from workloads.timing import processor_time

MODULE = "fastnn/kernels/**/*.so"


class RevisionError(Exception):
    """A state of the project cannot be had; the message is the reason."""


class Build:
    """One of the two states: a folder that its package is imported from.

    `compilation` is the processor time that its build took, None for a folder built before.
    """

    def __init__(
        self, label: str, folder: Path, compilation: float | None, threads: int, cache: Path
    ):
        self.label, self.compilation, self.cache = label, compilation, cache
        self._threads = threads
        self.variables = {"PYTHONPATH": str(folder)}
        # What other programs take of the processor does not lengthen its own time.
        self.clock = processor_time if threads == 1 else time.perf_counter

    def start(self) -> Worker:
        """Return a process that has imported the package."""
        worker = Worker("fastnn", self._threads, self.cache, self.variables)
        worker.answer()
        return worker

    def kernel_names(self) -> list[str]:
        """Return the names of the kernels of its table."""
        worker = self.start()
        try:
            return worker.ask("tell", "kernel_names")
        finally:
            worker.end()


def prepare(name: str, folder: Path) -> tuple[Path, float | None]:
    """Return where a revision's package is, and the processor time of its compilation.

    A folder stands for itself, as it was built. A revision of git is taken out of the repository
    into `folder` and built there, once for all revisions of the same content.
    """
    if Path(name).is_dir():
        if not list(Path(name).glob(MODULE)):
            raise RevisionError(f"{name} is not built: python setup.py build_ext --inplace")
        return Path(name).resolve(), None
    tree = _git("rev-parse", "--verify", "--quiet", f"{name}^{{tree}}").decode().strip()
    target = folder / tree
    if target.exists():
        return target, None
    target.mkdir(parents=True)
    _take_out(tree, target)
    return target, _build(name, target)


def _git(*arguments: str) -> bytes:
    command = ["git", "-C", str(ROOT), *arguments]
    outcome = subprocess.run(command, capture_output=True, check=False)
    if outcome.returncode:
        words = outcome.stderr.decode().strip() or "there is no such revision"
        raise RevisionError(f"git {' '.join(arguments)}: {words}")
    return outcome.stdout


def _take_out(tree: str, target: Path) -> None:
    archive = _git("archive", "--format=tar", tree)
    subprocess.run(["tar", "-x", "-C", str(target)], input=archive, check=True)


def _build(name: str, target: Path) -> float:
    print(f"Building {name}", file=sys.stderr, flush=True)
    start = processor_time()
    outcome = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=target,
        env={k: v for k, v in os.environ.items() if k not in HARMFUL},
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode:
        raise RevisionError(f"{name} cannot be built: {outcome.stderr.strip()[-2000:]}")
    return processor_time() - start
