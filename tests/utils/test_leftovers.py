"""Temporary files of killed processes go with the next one, and those of living ones stay."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from fastnn import CSVLogger, Dense, EarlyStopping, Network, diagnose
from fastnn.errors import ArgumentError
from fastnn.utils import atomic_write
from fastnn.utils.leftovers import TemporaryFolder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks as POSIX has them")
X, y = np.arange(24.0).reshape(8, 3), np.arange(8) % 2

# Writes until it is killed, and says that it has begun.
WRITER = """
    import sys, time
    from fastnn.utils import atomic_write as atomic

    def chunks():
        yield b"a" * 1000
        print("begun", flush=True)
        time.sleep(60)

    atomic.write(sys.argv[1], chunks())
"""

FOLDER = """
    import sys, tempfile, time
    from fastnn.utils.leftovers import TemporaryFolder

    tempfile.tempdir = sys.argv[1]
    folder = TemporaryFolder("fastnn-test-")
    open(folder.name + "/data", "w").write("private")
    print("begun", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def started():
    processes = []

    def start(program, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout.readline() == "begun\n"
        return process

    yield start
    for process in processes:
        kill(process)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def temporary_files(folder):
    return [path for path in folder.iterdir() if atomic_write.TEMPORARY.fullmatch(path.name)]


def test_a_temporary_file_is_removed_by_the_next_writer_once_its_owner_is_gone(tmp_path, started):
    process = started(WRITER, tmp_path / "model")
    atomic_write.write(tmp_path / "other", [b"x"])
    assert len(temporary_files(tmp_path)) == 1  # its owner lives
    kill(process)
    atomic_write.write(tmp_path / "other", [b"x"])
    assert os.listdir(tmp_path) == ["other"]


def test_files_of_other_names_stay(tmp_path):
    names = [
        ".fastnn-0123.tmp",
        "x.fastnn-0123456789abcdef.tmp",
        ".fastnn-0123456789abcdef.tmp.bak",
    ]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / ".fastnn-0123456789abcdef.tmp").symlink_to(tmp_path / names[0])
    (tmp_path / ".fastnn-00000000000000ff.tmp").mkdir()
    before = set(os.listdir(tmp_path))
    atomic_write.write(tmp_path / "other", [b"x"])
    assert set(os.listdir(tmp_path)) == before | {"other"}


def test_a_writer_whose_new_file_was_taken_for_a_leftover_takes_another(tmp_path, monkeypatch):
    taken = []
    real = atomic_write.leftovers.lock

    def lock(descriptor):
        if not taken:
            taken.extend(temporary_files(tmp_path))
            taken[0].unlink()
        return real(descriptor)

    monkeypatch.setattr(atomic_write.leftovers, "lock", lock)
    atomic_write.write(tmp_path / "model", [b"x"])
    assert taken
    assert (tmp_path / "model").read_bytes() == b"x"


def test_a_temporary_folder_is_removed_by_the_next_once_its_owner_is_gone(
    tmp_path, started, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    process = started(FOLDER, tmp_path)
    [theirs] = tmp_path.iterdir()
    ours = TemporaryFolder("fastnn-test-")
    assert theirs.exists()
    kill(process)
    again = TemporaryFolder("fastnn-test-")
    assert not theirs.exists()
    assert Path(ours.name).exists()
    ours.cleanup()
    again.cleanup()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", ["to_html", "to_png"])
def test_reports_are_written_whole_or_not_at_all(write, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    net = Network([Dense(2)], loss="softmax_cross_entropy", seed=0)
    net.fit(X, y, epochs=1, verbose=0)
    found = diagnose(net, X, y, X, y, curve_sizes=None)
    path = tmp_path / "report"
    path.write_text("old")

    def disk_full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", disk_full)
        with pytest.raises(OSError, match=rf"\[Errno 28\] No space left on device: '{path}'$"):
            getattr(found, write)(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report"]
    getattr(found, write)(path)
    assert path.stat().st_size > 1000


def test_a_log_is_not_lost_to_a_fit_that_fails_before_its_first_epoch(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,learning_rate,loss\n1,0.1,2.0\n")
    net = Network([Dense(1)], loss="huber", seed=0)
    callbacks = [CSVLogger(path), EarlyStopping("val_loss")]
    with pytest.raises(ArgumentError):
        net.fit(X, y, callbacks=callbacks, verbose=0)
    assert path.read_text().endswith("1,0.1,2.0\n")
    path.unlink()
    with pytest.raises(ArgumentError):
        net.fit(X, y, callbacks=callbacks, verbose=0)
    assert not path.exists()


def test_a_line_of_a_log_is_whole_or_not_there(tmp_path):
    path = tmp_path / "log.csv"
    program = """
        import resource, signal, sys
        import numpy as np
        from fastnn import CSVLogger, Dense, Network
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
        net = Network([Dense(1)], loss="huber", seed=0)
        try:
            net.fit(np.ones((4, 2)), np.ones(4), epochs=99, callbacks=[CSVLogger(sys.argv[1])],
                    verbose=0)
        except OSError as error:
            print(error.filename)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(path)], capture_output=True, text=True
    )
    assert done.stdout == f"{path}\n", done.stderr
    lines = path.read_text().splitlines(keepends=True)
    assert len(lines) > 2
    assert all(line.endswith("\n") and line.count(",") == 2 for line in lines)
