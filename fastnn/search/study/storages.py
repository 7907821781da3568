"""Storages: where studies are kept, opened from a URL; and which searcher has which trial."""

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
from .studies import quiet

#: Where a trial keeps who has it; None is nobody.
OWNER = "fastnn: searcher"

#: Drivers that are not called as the packages that hold them.
_PACKAGES = {"MySQLdb": "mysqlclient"}

#: Seconds that one searcher waits for the others to finish writing, where a file is the database.
_PATIENCE = 60
#: How often a new database is opened anew if another searcher was making its tables meanwhile.
_ATTEMPTS = 5


@dataclass(frozen=True)
class Storage:
    """What keeps the study.

    Attributes
    ----------
    base : optuna.storages.BaseStorage
    shared : bool
        Whether other searchers may be at the same study.
    engine : sqlalchemy.Engine or None
        Of a database.
    """

    base: BaseStorage
    shared: bool = True
    engine: Any = None

    def study_id(self, study: optuna.Study) -> int:
        """How the storage calls a study."""
        return self.base.get_study_id_from_name(study.study_name)

    def hand_over(self, trial_id: int, trial: FrozenTrial, owner: str) -> bool:
        """Give a trial to another owner, unless somebody else has done so since it was read.

        Optuna has no such step. In a database it is one statement, so that of several searchers
        that try, one succeeds. Other storages are read, then written.
        """
        if self.engine is None:
            known = self.base.get_trial_system_attrs(trial_id).get(OWNER)
            if known != trial.system_attrs.get(OWNER):
                return False
            self.base.set_trial_system_attr(trial_id, OWNER, owner)
            return True
        import sqlalchemy

        try:
            return self._hand_over(trial_id, trial, owner)
        except sqlalchemy.exc.SQLAlchemyError as error:  # as Optuna does
            raise StorageInternalError(str(error)) from error

    def _hand_over(self, trial_id: int, trial: FrozenTrial, owner: str) -> bool:
        import sqlalchemy

        columns: list[Any] = [sqlalchemy.column(name) for name in ("trial_id", "key", "value_json")]
        table = sqlalchemy.table("trial_system_attributes", *columns)
        this, new = {"trial_id": trial_id, "key": OWNER}, {"value_json": json.dumps(owner)}
        with self.engine.begin() as connection:
            if OWNER in trial.system_attrs:
                known = json.dumps(trial.system_attrs[OWNER])
                change = table.update().filter_by(**this, value_json=known).values(**new)
                return connection.execute(change).rowcount == 1
            try:
                connection.execute(table.insert().values(**this, **new))
            except sqlalchemy.exc.IntegrityError:  # somebody was faster: a trial has one such row
                return False
            return True


def storage_of(storage: Any) -> Storage:
    """The storage that the argument of `search` describes.

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
    """A database, its tables made if it is new."""
    import sqlalchemy

    try:
        options = _engine_options(sqlalchemy.make_url(url).get_backend_name())
        for _ in range(_ATTEMPTS - 1):
            try:
                return _opened(url, options)
            except sqlalchemy.exc.DBAPIError as error:
                if not _others_made_tables(error):
                    raise
            time.sleep(random.uniform(0.1, 0.5))
        return _opened(url, options)
    except sqlalchemy.exc.NoSuchModuleError as error:
        raise ArgumentError(f"storage {shown(url)!r}: SQLAlchemy knows no such database") from error
    except sqlalchemy.exc.ArgumentError:
        raise ArgumentError(
            f"storage must be a URL such as 'sqlite:///search.db', got {url!r}"
        ) from None
    except ImportError as error:
        driver = getattr(error.__cause__ or error, "name", None) or "a driver"
        package = _PACKAGES.get(driver, driver)
        raise MissingDependencyError(
            f"storage {shown(url)!r} needs {package}: pip install {package}", name=driver
        ) from error
    except Exception as error:  # each driver has its own
        reason = getattr(error, "orig", None) or error
        raise ArgumentError(f"storage {shown(url)!r} cannot be opened: {reason}") from error


def shown(url: str) -> str:
    """A URL without its password."""
    import sqlalchemy

    try:
        parsed = sqlalchemy.make_url(url)
    except sqlalchemy.exc.ArgumentError:  # is no URL
        return url
    return url if parsed.password is None else parsed.render_as_string(hide_password=True)


@contextmanager
def failures_named(storage: Storage) -> Iterator[None]:
    """Raise `SearchError` where a database fails while it is in use: a full disk, a lost server."""
    try:
        yield
    except StorageInternalError as error:
        raise failure(storage, error) from error


def failure(storage: Storage, error: BaseException) -> SearchError:
    """Return an error that names a storage by its address, with the words of its driver."""
    reason: BaseException | None = error
    while reason is not None and getattr(reason, "orig", None) is None:
        reason = reason.__cause__ or reason.__context__
    name = f"storage {shown(str(storage.engine.url))!r}" if storage.engine else "the storage"
    return SearchError(
        f"{name} failed: {getattr(reason, 'orig', None) or error}; the trials that it holds are "
        "whole, and the same search goes on with them once that is mended"
    )


class _File(sqlite3.Connection):
    """Writes ahead (https://sqlite.org/wal.html): a trial takes a dozen commits.

    What was committed survives the end of the process, whatever ends it; without power, the file
    stays whole, but the last commits may be missing.
    """

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.execute("PRAGMA journal_mode = WAL").close()
        self.execute("PRAGMA synchronous = NORMAL").close()


def _opened(url: str, options: dict[str, Any]) -> RDBStorage:
    with quiet():
        storage = RDBStorage(url, engine_kwargs=dict(options))
    weakref.finalize(storage, storage.engine.dispose)  # drivers warn of connections left open
    return storage


def _engine_options(backend: str) -> dict[str, Any]:
    """A file is waited for while others write; a connection that was lost is made anew."""
    if backend == "sqlite":
        return {"connect_args": {"timeout": _PATIENCE, "factory": _File}}
    return {"pool_pre_ping": True}


def _others_made_tables(error: Exception) -> bool:
    """Whether two searchers made the tables of a new database at once."""
    text = str(error).lower()
    return any(word in text for word in ("already exists", "duplicate", "unique", "is locked"))
