"""Run the repeats of several peers in turn, each peer in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from workloads import oracle

from .adapters import PEERS, VARIABLES
from .cases import Case, Task
from .results import Results

LONGEST = 600.0  # seconds that an answer may take; compilation is the slowest
PRIVATE = "PYTHONSAFEPATH"  # would keep a worker from finding the adapters
#: Variables that choose slower kernels than a library would, and what goes with them.
SLOWING = (
    "ATEN_CPU_CAPABILITY",
    "BLIS_ARCH_TYPE",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
)


class PeerError(Exception):
    """A peer cannot do what was asked; the message is the reason to report."""


class Worker:
    """The process of one peer on a number of threads, which works only when asked.

    `variables` of its environment go before all others.
    """

    def __init__(
        self, peer: str, threads: int, cache: Path, variables: Mapping[str, str] | None = None
    ):
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        self._connection, theirs = multiprocessing.Pipe()
        program = str(Path(__file__).with_name("worker.py"))
        self._process = subprocess.Popen(
            [sys.executable, program, str(theirs.fileno()), PEERS[peer], str(threads)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={**environment(threads, cache), **(variables or {})},
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def ask(self, function: str, *arguments: Any) -> Any:
        with suppress(ConnectionError):  # of one that died: its answer tells how
            self._connection.send((function, arguments))
        return self.answer()

    def answer(self) -> Any:
        """Return what the worker sends next; `PeerError` with its reason, or with how it died."""
        try:
            if not self._connection.poll(LONGEST):
                self._process.kill()
                raise PeerError(f"no answer within {LONGEST:.0f} s")
            outcome, result = self._connection.recv()
        except (EOFError, OSError):
            status = self._process.wait()
            raise PeerError(
                f"its process ended with status {status}: {self._last_words()}"
            ) from None
        if outcome == "failed":
            raise PeerError(result)
        return result

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no message"


def environment(threads: int, cache: Path) -> dict[str, str]:
    """Return the variables of a worker: equal threads for all, and what it compiles is kept."""
    n = str(threads)
    limits = {f"{name}_NUM_THREADS": n for name in ("OMP", "MKL", "OPENBLAS", "NUMBA", "FASTNN")}
    # JAX's pool follows the processor affinity; Eigen's own pool must be told.
    flags = "--xla_cpu_multi_thread_eigen=false" if threads == 1 else ""
    inherited = {k: v for k, v in os.environ.items() if k not in (PRIVATE, *SLOWING)}
    return {
        **inherited,
        **limits,
        "XLA_FLAGS": flags,
        "JAX_PLATFORMS": "cpu",
        "KERAS_BACKEND": "jax",  # some five times as fast as on TensorFlow, on these networks
        "KERAS_HOME": str(cache / "keras"),
        "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"),
    }


class Pool:
    """Workers by peer and threads; they start when first needed, and again after they died."""

    def __init__(self, cache: Path):
        self._cache = cache
        self._workers: dict[tuple[str, int], Worker] = {}
        self._absent: dict[tuple[str, int], str] = {}
        self.versions: dict[str, str] = {}

    def start(self, tasks: Sequence[Task]) -> None:
        """Start the workers that are needed and do not run, all at once."""
        started = []
        for key in dict.fromkeys((c.peer, c.threads) for c in tasks):
            if key not in self._absent and not (key in self._workers and self._workers[key].alive):
                if key in self._workers:
                    self._workers[key].end()
                self._workers[key] = Worker(*key, self._cache, VARIABLES.get(key[0]))
                started.append(key)
        for key in started:
            try:
                version = self._workers[key].answer()
            except PeerError as error:
                self._workers.pop(key).end()
                self._absent[key] = str(error)
            else:
                if key[0] not in VARIABLES:  # others are fastnn once more
                    self.versions[key[0]] = version

    def worker(self, task: Task) -> Worker:
        """Return the process of a task; raises `PeerError` if the peer did not start."""
        key = task.peer, task.threads
        if key in self._absent:
            raise PeerError(self._absent[key])
        return self._workers[key]

    def forget(self) -> None:
        """Make all workers let go of what they prepared."""
        for worker in self._workers.values():
            with suppress(PeerError):
                if worker.alive:
                    worker.ask("forget")

    def end(self) -> None:
        for worker in self._workers.values():
            worker.end()


def run(case: Case, repeats: int, pool: Pool, results: Results) -> None:
    """Warm up all tasks of a case, then time them in turn, `repeats` times."""
    expected = oracle.epoch_losses(case.workload.for_check()) if case.workload else None
    pool.start(case.tasks)
    running = []
    for task in case.tasks:
        try:
            worker = pool.worker(task)
            if expected and task.kind.endswith("trainer"):
                _check(worker, task.kind, case, expected)
            worker.ask("prepare", task.label, task.kind, task.arguments)
            running.append(task)
        except PeerError as error:
            results.miss(case.name, task, str(error))
    for turn in range(repeats):
        running = _round(case, _rotated(running, turn), pool, results)
    pool.forget()


def _check(worker: Worker, kind: str, case: Case, expected: Sequence[float]) -> None:
    losses = worker.ask("losses", kind, case.workload.for_check())
    if losses is not None and not oracle.close(losses, expected):
        raise PeerError(f"its losses are {losses}, expected {list(expected)}")


def _round(case: Case, tasks: Sequence[Task], pool: Pool, results: Results) -> list[Task]:
    """Time one repeat of each; return the tasks that are still there."""
    still = []
    for task in tasks:
        try:
            worker = pool.worker(task)
            seconds = worker.ask("repeat", task.label)
        except PeerError as error:
            results.miss(case.name, task, str(error))
        else:
            results.add(case.name, task, seconds / task.units)
            still.append(task)
    return still


def _rotated(tasks: list[Task], turn: int) -> list[Task]:
    """Return another order for each turn: no task always finds the caches as the same one left."""
    cut = turn % len(tasks) if tasks else 0
    return tasks[cut:] + tasks[:cut]
