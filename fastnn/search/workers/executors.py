"""The executor as users give it: itself, or a function that makes one."""

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

#: Seconds that worker processes have to end when they are told to.
PATIENCE = 5.0

#: What `search` takes; None are the threads of this process.
Given = Executor | Callable[[], Executor]


def check_executor(executor: Any) -> None:
    """Raise `ArgumentTypeError` for what is neither an executor nor a function."""
    if not isinstance(executor, Executor) and not callable(executor):
        raise ArgumentTypeError(
            "executor must be a concurrent.futures.Executor, a function that makes one, or None, "
            f"got {executor!r}{_hint(executor)}"
        )


def _hint(executor: Any) -> str:
    return "; give its get_executor()" if hasattr(executor, "get_executor") else ""


def shares_memory(executor: Executor) -> bool:
    """Whether its workers are threads of this process (and of this interpreter)."""
    pool = sys.modules.get("concurrent.futures.interpreter")
    separate = pool is not None and isinstance(executor, pool.InterpreterPoolExecutor)
    return isinstance(executor, ThreadPoolExecutor) and not separate


def dask_client(executor: Executor) -> Any:
    """The client of an executor of Dask; None of any other."""
    dask = sys.modules.get("distributed.cfexecutor")
    own = dask is not None and isinstance(executor, dask.ClientExecutor)
    return executor._client if own else None  # type: ignore[attr-defined]


def slots(executor: Executor) -> int:
    """How many calls it runs at once; none where no worker has come yet, or all have gone."""
    if (client := dask_client(executor)) is not None:
        if client.status in ("closing", "closed"):
            raise ConnectionError("the client of Dask is closed")
        return sum(client.nthreads().values()) if client.status == "running" else 0
    for name in ("num_workers", "_max_workers"):  # of mpi4py; of the standard library and loky
        if known := getattr(executor, name, None):
            return known
    return os.cpu_count() or 1


def cancel(executor: Executor, call: Future[Any]) -> None:
    """Cancel a call that has not begun, unless that may harm its executor.

    Before Python 3.13, a process pool that breaks while one of its calls is cancelled does not end
    its other workers; those find by themselves that there is nothing to do.
    """
    if not isinstance(executor, ProcessPoolExecutor):
        call.cancel()


class Pool:
    """One executor after the other, if they break and a function makes new ones.

    Attributes
    ----------
    executor : Executor
        The present one.
    """

    def __init__(self, given: Given):
        self._make = None if isinstance(given, Executor) else given
        self.executor = given if isinstance(given, Executor) else _made(given)

    def renew(self, broken: Executor, error: BaseException) -> None:
        """Replace an executor that can take no more work, unless that is done already.

        Raises
        ------
        ExecutorError
            It was not made here, or no other can be made.
        """
        if broken is not self.executor:
            return
        if self._make is None:
            raise ExecutorError(
                f"the executor can take no more work ({type(error).__name__}: {error}); trials "
                "that had finished are in the result of this error, and in the storage if there is "
                "one. A search goes on with another executor if it is given a function that makes "
                "them: executor=lambda: ProcessPoolExecutor(…)"
            ) from error
        _end(broken, kill=True)
        try:
            self.executor = _made(self._make)
        except Exception as failure:
            raise ExecutorError(
                f"no executor can be made in place of one that broke ({error}): "
                f"{type(failure).__name__}: {failure}"
            ) from failure

    def close(self, *, kill: bool) -> None:
        """Shut down what was made here; `kill` if its workers shall not end their work."""
        if self._make is not None:
            _end(self.executor, kill=kill)


def _made(make: Callable[[], Executor]) -> Executor:
    executor = make()
    if not isinstance(executor, Executor):
        raise ArgumentTypeError(
            "executor, a function, must return a concurrent.futures.Executor, "
            f"got {executor!r}{_hint(executor)}"
        )
    return executor


def _end(executor: Executor, *, kill: bool) -> None:
    # The methods for this, kill_workers and terminate_workers, are of Python 3.14.
    processes = list((getattr(executor, "_processes", None) or {}).values()) if kill else []
    for process in processes:
        process.terminate()
    end = time.monotonic() + PATIENCE
    for process in processes:
        process.join(max(0.0, end - time.monotonic()))
        if process.is_alive():
            with suppress(ProcessLookupError):  # it has ended just now
                # Not by its own method: processes of loky have none.
                os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    if processes:
        _close_results(executor)
    executor.shutdown(wait=not kill or bool(processes))


def _close_results(executor: Executor) -> None:
    """Tell the thread of a pool that reads results that no more will come.

    A worker that was ended may have sent half of one, for the rest of which it would wait for ever.
    """
    writer = getattr(getattr(executor, "_result_queue", None), "_writer", None)
    if isinstance(executor, ProcessPoolExecutor) and writer is not None:
        writer.close()
