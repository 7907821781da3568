"""Searches on the ranks of MPI."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import programs
import pytest
from executor_jobs import needed

TIMEOUT = 120  # seconds
RANKS = 3

#: Open MPI refuses to run as root, or with more ranks than cores, unless told.
ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


@pytest.fixture
def mpiexec():
    """The command that starts ranks: the one told, that of this environment, or the system's."""
    needed("mpi4py")
    own = Path(sys.executable).with_name("mpiexec")
    command = os.environ.get("MPIEXEC") or (str(own) if own.exists() else shutil.which("mpiexec"))
    if command is None:
        if os.environ.get("FASTNN_ALL_EXECUTORS") == "1":
            pytest.fail("there is no mpiexec")
        pytest.skip("there is no mpiexec")
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    return [command, *["--oversubscribe"] * ("Open MPI" in version.stdout)]


@pytest.mark.slow
def test_ranks_train_the_trials_of_this_process(mpiexec, tmp_path):
    folder = programs.HERE
    program = [sys.executable, "-m", "mpi4py.futures", str(folder / "mpi_program.py"), str(RANKS)]
    process = subprocess.Popen(
        [*mpiexec, "-n", str(RANKS), *program],
        env={**os.environ, **ENVIRONMENT, "PYTHONPATH": _with(folder), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        told, _ = process.communicate(timeout=TIMEOUT)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)  # mpiexec ends its ranks
            process.wait(timeout=600)
    assert told.split() == ["done"], told
    assert process.returncode == 0
    assert not list(tmp_path.glob("fastnn*"))


def _with(folder):
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
