"""Executors as users give them: an executor, or a function that makes one."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from ...errors import ArgumentTypeError, ExecutorError

#: Seconds between the request that worker processes end, and killing them.
SHUTDOWN_SECONDS = 5.0

#: The argument `executor` of `search`, unless it is None.
Given = Executor | Callable[[], Executor]


def check_executor(executor: Any) -> None:
    """Raise `ArgumentTypeError` unless it is an executor or a function."""
    if not isinstance(executor, Executor) and not callable(executor):
        raise ArgumentTypeError(
            "executor must be a concurrent.futures.Executor, a function that makes one, or None, "
            f"got {executor!r}{_hint(executor)}"
        )


def _hint(executor: Any) -> str:
    return "; give its get_executor()" if hasattr(executor, "get_executor") else ""


def shares_memory(executor: Executor) -> bool:
    """Return whether the workers are threads of this process and interpreter."""
    pool = sys.modules.get("concurrent.futures.interpreter")
    separate = pool is not None and isinstance(executor, pool.InterpreterPoolExecutor)
    return isinstance(executor, ThreadPoolExecutor) and not separate


def dask_client(executor: Executor) -> Any:
    """Return the client of an executor of Dask; None for others."""
    dask = sys.modules.get("distributed.cfexecutor")
    own = dask is not None and isinstance(executor, dask.ClientExecutor)
    return executor._client if own else None  # type: ignore[attr-defined]


def slots(executor: Executor) -> int:
    """Return how many calls an executor runs at once; 0 if it has no workers at the moment."""
    if (client := dask_client(executor)) is not None:
        if client.status in ("closing", "closed"):
            raise ConnectionError("the client of Dask is closed")
        return sum(client.nthreads().values()) if client.status == "running" else 0
    for name in ("num_workers", "_max_workers"):  # of mpi4py; of the standard library and loky
        if known := getattr(executor, name, None):
            return known
    return os.cpu_count() or 1


def cancel(executor: Executor, call: Future[Any]) -> None:
    """Cancel a call that has not begun, unless it belongs to a process pool.

    Before Python 3.13, a process pool that breaks while a call is cancelled does not end its other
    workers. Calls that are not cancelled find their task gone, and end.
    """
    if not isinstance(executor, ProcessPoolExecutor):
        call.cancel()


class RenewableExecutor:
    """An executor that is replaced when it breaks, if a function makes new ones.

    Attributes
    ----------
    current : Executor
    """

    def __init__(self, given: Given):
        self._make = None if isinstance(given, Executor) else given
        self.current = given if isinstance(given, Executor) else _make_executor(given)

    def renew(self, broken: Executor, error: BaseException) -> None:
        """Replace a broken executor, unless it has been replaced already.

        Raises
        ------
        ExecutorError
            It is the user's, or no new one can be made.
        """
        if broken is not self.current:
            return
        if self._make is None:
            raise ExecutorError(
                f"the executor can take no more work ({type(error).__name__}: {error}); trials "
                "that had finished are in the result of this error, and in the storage if there is "
                "one. A search goes on with another executor if it is given a function that makes "
                "them: executor=lambda: ProcessPoolExecutor(…)"
            ) from error
        _shut_down(broken, kill=True)
        try:
            self.current = _make_executor(self._make)
        except Exception as failure:
            raise ExecutorError(
                f"no executor can be made in place of one that broke ({error}): "
                f"{type(failure).__name__}: {failure}"
            ) from failure

    def close(self, *, kill: bool) -> None:
        """Shut down an executor that was made here; with `kill`, end its workers at once."""
        if self._make is not None:
            _shut_down(self.current, kill=kill)


def _make_executor(make: Callable[[], Executor]) -> Executor:
    executor = make()
    if not isinstance(executor, Executor):
        raise ArgumentTypeError(
            "executor, a function, must return a concurrent.futures.Executor, "
            f"got {executor!r}{_hint(executor)}"
        )
    return executor


def _shut_down(executor: Executor, *, kill: bool) -> None:
    # Before Python 3.14 there is neither kill_workers nor terminate_workers.
    processes = list((getattr(executor, "_processes", None) or {}).values()) if kill else []
    for process in processes:
        process.terminate()
    end = time.monotonic() + SHUTDOWN_SECONDS
    for process in processes:
        process.join(max(0.0, end - time.monotonic()))
        if process.is_alive():
            with suppress(ProcessLookupError):  # it has ended just now
                # Processes of loky have no method kill.
                os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    if processes:
        _close_results(executor)
    executor.shutdown(wait=not kill or bool(processes))


def _close_results(executor: Executor) -> None:
    """Close the pipe of a pool's results.

    A worker that was killed may have sent half a result; the reading thread waits for the rest.
    """
    writer = getattr(getattr(executor, "_result_queue", None), "_writer", None)
    if isinstance(executor, ProcessPoolExecutor) and writer is not None:
        writer.close()
