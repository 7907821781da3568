"""Fixtures that the whole suite may use."""

import os
import signal

import pytest

from fastnn import kernels

# Programs that tests start import the installed package, not the folder they happen to start in.
os.environ["PYTHONSAFEPATH"] = "1"


@pytest.fixture(params=kernels.BACKENDS)
def backend(request):
    """Name of a back end, which is the active one during the test; the test runs on each."""
    with kernels.use(request.param):
        yield request.param


@pytest.fixture(scope="session", autouse=True)
def answer_to_ctrl_c():
    """Jobs in the background start with Ctrl-C ignored, and their children inherit that."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)
