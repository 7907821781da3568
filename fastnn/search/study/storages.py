"""Storages of studies, opened from a URL; the atomic change of a trial's owner."""

from __future__ import annotations

import json
import random
import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.trial import FrozenTrial

from ...errors import ArgumentError, ArgumentTypeError, MissingDependencyError, SearchError
from ...runtime.interrupts import DeferredInterrupt
from .studies import quiet

#: System attribute of a trial that holds its owner; None is nobody.
OWNER = "fastnn: searcher"

#: Optuna's private table of system attributes; each trial has a key once.
TABLE, COLUMNS = "trial_system_attributes", ("trial_id", "key", "value_json")

#: Packages of drivers whose module has another name.
_PACKAGES = {"MySQLdb": "mysqlclient"}

#: Seconds to wait for the lock of a database file.
_LOCK_SECONDS = 60
#: Attempts to open a new database while another search creates its tables.
_ATTEMPTS = 5


@dataclass(frozen=True)
class Storage:
    """A storage of studies.

    Attributes
    ----------
    base : optuna.storages.BaseStorage
    shared : bool
        Whether other searches may use the same study.
    engine : sqlalchemy.Engine or None
        The engine of a database.
    """

    base: BaseStorage
    shared: bool = True
    engine: Any = None

    def study_id(self, study: optuna.Study) -> int:
        """Return the storage's number of a study."""
        return self.base.get_study_id_from_name(study.study_name)

    def change_owner(self, trial_id: int, trial: FrozenTrial, owner: str) -> bool:
        """Change the owner of a trial unless it changed since the trial was read.

        Return whether it was changed. Optuna has no such operation. In a database it is one
        conditional statement, so that exactly one of several searches succeeds. Other storages are
        read, then written.
        """
        if self.engine is None:
            known = self.base.get_trial_system_attrs(trial_id).get(OWNER)
            if known != trial.system_attrs.get(OWNER):
                return False
            self.base.set_trial_system_attr(trial_id, OWNER, owner)
            return True
        import sqlalchemy

        try:
            return self._change_owner_in_table(trial_id, trial, owner)
        except sqlalchemy.exc.SQLAlchemyError as error:  # as Optuna does
            raise StorageInternalError(str(error)) from error

    def _change_owner_in_table(self, trial_id: int, trial: FrozenTrial, owner: str) -> bool:
        import sqlalchemy

        columns: list[Any] = [sqlalchemy.column(name) for name in COLUMNS]
        table = sqlalchemy.table(TABLE, *columns)
        this, new = {"trial_id": trial_id, "key": OWNER}, {"value_json": json.dumps(owner)}
        with self.engine.begin() as connection:
            if OWNER in trial.system_attrs:
                known = json.dumps(trial.system_attrs[OWNER])
                change = table.update().filter_by(**this, value_json=known).values(**new)
                return connection.execute(change).rowcount == 1
            try:
                connection.execute(table.insert().values(**this, **new))
            except sqlalchemy.exc.IntegrityError:  # another search was faster: the key is unique
                return False
            return True


def storage_of(storage: Any) -> Storage:
    """Return the storage that the argument of `search` describes.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        It is no URL of a database, no storage of Optuna, or cannot be opened.
    MissingDependencyError
        The driver of that kind of database is not installed.
    """
    if storage is None:
        return Storage(InMemoryStorage(), shared=False)
    if isinstance(storage, str):
        storage = _database(storage)
    if isinstance(storage, RDBStorage):
        return Storage(optuna.storages.get_storage(storage), engine=storage.engine)
    if isinstance(storage, BaseStorage):
        return Storage(storage)
    raise ArgumentTypeError(
        "storage must be a URL such as 'sqlite:///search.db', a storage of Optuna, or None, "
        f"got {storage!r}"
    )


