"""Two states of the project, each built in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from environment import HARMFUL, ROOT

MODULE = "fastnn/kernels/**/*.so"


class RevisionError(Exception):
    """A state of the project cannot be had; the message is the reason."""


def prepare(name: str, folder: Path) -> Path:
    """Where the package of a revision can be imported from.

    A folder stands for itself, as it was built. A revision of git is taken out of the repository
    into `folder` and built there, once for all revisions of the same content.
    """
    if Path(name).is_dir():
        if not list(Path(name).glob(MODULE)):
            raise RevisionError(f"{name} is not built: python setup.py build_ext --inplace")
        return Path(name).resolve()
    tree = _git("rev-parse", "--verify", "--quiet", f"{name}^{{tree}}").decode().strip()
    target = folder / tree
    if not target.exists():
        target.mkdir(parents=True)
        _take_out(tree, target)
        _build(name, target)
    return target


def _git(*arguments: str) -> bytes:
    command = ["git", "-C", str(ROOT), *arguments]
    outcome = subprocess.run(command, capture_output=True, check=False)
    if outcome.returncode:
        words = outcome.stderr.decode().strip() or "there is no such revision"
        raise RevisionError(f"git {' '.join(arguments)}: {words}")
    return outcome.stdout


def _take_out(tree: str, target: Path) -> None:
    archive = _git("archive", "--format=tar", tree)
    subprocess.run(["tar", "-x", "-C", str(target)], input=archive, check=True)


def _build(name: str, target: Path) -> None:
    print(f"Building {name}", file=sys.stderr, flush=True)
    outcome = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=target,
        env={k: v for k, v in os.environ.items() if k not in HARMFUL},
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode:
        raise RevisionError(f"{name} cannot be built: {outcome.stderr.strip()[-2000:]}")
