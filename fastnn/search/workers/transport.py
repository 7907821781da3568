"""How a task and its jobs get to the workers of an executor: the task once, jobs as they come."""

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
from .remote import Reply, Undone, forget, work, work_here

#: How names of temporary folders begin.
FOLDER = "fastnn-search-"
#: Bytes of jobs that Dask is given with a call; more of them go to the workers directly.
SMALL = 100_000


class NobodyThereError(Exception):
    """An executor has no workers at the moment; others may come."""


class Delivery(Protocol):
    """One way to get there.

    Attributes
    ----------
    copies : bool
        Whether workers train copies, so that the models of a job stay as they are.
    at_once : bool
        Whether to submit takes so little time that Ctrl-C can wait for it.
    """

    copies: bool
    at_once: bool

    def prepared(self, job: Job) -> Any:
        """The job as it travels."""

    def submit(
        self, executor: Executor, jobs: Sequence[Any], threads: int, max_time: float | None
    ) -> Future[Reply | Undone]:
        """Have some prepared jobs done; `NobodyThereError` if it must be tried again later."""

    def outcomes(self, reply: Reply) -> list[Outcome]:
        """Those of a reply."""

    def missing(self) -> None:
        """A worker has replied that it cannot get at the task."""

    def close(self) -> None:
        """End the task; calls that are still under way have nothing to do."""


def delivery_to(executor: Executor, task: Task) -> Delivery:
    """The way that suits an executor."""
    if shares_memory(executor):
        return ByReference(task)
    if dask_client(executor) is not None:
        return ByScattering(task)
    return ByFile(task)


class ByReference:
    """To threads of this process: things as they are."""

    copies = False
    at_once = True

    def __init__(self, task: Task):
        self._task = task

    def prepared(self, job: Job) -> Job:
        return job

    def submit(
        self, executor: Executor, jobs: Sequence[Job], threads: int, max_time: float | None
    ) -> Future[Reply | Undone]:
        return executor.submit(work_here, self._task, jobs, threads, max_time)

    def outcomes(self, reply: Reply) -> list[Outcome]:
        return reply.outcomes

    def missing(self) -> None:
        raise AssertionError("threads have the task")

    def close(self) -> None:
        pass


class _Pickled:
    """Jobs and outcomes between processes."""

    copies = True
    at_once = True

    def __init__(self) -> None:
        self._key = uuid.uuid4().hex
        self._backend = active_backend()

    def prepared(self, job: Job) -> bytes:
        return pickled(job)

    def _call(self, source: Any, *arguments: Any) -> tuple[Any, ...]:
        return work, self._key, source, self._backend, *arguments

    def outcomes(self, reply: Reply) -> list[Outcome]:
        return [pickle.loads(outcome) for outcome in reply.outcomes]

    def missing(self) -> None:
        pass


class ByFile(_Pickled):
    """To processes of this machine: a file in a temporary folder, which they map.

    Where a worker cannot read it, which may be on another machine, the task goes with the calls
    from then on; once a worker has it, it keeps it.
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

    def missing(self) -> None:
        if isinstance(self._source, str):
            self._source = np.fromfile(self._path, np.uint8)

    def close(self) -> None:
        self._folder.cleanup()


class ByScattering(_Pickled):
    """To the workers of Dask: scattered to all of them; Dask brings it to those that join later."""

    at_once = False  # but for as long as the data take

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
            if sum(map(len, jobs)) > SMALL:
                jobs = client.scatter(list(jobs), hash=False)
        except (OSError, TimeoutError) as error:  # workers that died, and none that is there
            if client.status != "running":
                raise
            raise NobodyThereError from error
        # Calls with equal arguments are calls of their own all the same.
        options = {**executor._kwargs, "pure": False}  # type: ignore[attr-defined]
        call = self._call(self._scattered, jobs, threads, max_time)
        return _followed(client.submit(*call, **options))

    def close(self) -> None:
        if self._client is not None and self._client.status == "running":
            with suppress(OSError):  # of a cluster that is being shut down
                self._client.run(forget, self._key, wait=False, on_error="ignore")
        self._scattered = self._client = None


def _followed(call: Any) -> Future[Reply | Undone]:
    """A future of Python's for one of Dask's.

    Those of Dask's executor are never done if a result is lost before it is fetched, and cannot be
    computed again.
    """
    own: Future[Reply | Undone] = Future()

    async def follow() -> None:
        error: Exception | None = None
        reply: Any = None
        try:
            reply = await call.client.gather(call, asynchronous=True)
        except asyncio.CancelledError as cancelled:
            error = CancelledError(*cancelled.args)  # that of futures of threads
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
