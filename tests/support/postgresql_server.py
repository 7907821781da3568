"""A PostgreSQL server for those tests that need one."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest


def _programs():
    """The folder of initdb and postgres: Debian keeps them off the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    found = shutil.which("postgres")
    folders += [Path(found).resolve().parent] if found else []
    return folders[-1] if folders else None


def _unprivileged():
    """Return options for a process of another user than root, which the server refuses."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return {}


@pytest.fixture(scope="session")
def postgresql_server():
    """The folder of the Unix socket of a server that listens to nothing else."""
    pytest.importorskip("psycopg")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    who = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="fastnn-postgresql-"))  # short, as sockets' paths must be
    options = {"cwd": folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, **who}
    try:
        if who:
            os.chown(folder, who["user"], who["group"])
        data = folder / "data"
        initdb = [
            programs / "initdb",
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            "tester",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(initdb, check=True, capture_output=True, timeout=600, **options)
        command = [programs / "postgres", "-D", data, "-k", folder, "-h", "", "-F"]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, **options)
        try:
            _wait_for(server, folder)
            yield folder
        finally:
            server.send_signal(signal.SIGINT)  # SIGTERM would wait for connections to end
            server.wait(600)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(server, folder):
    import psycopg

    deadline = time.monotonic() + 600
    while True:
        assert server.poll() is None, (folder / "log").read_text()
        try:
            return psycopg.connect(host=str(folder), user="tester", dbname="postgres").close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)


@pytest.fixture
def postgresql(postgresql_server, request):
    """The URL of a new database."""
    import psycopg

    name = f"fastnn_{abs(hash(request.node.nodeid))}"
    where = {"host": str(postgresql_server), "user": "tester"}
    with psycopg.connect(dbname="postgres", autocommit=True, **where) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql+psycopg://tester@/{name}?host={postgresql_server}"
