"""A file is replaced whole or not at all, whatever goes wrong meanwhile."""

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from fastnn import Dense, Network

TEMPORARY = ".fastnn-*.tmp"
KILLS = 100 if os.environ.get("FASTNN_FULL") == "1" else 10


def network(seed, units=4):
    return Network([Dense(units)], loss="mean_squared_error", seed=seed).build(units)


def same(a, b):
    return np.array_equal(a.parameters, b.parameters)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def interrupt(*arguments):
    raise KeyboardInterrupt


def disk_full(*arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("failure", [interrupt, disk_full])
@pytest.mark.parametrize("call", ["fsync", "replace", "fchmod"])
def test_a_failure_leaves_the_old_file_and_nothing_else(call, failure, path, monkeypatch):
    network(0).save(path)
    before = path.read_bytes()
    monkeypatch.setattr(os, call, failure)
    with pytest.raises((KeyboardInterrupt, OSError)) as caught:
        network(1).save(path)
    monkeypatch.undo()
    if failure is disk_full:
        assert caught.value.errno == errno.ENOSPC
        assert caught.value.filename == str(path)
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


def test_a_write_that_the_system_cuts_off(path):
    """The kernel refuses to let a file grow beyond a limit, in the middle of the tensors."""
    network(0, units=64).save(path)
    before = path.read_bytes()
    program = f"""
import resource, signal
from fastnn import Dense, Network
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
network = Network([Dense(64)], loss="mean_squared_error", seed=1).build(64)
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
try:
    network.save({str(path)!r})
except OSError as error:
    print(error.errno, error.filename)
"""
    result = run(program)
    assert result.stdout.split() == [str(errno.EFBIG), str(path)], result.stderr
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == before


def run(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_data_reach_the_disk_before_the_name(path, monkeypatch):
    calls = []

    def record(name):
        function = getattr(os, name)

        def recorded(target, *arguments):
            directory = isinstance(target, int) and stat.S_ISDIR(os.fstat(target).st_mode)
            calls.append(f"{name} folder" if directory else name)
            return function(target, *arguments)

        monkeypatch.setattr(os, name, recorded)

    record("fsync")
    record("replace")
    network(0).save(path)
    assert calls == ["fsync", "replace", "fsync folder"]


def test_a_file_system_that_cannot_sync_folders(path, monkeypatch):
    fsync = os.fsync

    def files_only(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    network(0).save(path)
    assert same(Network.load(path), network(0))


# ----------------------------------------------------------------------------- where, and for whom


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_a_new_file_has_the_permissions_of_the_umask(umask, mode, path):
    previous = os.umask(umask)
    try:
        network(0).save(path)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_permissions_are_kept(path):
    network(0).save(path)
    path.chmod(0o604)
    network(1).save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604
    assert same(Network.load(path), network(1))


def test_a_symbolic_link_is_followed(path):
    target = path.parent / "target"
    path.symlink_to(target)
    for seed in (0, 1):
        network(seed).save(path)
        assert path.is_symlink()
        assert same(Network.load(target), network(seed))


def test_relative_paths_and_path_types(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    for name in ("a", b"b", path.parent / "c", "größe 模型"):
        network(0).save(name)
        assert same(Network.load(name), network(0))


def test_places_where_no_file_can_be(path):
    path.write_bytes(b"")
    (path.parent / "folder").mkdir()
    os.mkfifo(path.parent / "pipe")
    for name, error in [
        ("nowhere/model", FileNotFoundError),
        ("model.safetensors/model", NotADirectoryError),
        ("folder", IsADirectoryError),
        ("pipe", OSError),
        ("x" * 300, OSError),
    ]:
        with pytest.raises(error) as caught:
            network(0).save(path.parent / name)
        assert caught.value.filename == str(path.parent / name)
    assert stat.S_ISFIFO((path.parent / "pipe").stat().st_mode)
    assert not list(path.parent.rglob(TEMPORARY))


# --------------------------------------------------------------------------------- kills and races


def kill_while_saving(path, networks, runs):
    """Kill processes that save two networks by turns; the file must always be one of them."""
    units = networks[0].output_shape[0]
    program = f"""
from fastnn import Dense, Network
make = lambda seed: Network([Dense({units})], loss="mean_squared_error", seed=seed).build({units})
networks = [make(seed) for seed in range({len(networks)})]
print("ready", flush=True)
while True:
    for network in networks:
        network.save({str(path)!r})
"""
    moment = random.Random(0)
    for _ in range(runs):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            time.sleep(moment.uniform(0.01, 0.1))
            process.send_signal(signal.SIGKILL)
        loaded = Network.load(path)
        assert any(same(loaded, network) for network in networks)


def test_a_killed_process_leaves_a_whole_file(path):
    networks = [network(seed, units=200) for seed in range(2)]
    networks[0].save(path)
    kill_while_saving(path, networks, runs=KILLS)
    assert set(path.parent.iterdir()) == {path, *path.parent.glob(TEMPORARY)}


def test_concurrent_saves_leave_one_whole_file(path):
    networks = [network(seed, units=50) for seed in range(4)]
    networks[0].save(path)
    done = threading.Event()
    seen = []

    def write(network):
        for _ in range(10):
            network.save(path)

    def read():
        while not done.is_set():
            loaded = Network.load(path)
            seen.append(any(same(loaded, network) for network in networks))

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(network,)) for network in networks]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert seen
    assert all(seen)
    assert list(path.parent.iterdir()) == [path]


def test_errors_name_the_path_that_was_given_and_nothing_else(tmp_path):
    (tmp_path / "file").write_text("")
    for name in (tmp_path / "none" / "m", tmp_path / "file" / "m", tmp_path):
        with pytest.raises(OSError) as error:  # noqa: PT011 - which one depends on the path
            network(0).save(name)
        assert error.value.filename == str(name)
        assert str(error.value).endswith(f": '{name}'")
        assert type(error.value) is not OSError  # FileNotFoundError and its like
