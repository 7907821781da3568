"""A process of one peer: prepares work, and does it when asked, one repeat at a time.

    python worker.py CONNECTION MODULE THREADS

CONNECTION is the number of an open file descriptor, over which `contest.Worker` sends the name of a
function of this module with its arguments; the answer is ("done", result) or ("failed", reason).
"""

from __future__ import annotations

import importlib
import math
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import machine

SHORTEST = 0.02  # seconds of one repeat

_adapter: Any = None
_prepared: dict[str, tuple[Callable[[], object], int, Callable[[], float]]] = {}


def hello(module: str, threads: int) -> str:
    """Load the peer, limit its threads, and tell its version."""
    global _adapter
    machine.stay_on(threads)
    _adapter = importlib.import_module(f"adapters.{module}")
    if hasattr(_adapter, "initialize"):
        _adapter.initialize(threads)
    # Libraries whose own settings came too late: the BLAS of NumPy and SciPy.
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    return _adapter.version()


def losses(workload) -> list[float] | None:
    """Of a few epochs in order, to compare; None where the peer's cannot be compared."""
    if hasattr(_adapter, "comparable") and not _adapter.comparable(workload):
        return None
    return [float(loss) for loss in _adapter.trainer(workload, shuffle=False)()]


def prepare(
    key: str,
    kind: str,
    arguments: tuple,
    shortest: float = SHORTEST,
    clock: Callable[[], float] = time.perf_counter,
) -> int:
    """Set up work, warm it up, and choose how often one repeat of so many seconds does it."""
    if not hasattr(_adapter, kind):
        raise NotImplementedError(f"it has no {kind}")
    work = getattr(_adapter, kind)(*arguments)
    work()
    calls = 1
    while (seconds := _time(work, calls, clock)) < shortest:
        calls = max(2 * calls, math.ceil(calls * shortest / max(seconds, 1e-9)))
    _prepared[key] = work, calls, clock
    return calls


def repeat(key: str) -> float:
    """Seconds of one call, mean over a repeat."""
    work, calls, clock = _prepared[key]
    return _time(work, calls, clock) / calls


def tell(question: str):
    """What a function of the peer without arguments returns."""
    return getattr(_adapter, question)()


def forget() -> None:
    """Let go of all that was prepared."""
    _prepared.clear()


def _time(work: Callable[[], object], calls: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(calls):
        work()
    return clock() - start


def main() -> None:
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
