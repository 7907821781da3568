"""Size, import and compilation of the package."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import fastnn

ROOT = Path(fastnn.__file__).parent
LEFT_OUT = (".pyx", ".pxi")  # no wheel has them, nor what Python and Numba compile on the spot
IMPORTS = {"fastnn": "from fastnn import Dense, Network", "numpy": "import numpy"}


def wheel_bytes() -> int:
    """Return the size of the installed files, compressed as a wheel compresses them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(ROOT.rglob("*")):
            cached = "__pycache__" in path.parts
            if path.is_file() and path.suffix not in LEFT_OUT and not cached:
                archive.write(path, path.relative_to(ROOT.parent))
    return len(buffer.getvalue())


def import_in_a_fresh_interpreter(package: str) -> None:
    """Import the very package that this process has imported, or NumPy."""
    command = [sys.executable, "-P", "-c", IMPORTS[package]]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT.parent)}, check=True)


def sources() -> Path:
    """Return the folder with the csrc/ of the package; NotImplementedError if it is gone.

    asv keeps the checkout of a commit in the environment; an editable installation is one itself.
    """
    for folder in (Path(sys.prefix, "project"), ROOT.parent):
        if (folder / "csrc" / "isa").is_dir():
            return folder
    raise NotImplementedError("there are no sources beside the package")


def compile_kernels(compiler: str = "cc") -> None:
    """Compile the kernels for the instruction set that every machine has, as the build does."""
    flags = ["-std=gnu11", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"]
    source = ["-w", "-c", "csrc/isa/baseline.c", "-Icsrc", "-o", "/dev/null"]
    subprocess.run([compiler, *flags, *source], cwd=sources(), check=True)
