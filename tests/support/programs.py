"""Programs that tests start in processes of their own, and C that tests compile."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

HERE = Path(__file__).parent
#: Seconds after which a program hangs, on a machine of any load.
HANG = 1200


def run_python(program, *arguments, timeout=HANG, prefix=(), **environment):
    """Run a Python program that may import what lies in this folder.

    `prefix` is a command to start Python with. After `timeout` seconds the program and whatever it
    started end, and the test fails.
    """
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [*prefix, sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": path} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        pytest.fail(f"no end after {timeout} s: {output}{errors}")
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def output_of(program, *arguments, **options):
    """Return the output of a program, which must end with status 0."""
    result = run_python(program, *arguments, **options)
    assert result.returncode == 0, f"status {result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout.strip()


def python_in(folder, *arguments):
    """Return the output of Python that imports the copy of the package in `folder`."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "FASTNN"))}
    outcome = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**variables, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "numba")},
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


def shared_library(source, folder, name, *options):
    """Compile C to a shared library; skips the test where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    code, library = folder / f"{name}.c", folder / f"{name}.so"
    code.write_text(textwrap.dedent(source))
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", library, code, "-ldl", *options]
    subprocess.run(command, check=True, timeout=HANG)
    return library
