"""Fixtures that the whole suite may use."""

import pytest

from fastnn import kernels


@pytest.fixture(params=kernels.BACKENDS)
def backend(request):
    """Name of a back end, which is the active one during the test; the test runs on each."""
    with kernels.use(request.param):
        yield request.param
