"""Storages of studies, and those that are refused."""

import sqlite3
import sys
from pathlib import Path

import optuna
import pytest
from optuna.storages._rdb import models
from programs import output_of
from small_searches import SPACE, X, Y, build, run
from sqlalchemy import UniqueConstraint
from sqlalchemy.exc import OperationalError

from fastnn import ArgumentError, SearchError
from fastnn.errors import ArgumentTypeError, MissingDependencyError
from fastnn.search import search
from fastnn.search.study import storages, studies
from fastnn.search.study.storages import storage_of


@pytest.mark.parametrize(
    ("storage", "error", "message"),
    [
        ("search.db", ArgumentError, "storage must be a URL such as 'sqlite:///search.db', got 's"),
        ("", ArgumentError, "storage must be a URL"),
        (Path("search.db"), ArgumentTypeError, "storage must be a URL .* or None, got .*Path"),
        (3, ArgumentTypeError, "storage must be a URL .* got 3"),
        ("redis://there", ArgumentError, "SQLAlchemy knows no such database"),
        ("sqlite:////no/such/folder/s.db", ArgumentError, "cannot be opened: unable to open data"),
        ("postgresql+psycopg://me:secret@/x?host=/no/such", ArgumentError, r"me:\*\*\*@.* cannot"),
        ("mysql://there/x", MissingDependencyError, "needs mysqlclient: pip install mysqlclient"),
    ],
)
def test_storages_that_cannot_be_opened_are_refused(storage, error, message, monkeypatch):
    if "mysql" in str(storage):
        monkeypatch.setitem(__import__("sys").modules, "MySQLdb", None)
    if "psycopg" in str(storage):
        pytest.importorskip("psycopg")
    built = []
    with pytest.raises(error, match=message) as raised:
        run(build=built.append, storage=storage)
    assert not built
    assert "secret" not in str(raised.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    file = tmp_path / "search.db"
    file.write_text("my notes, which are not a database at all\n" * 50)
    before = file.read_bytes()
    with pytest.raises(ArgumentError, match="cannot be opened: file is not a database"):
        run(storage=f"sqlite:///{file}")
    assert file.read_bytes() == before


def test_a_database_of_another_version_of_optuna_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path}/search.db"
    run(storage=url, trials=1)
    with sqlite3.connect(tmp_path / "search.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v0.9.0.a'")
    connection.close()
    before = n_open(tmp_path)
    with pytest.raises(ArgumentError, match="no longer compatible with the table schema") as raised:
        run(storage=url)
    assert raised.value.__cause__ is not None  # its frames hold the engine
    assert n_open(tmp_path) <= before


def n_open(folder):
    """Return how many files of a folder this process has open; 0 where no system tells."""
    own = Path("/proc/self/fd")
    return sum(folder in file.resolve().parents for file in own.iterdir()) if own.is_dir() else 0


def test_a_database_that_others_are_making_is_opened_anew(tmp_path, monkeypatch):
    opened, attempts = storages._open, []

    def busy(url, options):
        attempts.append(url)
        if len(attempts) < 3:
            raise OperationalError("CREATE", {}, Exception("table studies already exists"))
        return opened(url, options)

    monkeypatch.setattr(storages, "_open", busy)
    assert len(run(storage=f"sqlite:///{tmp_path}/s.db", trials=2).trials) == 2
    assert len(attempts) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "its seed is 0, not 1; give seed=None to go on with it"),
        ({"cv": 3}, "its validation is 72 rows to train on, 18 to .*, not 3 folds, the f"),
        (
            {"X": X[:80], "y": Y[:80]},
            r"of other data: its X is \[90, 4\], dig.*, not \[80, 4\], dig",
        ),
    ],
)
def test_a_study_of_other_seed_rows_or_data_is_refused(tmp_path, change, message):
    url = f"sqlite:///{tmp_path}/search.db"
    run(storage=url, trials=1)
    options = {"X": X, "y": Y, "trials": 2, "sampler": "random", "epochs": 2, "seed": 0}
    with pytest.raises(ArgumentError, match=message):
        search(build, SPACE, storage=url, verbose=0, **options | change)


def test_a_study_of_which_nothing_but_the_name_was_written_is_taken(monkeypatch):
    monkeypatch.setattr(studies, "CREATION_SECONDS", 0.0)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.InMemoryStorage()
    optuna.create_study(storage=storage, study_name="fastnn")
    assert len(run(storage=storage, trials=2).trials) == 2
    optuna.create_study(storage=storage, study_name="up", direction="maximize")
    with pytest.raises(ArgumentError, match="'up' was not made"):
        run(storage=storage, study_name="up")


def test_a_study_that_another_search_creates_at_the_same_time_is_joined(monkeypatch):
    storage = optuna.storages.InMemoryStorage()
    seeds = []

    def late(base, name, objectives, made=studies.new_study):
        monkeypatch.undo()
        seeds.append(run(storage=storage, trials=1, seed=None).seed)
        return made(base, name, objectives)

    monkeypatch.setattr("fastnn.search.run.new_study", late)
    result = run(storage=storage, trials=3, seed=None)
    assert result.seed == seeds[0]
    assert len(result.trials) == 3


DISK_FULL = """
    import resource, sys
    from pathlib import Path
    from small_searches import run
    from fastnn import SearchError

    url, folder = sys.argv[1:]
    run(storage=url, trials=4, epochs=1)
    room = 50_000 + max(file.stat().st_size for file in Path(folder).iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    try:
        run(storage=url, trials=200, epochs=1, concurrent_trials=4)
    except SearchError as error:
        assert url in str(error), error
        assert "the same search goes on" in str(error)
        print(len(error.result.trials))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sizes of files cannot be limited")
def test_a_disk_that_fills_up_is_told_and_the_search_goes_on_later(tmp_path):
    """The limit on the size of files stands for the disk."""
    url = f"sqlite:///{tmp_path}/search.db"
    known = int(output_of(DISK_FULL, url, tmp_path))
    assert 4 <= known < 200
    trials = run(storage=url, trials=known + 6, epochs=1).trials
    assert trials["state"].eq("complete").all()
    assert trials["val_loss"].equals(run(trials=known + 6, epochs=1).trials["val_loss"])


def test_a_database_that_cannot_be_written_any_more_is_told(tmp_path):
    url = f"sqlite:///{tmp_path}/search.db"

    def drop(study, trial):
        with sqlite3.connect(tmp_path / "search.db") as connection:
            connection.execute("DROP TABLE trial_values")
        connection.close()

    with pytest.raises(SearchError, match=r"search.db' failed: no such table: trial_values; the t"):
        run(storage=url, callbacks=[drop])


def test_storages_of_optuna_are_taken_as_they_are(tmp_path):
    memory = optuna.storages.InMemoryStorage()
    assert storage_of(memory).base is memory
    assert storage_of(memory).shared
    assert not storage_of(None).shared
    database = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/s.db")
    assert storage_of(database).engine is database.engine
    database.engine.dispose()


def test_owners_are_in_the_table_that_optuna_has():
    table = models.TrialSystemAttributeModel.__table__
    assert table.name == storages.TABLE
    assert set(storages.COLUMNS) <= set(table.columns.keys())
    unique = [set(c.columns.keys()) for c in table.constraints if isinstance(c, UniqueConstraint)]
    assert {"trial_id", "key"} in unique
