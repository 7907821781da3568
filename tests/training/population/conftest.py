"""The number of threads is the same after each test."""

import pytest

import fastnn


@pytest.fixture(autouse=True)
def threads_as_before():
    threads = fastnn.get_num_threads()
    yield
    fastnn.set_num_threads(threads)
