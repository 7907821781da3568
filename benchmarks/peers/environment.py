"""The virtual environment of the comparison: made once, and kept until its contents change.

Uses the standard library alone, since it runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: What the script itself needs.
REQUIRED = ("numpy", "threadpoolctl")
#: The newest release of which there is a build without CUDA, 2.13.0+cpu.
TORCH = "torch==2.13.0"
#: What it compares with; it goes on without those that cannot be installed.
COMPARED = ("scikit-learn", TORCH, "jax", "keras", "mkl", "blis")
#: Variables that would make the interpreter find other packages than those installed here.
HARMFUL = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH")
SOURCES = ("setup.py", "build_support.py", "pyproject.toml", "csrc/**/*", "fastnn/**/*.py*")


class Environment:
    """A virtual environment in a folder, and a record of what is in it."""

    def __init__(self, folder: Path):
        self.folder = folder.absolute()
        self.python = self.folder / "bin" / "python"
        self._record = self.folder / "installed.json"

    @property
    def inside(self) -> bool:
        """Return whether this process runs in it."""
        return Path(sys.prefix) == self.folder

    def prepare(self) -> None:
        """Install what is not there yet; raises CalledProcessError if fastnn cannot be."""
        if not self.python.exists():
            print(f"Making a virtual environment in {self.folder}", flush=True)
            venv.create(self.folder, with_pip=True)
        self._install("required", REQUIRED, " ".join(REQUIRED))
        for requirement in COMPARED:
            try:
                self._install(requirement, [requirement], requirement)
            except subprocess.CalledProcessError:
                print(f"{requirement} cannot be installed; going on without it", flush=True)
        self._install("fastnn", ["--force-reinstall", "--no-deps", str(ROOT)], _digest())

    def enter(self) -> None:
        """Go on in its interpreter, as the program that was called; does not return."""
        variables = {k: v for k, v in os.environ.items() if k not in HARMFUL}
        os.execve(self.python, [str(self.python), *sys.argv], variables)

    def _install(self, name: str, arguments: Sequence[str], state: str) -> None:
        """Run pip, unless it did so for the same state."""
        installed = json.loads(self._record.read_text()) if self._record.exists() else {}
        if installed.get(name) == state:
            return
        print(f"Installing {name if name != 'required' else state}", flush=True)
        command = [str(self.python), "-m", "pip", "install", "--quiet"]
        if name == "fastnn" and name not in installed:  # its dependencies, the first time
            subprocess.run([*command, str(ROOT)], check=True)
        else:
            subprocess.run([*command, *arguments], check=True)
        self._record.write_text(json.dumps({**installed, name: state}, indent=1))


def _digest() -> str:
    """Return the digest of all that fastnn is built from, and of the interpreter."""
    digest = hashlib.sha256(sys.version.encode())
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and path.suffix not in (".pyc", ".so"):
                digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()
