"""Ctrl-C while the command line imports: one line, exit code 130, at once."""

import subprocess
import sys

import pytest

# Sends SIGINT when a module is looked for, and runs the command line.
PROGRAM = """
import runpy, signal, sys
from importlib.abc import MetaPathFinder

module, sys.argv[1:] = sys.argv[1], sys.argv[2:]

class Finder(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == module:
            signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Finder())
runpy.run_module("fastnn", run_name="__main__")
"""


@pytest.mark.parametrize(
    "module",
    ["fastnn.cli", "fastnn.errors", "fastnn.cli.demo", "pandas", "numpy", "sklearn", "scipy"],
)
def test_ctrl_c_while_modules_are_imported(module, tmp_path):
    table, out = tmp_path / "table.csv", tmp_path / "model"
    table.write_text("a,y\n" + "".join(f"{i}.5,{i % 2}\n" for i in range(40)))
    arguments = ["train", str(table), "--target", "y", "--out", str(out), "--epochs", "1"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, module, *arguments], capture_output=True, text=True
    )
    assert done.stderr == "fastnn: interrupted; no file was written\n"
    assert done.returncode == 130
    assert not out.exists()
