"""Executors that searches are run on."""

import signal
import tempfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import util

import pytest
from executor_jobs import dask_client, needed

#: Seconds after which a test is ended that waits for others.
LIMIT = 300


@pytest.fixture
def limited():
    """A test that has an end, whatever becomes of the processes that it waits for."""

    def end(number, frame):
        raise TimeoutError(f"no end after {LIMIT} s")

    previous = signal.signal(signal.SIGALRM, end)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for temporary files, which searches leave as they found it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    util.get_temp_dir()  # of Python's own, for sockets, whose names must be short
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.glob("fastnn*"))


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def loky():
    with needed("loky").ProcessPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def dask():
    with dask_client() as client:
        yield client.get_executor()


EXECUTORS = ["threads", "processes", "loky", pytest.param("dask", marks=pytest.mark.slow)]


@pytest.fixture(params=EXECUTORS)
def executor(request):
    return request.getfixturevalue(request.param)
