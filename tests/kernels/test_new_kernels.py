"""A kernel that is added to the table is tested and measured without another edit."""

import importlib.util
import shutil
from pathlib import Path

import pytest
from programs import python_in
from project import ROOT

import fastnn

KERNEL = """@kernel(arrays={"y": Array("*", "w"), "x": Array("*")}, flops=per("*", 1))
def twice(y, x):
    y[...] = x + x
"""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """The project with one more function in its reference."""
    folder = tmp_path_factory.mktemp("scratch")
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(fastnn.__file__).parent, folder / "fastnn", ignore=caches)
    for part in ("tests/kernels", "benchmarks"):
        ignored = shutil.ignore_patterns("__pycache__", ".venv*", "results")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    for part in ("tests/conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / part, folder / part)
    path = folder / "fastnn" / "kernels" / "reference" / "penalty.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n\n" + KERNEL, encoding="utf-8")
    return folder


@pytest.mark.parametrize("file", ["tests/kernels/test_table.py", "benchmarks/pytest"])
def test_it_is_tested_and_timed_by_pytest(scratch, file):
    plugin = ["--benchmark-disable"] if importlib.util.find_spec("pytest_benchmark") else []
    chosen = "twice and not native and not any_arguments"
    printed = python_in(
        scratch, *("-m", "pytest", "-v", "-p", "no:cacheprovider", file, "-k", chosen), *plugin
    )
    for backend in ("reference", "numba"):
        lines = [line for line in printed.splitlines() if "twice" in line and backend in line]
        assert len(lines) >= 2, backend  # in float32 and in float64, at least
        if plugin or file.startswith("tests"):
            assert all(" PASSED" in line for line in lines)


def test_asv_finds_it(scratch):
    pytest.importorskip("asv_runner")
    program = (
        "import json, sys; from asv_runner.discovery import list_benchmarks\n"
        "sys.path.insert(0, 'benchmarks')\n"
        "list_benchmarks('benchmarks/asv', open('found.json', 'w'))"
    )
    python_in(scratch, "-c", program)
    found = (scratch / "found.json").read_text()
    assert '"kernels.twice.time_call"' in found
    assert '"limits.twice.track_share_of_stream"' in found
