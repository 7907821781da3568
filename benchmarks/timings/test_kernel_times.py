"""Every kernel of the table by size and dtype, its back ends in one group."""

from __future__ import annotations

import pytest
from workloads import kernels

from fastnn.kernels import BACKENDS

# What NumPy needs for the large ones would be most of the time.
RUNS = [
    pytest.param(size, backend, marks=[pytest.mark.slow] if size == "large" else [])
    for size in kernels.SIZES
    for backend in (BACKENDS if size == "small" else BACKENDS[:2])
]


@pytest.mark.parametrize(("size", "backend"), RUNS)
@pytest.mark.parametrize("dtype", kernels.DTYPES)
@pytest.mark.parametrize("subject", list(kernels.subjects()), ids=lambda subject: subject.name)
def test_kernel(timing, subject, dtype, size, backend):
    work = kernels.KernelWork(subject, size, dtype)
    try:
        call = kernels.KernelCall(work, backend)
    except NotImplementedError as error:
        pytest.skip(str(error))
    timing(work.name, call)
    call.check()