def _database(url: str) -> RDBStorage:
    """Open a database, and create its tables if it is new.

    Ctrl-C waits while packages are imported: one that it leaves imported by half fails from then
    on.
    """
    with DeferredInterrupt(waiting=True):
        import alembic.command
        import alembic.config
        import alembic.migration  # noqa: F401 Optuna needs all three
        import sqlalchemy.orm

    try:
        with DeferredInterrupt(waiting=True):
            sqlalchemy.make_url(url).get_dialect().import_dbapi()
        options = _engine_options(sqlalchemy.make_url(url).get_backend_name())
        for _ in range(_ATTEMPTS - 1):
            try:
                return _open(url, options)
            except sqlalchemy.exc.DBAPIError as error:
                if not _tables_were_made_meanwhile(error):
                    raise
            time.sleep(random.uniform(0.1, 0.5))
        return _open(url, options)
    except sqlalchemy.exc.NoSuchModuleError as error:
        raise ArgumentError(
            f"storage {without_password(url)!r}: SQLAlchemy knows no such database"
        ) from error
    except sqlalchemy.exc.ArgumentError:
        raise ArgumentError(
            f"storage must be a URL such as 'sqlite:///search.db', got {url!r}"
        ) from None
    except ImportError as error:
        driver = getattr(error.__cause__ or error, "name", None) or "a driver"
        package = _PACKAGES.get(driver, driver)
        raise MissingDependencyError(
            f"storage {without_password(url)!r} needs {package}: pip install {package}", name=driver
        ) from error
    except Exception as error:  # the class depends on the driver
        reason = getattr(error, "orig", None) or error
        raise ArgumentError(
            f"storage {without_password(url)!r} cannot be opened: {reason}"
        ) from error


def without_password(url: str) -> str:
    """Return a URL with its password masked."""
    import sqlalchemy

    try:
        parsed = sqlalchemy.make_url(url)
    except sqlalchemy.exc.ArgumentError:  # is no URL
        return url
    return url if parsed.password is None else parsed.render_as_string(hide_password=True)


@contextmanager
def storage_errors_translated(storage: Storage) -> Iterator[None]:
    """Translate errors of a database in use, such as a full disk, into `SearchError`."""
    try:
        yield
    except StorageInternalError as error:
        raise storage_error(storage, error) from error


def storage_error(storage: Storage, error: BaseException) -> SearchError:
    """Return an error with the address of the storage and the message of its driver."""
    reason: BaseException | None = error
    while reason is not None and getattr(reason, "orig", None) is None:
        reason = reason.__cause__ or reason.__context__
    name = (
        f"storage {without_password(str(storage.engine.url))!r}"
        if storage.engine
        else "the storage"
    )
    return SearchError(
        f"{name} failed: {getattr(reason, 'orig', None) or error}; the trials that it holds are "
        "whole, and the same search goes on with them once that is mended"
    )


class _WriteAheadConnection(sqlite3.Connection):
    """A connection to SQLite in WAL mode (https://sqlite.org/wal.html): a trial takes 12 commits.

    Commits survive any end of the process; after a power failure the file is consistent, but the
    last commits may be missing.
    """

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.execute("PRAGMA journal_mode = WAL").close()
        self.execute("PRAGMA synchronous = NORMAL").close()


def _open(url: str, options: dict[str, Any]) -> RDBStorage:
    """Open a database; close its connections with the storage, or if it cannot be opened.

    Some drivers warn about connections that are left to the garbage collector.
    """
    import sqlalchemy

    connections: list[Any] = []

    def note(connection: Any, _: Any) -> None:
        connections.append(connection)

    try:
        with quiet():
            storage = RDBStorage(url, engine_kwargs={**options, "pool_events": [(note, "connect")]})
    except BaseException:
        for connection in connections:
            connection.close()
        raise
    sqlalchemy.event.remove(storage.engine.pool, "connect", note)
    weakref.finalize(storage, storage.engine.dispose)
    return storage


def _engine_options(backend: str) -> dict[str, Any]:
    """Return engine options that wait for locks of a file, or replace lost connections."""
    if backend == "sqlite":
        return {"connect_args": {"timeout": _LOCK_SECONDS, "factory": _WriteAheadConnection}}
    return {"pool_pre_ping": True}


def _tables_were_made_meanwhile(error: Exception) -> bool:
    """Return whether another search created the tables of a new database at the same time."""
    text = str(error).lower()
    return any(word in text for word in ("already exists", "duplicate", "unique", "is locked"))
