"""Send a task, once, and its jobs to the workers of an executor."""

from __future__ import annotations

import asyncio
import pickle
import uuid
from collections.abc import Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ...kernels import active_backend
from ...utils.leftovers import TemporaryFolder
from .executors import dask_client, shares_memory
from .jobs import Job, Outcome, Task
from .packing import pack, pickled
from .remote import Reply, Undone, forget, run_jobs, run_jobs_here

#: Prefix of temporary folders.
FOLDER = "fastnn-search-"
#: Bytes of jobs that a call of Dask carries; larger jobs are scattered.
MAX_INLINE_BYTES = 100_000


class NoWorkersError(Exception):
    """An executor has no workers at the moment; new ones may join."""


class Transport(Protocol):
    """A way to send a task and its jobs to an executor.

    Attributes
    ----------
    copies : bool
        Whether workers train copies, so that the models of a job do not change.
    immediate : bool
        Whether `submit` is short enough for Ctrl-C to wait for it.
    """

    copies: bool
    immediate: bool

    def encode(self, job: Job) -> Any:
        """Return a job in the form in which it is sent."""

    def submit(
        self, executor: Executor, jobs: Sequence[Any], threads: int, max_time: float | None
    ) -> Future[Reply | Undone]:
        """Submit encoded jobs; raise `NoWorkersError` if it must be tried again later."""

    def decode(self, reply: Reply) -> list[Outcome]:
        """Return the outcomes of a reply."""

    def on_missing_task(self) -> None:
        """Handle the reply of a worker that cannot read the task."""

    def close(self) -> None:
        """Remove the task; calls that have not begun will do nothing."""


def transport_to(executor: Executor, task: Task) -> Transport:
    """Return the transport for an executor."""
    if shares_memory(executor):
        return ByReference(task)
    if dask_client(executor) is not None:
        return ByScattering(task)
    return ByFile(task)


class ByReference(Transport):
    """Transport to threads of this process, without copies."""

    copies = False
    immediate = True

    def __init__(self, task: Task):
        self._task = task

    def encode(self, job: Job) -> Job:
        return job

    def submit(
        self, executor: Executor, jobs: Sequence[Job], threads: int, max_time: float | None
    ) -> Future[Reply | Undone]:
        return executor.submit(run_jobs_here, self._task, jobs, threads, max_time)

    def decode(self, reply: Reply) -> list[Outcome]:
        return reply.outcomes

    def on_missing_task(self) -> None:
        raise AssertionError("threads have the task")

    def close(self) -> None:
        pass


class _Pickled(Transport):
    """Transport of pickled jobs and outcomes between processes."""

    copies = True
    immediate = True

    def __init__(self) -> None:
        self._key = uuid.uuid4().hex
        self._backend = active_backend()

    def encode(self, job: Job) -> bytes:
        return pickled(job)

    def _call(self, source: Any, *arguments: Any) -> tuple[Any, ...]:
        return run_jobs, self._key, source, self._backend, *arguments

    def decode(self, reply: Reply) -> list[Outcome]:
        return [pickle.loads(outcome) for outcome in reply.outcomes]

    def on_missing_task(self) -> None:
        pass


class ByFile(_Pickled):
    """Transport to processes of this machine by a file in a temporary folder, which they map.

    Once a worker cannot read it, for instance on another machine, calls carry the task; workers
    keep it.
    """

    def __init__(self, task: Task):
        super().__init__()
        pieces = pack(task)
        self._folder = TemporaryFolder(FOLDER)
        self._path = Path(self._folder.name) / self._key
        self._source: str | np.ndarray = str(self._path)
        try:
            with self._path.open("xb") as file:
                file.writelines(pieces)
        except BaseException:
            self.close()
            raise

    def submit(
        self, executor: Executor, jobs: Sequence[bytes], threads: int, max_time: float | None
    ) -> Future[Reply | Undone]:
        return executor.submit(*self._call(self._source, jobs, threads, max_time))

    def on_missing_task(self) -> None:
        if isinstance(self._source, str):
            self._source = np.fromfile(self._path, np.uint8)

    def close(self) -> None:
        self._folder.cleanup()


class ByScattering(_Pickled):
    """Transport to the workers of Dask by scattering, which includes those that join later."""

    immediate = False  # it sends the data

    def __init__(self, task: Task):
        super().__init__()
        self._pieces = pack(task)
        self._client: Any = None
        self._scattered: Any = None

    def submit(
        self, executor: Executor, jobs: Sequence[bytes], threads: int, max_time: float | None
    ) -> Future[Reply | Undone]:
        client = dask_client(executor)
        lost = self._scattered is None or self._scattered.status != "finished"
        try:
            if lost or client is not self._client:
                block = np.frombuffer(bytearray().join(self._pieces), np.uint8)
                [self._scattered] = client.scatter([block], broadcast=True, hash=False)
                self._client = client
            if sum(map(len, jobs)) > MAX_INLINE_BYTES:
                jobs = client.scatter(list(jobs), hash=False)
        except (OSError, TimeoutError) as error:  # workers died, and none is left
            if client.status != "running":
                raise
            raise NoWorkersError from error
        # Without pure=False, Dask would run calls with equal arguments once.
        options = {**executor._kwargs, "pure": False}  # type: ignore[attr-defined]
        call = self._call(self._scattered, jobs, threads, max_time)
        return _python_future(client.submit(*call, **options))

    def close(self) -> None:
        if self._client is not None and self._client.status == "running":
            with suppress(OSError):  # the cluster is shutting down
                self._client.run(forget, self._key, wait=False, on_error="ignore")
        self._scattered = self._client = None


def _python_future(call: Any) -> Future[Reply | Undone]:
    """Return a future of Python for one of Dask.

    Those of Dask's executor are never done if a result is lost before it is fetched and cannot be
    computed again.
    """
    own: Future[Reply | Undone] = Future()

    async def follow() -> None:
        error: Exception | None = None
        reply: Any = None
        try:
            reply = await call.client.gather(call, asynchronous=True)
        except asyncio.CancelledError as cancelled:
            error = CancelledError(*cancelled.args)  # the class of Python's futures
        except Exception as raised:
            error = raised
        if not own.set_running_or_notify_cancel():
            return
        if error is None:
            own.set_result(reply)
        else:
            own.set_exception(error)

    def cancel(own: Future[Reply | Undone]) -> None:
        if own.cancelled():
            call.cancel()

    own.add_done_callback(cancel)
    call.client.loop.add_callback(follow)
    return own
