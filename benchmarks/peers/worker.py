"""A process of one peer: prepares work, and does it when asked, one repeat at a time.

    python worker.py CONNECTION MODULE THREADS

CONNECTION is the number of an open file descriptor, over which `interleave.Worker` sends the name
of a function of this module with its arguments; the answer is ("done", result) or ("failed",
reason).
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from workloads import parts
from workloads.engines import stay_on
from workloads.timing import Clock, calls_within, duration

SHORTEST = 0.02  # seconds of one repeat

_adapter: Any = None
_prepared: dict[str, tuple[Callable[[], object], int, Clock]] = {}


def hello(module: str, threads: int) -> str:
    """Load the peer, limit its threads, and return its version."""
    global _adapter
    stay_on(threads)
    _adapter = importlib.import_module(f"peers.adapters.{module}")
    if hasattr(_adapter, "initialize"):
        _adapter.initialize(threads)
    # Libraries whose own settings came too late: the BLAS of NumPy and SciPy.
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    return _adapter.version()


def losses(kind: str, workload) -> list[float] | None:
    """Return those of a few epochs in order, to compare; None where they cannot be compared."""
    if hasattr(_adapter, "comparable") and not _adapter.comparable(workload):
        return None
    return [float(loss) for loss in getattr(_adapter, kind)(workload, shuffle=False)()]


def prepare(
    key: str,
    kind: str,
    arguments: tuple,
    shortest: float = SHORTEST,
    clock: Clock = time.perf_counter,
) -> int:
    """Set up work, check what it returns, and choose how often one repeat of so long does it."""
    if not hasattr(_adapter, kind):
        raise NotImplementedError(f"it has no {kind}")
    work = getattr(_adapter, kind)(*arguments)
    if kind in parts.CHECKS and not kind.endswith("trainer"):  # whose losses were compared
        parts.CHECKS[kind](work(), *arguments)
    calls = calls_within(shortest, work, clock)
    _prepared[key] = work, calls, clock
    return calls


def repeat(key: str) -> float:
    """Return the seconds of one call, mean over a repeat."""
    work, calls, clock = _prepared[key]
    return duration(work, calls, clock) / calls


def tell(question: str, *arguments: Any) -> Any:
    """Return what a function of the peer returns."""
    return getattr(_adapter, question)(*arguments)


def forget() -> None:
    """Let go of all that was prepared."""
    _prepared.clear()


def main() -> None:
    """Answer requests until the other end of the connection is closed."""
    descriptor, module, threads = sys.argv[1:]
    connection = Connection(int(descriptor))
    functions = {f.__name__: f for f in (losses, prepare, repeat, tell, forget)}
    request = hello, (module, int(threads))
    while True:
        function, arguments = request
        try:
            answer = "done", function(*arguments)
        except Exception as error:
            answer = "failed", f"{type(error).__name__}: {error}"
        connection.send(answer)
        try:
            name, arguments = connection.recv()
        except EOFError:  # the parent is gone, or has let go
            return
        request = functions[name], arguments


if __name__ == "__main__":
    main()
