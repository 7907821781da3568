"""The build: what its files hold, and what it says where something is missing."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest
from project import ROOT

from fastnn import __version__

pytest.importorskip("Cython")
pytest.importorskip("setuptools", minversion="77")

NOT_SOURCE = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.so", "*.egg-info")

if not (ROOT / "csrc").is_dir():
    pytest.skip("needs the source tree", allow_module_level=True)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the source tree, so that nothing is left in it and nothing of it helps."""
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("source") / "fastnn", ignore=NOT_SOURCE)


def build(source, command, folder, **environment):
    """Runs one hook of the build back end, as pip does."""
    program = f"import setuptools.build_meta as b; print(b.{command}({str(folder)!r}))"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=source,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def built(source, command, folder, **environment):
    result = build(source, command, folder, **environment)
    assert result.returncode == 0, result.stderr
    return folder / result.stdout.splitlines()[-1]


def check_one_sentence(result, *parts):
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("fastnn needs")
    assert all(part in last for part in parts)
    assert "Traceback" not in result.stderr


def script(folder, text):
    path = folder / "cc"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_sdist_holds_what_a_build_needs(source, tmp_path):
    archive = built(source, "build_sdist", tmp_path)
    assert archive.name == f"fastnn_cpu-{__version__}.tar.gz"
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    wanted = {str(path.relative_to(ROOT)) for path in (ROOT / "csrc").rglob("*.*")}
    wanted |= {"setup.py", "build_support.py", "pyproject.toml", "fastnn/py.typed"}
    wanted |= {
        "fastnn/kernels/native/extension.pyx",
        "fastnn/kernels/native/extension.pyi",
        "tests/project/test_build.py",
    }
    assert wanted <= names
    assert not [name for name in names if name.endswith((".so", ".pyc", "extension.c"))]


@pytest.mark.parametrize("compiler", ["/nonexistent/cc", "false"])
def test_without_a_compiler_there_is_one_clear_sentence(source, tmp_path, compiler):
    result = build(source, "build_wheel", tmp_path, CC=compiler)
    check_one_sentence(result, "C compiler", compiler, "apt install gcc")


def test_with_an_empty_path_there_is_one_clear_sentence(source, tmp_path):
    environment = {"PATH": str(tmp_path)} | ({"CC": "cc"} if "CC" in os.environ else {})
    check_one_sentence(build(source, "build_wheel", tmp_path, **environment), "C compiler")


def test_without_headers_there_is_one_clear_sentence(source, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    fake = script(
        tmp_path, f'for a; do grep -qs -- Python.h "$a" && exit 1; done; exec {compiler} "$@"'
    )
    result = build(source, "build_wheel", tmp_path, CC=fake)
    check_one_sentence(result, "Python.h", "apt install python3-dev")


@pytest.fixture(scope="module")
def serial_wheel(source, tmp_path_factory):
    """A wheel whose build found no OpenMP, since its compiler does not know the flag."""
    folder = tmp_path_factory.mktemp("wheel")
    compiler = shutil.which("cc") or shutil.which("gcc")
    fake = script(folder, f'case "$*" in *-fopenmp*) exit 1 ;; esac; exec {compiler} "$@"')
    return built(source, "build_wheel", folder, CC=fake)


@pytest.mark.slow
def test_wheel_holds_no_sources_of_the_native_part(serial_wheel):
    with zipfile.ZipFile(serial_wheel) as wheel:
        names = wheel.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"fastnn", f"fastnn_cpu-{__version__}.dist-info"}
    assert not [name for name in names if name.endswith((".c", ".h", ".def", ".o"))]
    assert "fastnn/py.typed" in names
    assert "fastnn/kernels/native/extension.pyi" in names


SERIAL = """
import fastnn, numpy as np
native = fastnn.show_config(mode="dict")["native"]
assert native["openmp"] is None and native["threads"] == 1, native
fastnn.show_config()
fastnn.set_num_threads(4)
x = np.arange(90_000.0).reshape(300, 300)
y = np.empty_like(x)
fastnn.kernels.dense_fwd(y, x, x, None, "identity")
assert np.array_equal(y, x @ x)  # integers, exact in any order
"""


@pytest.mark.slow
def test_build_without_openmp_works_and_says_so(serial_wheel, tmp_path):
    with zipfile.ZipFile(serial_wheel) as wheel:
        wheel.extractall(tmp_path)
    result = subprocess.run(
        [sys.executable, "-c", SERIAL],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "no: native kernels run serially" in result.stdout
