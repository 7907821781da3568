"""Temporary files that a killed search leaves, its data among them."""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from small_searches import run

from fastnn.search.workers import transport

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]

SEARCHER = """
from fastnn.utils.leftovers import TemporaryFolder
from fastnn.search.workers.transport import FOLDER
folder = TemporaryFolder(FOLDER)
print(folder.name, flush=True)
input()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def searcher(folder):
    """A process that keeps a task in the folder, and the task."""
    process = subprocess.Popen(
        [sys.executable, "-c", SEARCHER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(folder)},
    )
    left = Path(process.stdout.readline().strip())
    (left / "task").write_text("private")
    return process, left


def test_the_next_search_removes_it_and_leaves_what_is_in_use(folder):
    (killed, left), (living, used) = searcher(folder), searcher(folder)
    try:
        killed.kill()
        killed.communicate()
        with ProcessPoolExecutor(1) as pool:
            run(trials=1, executor=pool)
        assert not left.exists()
        assert (used / "task").read_text() == "private"
    finally:
        living.communicate("\n")


def test_a_search_leaves_nothing_itself(folder):
    with ProcessPoolExecutor(1) as pool:
        run(trials=1, executor=pool)
    assert not list(folder.glob(f"{transport.FOLDER}*"))
