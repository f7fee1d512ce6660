"""Django's migrate, one process at a time: of two that start at once one waits."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Any number will do, as long as no other program in the database takes the same lock.
LOCK = 7_263_014_552
LONGEST = 3600  # seconds that a migration of another process may take


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        # What is left to do is read after the lock: the other one may have done it.
        with alone(connections[options["database"]]):
            super().handle(*args, **options)


@contextmanager
def alone(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Keep all other migrations of a database waiting; a killed process lets go."""
    if connection.vendor == "postgresql":
        with _advisory_lock(connection):
            yield
    elif connection.vendor == "sqlite" and _is_file(connection):
        with _lock_beside(str(connection.settings_dict["NAME"])):
            yield
    else:
        yield


@contextmanager
def _advisory_lock(connection: BaseDatabaseWrapper) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        yield
    finally:
        # A connection that broke has let go by itself.
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _is_file(connection: BaseDatabaseWrapper) -> bool:
    name = str(connection.settings_dict["NAME"])
    return ":memory:" not in name and "mode=memory" not in name


@contextmanager
def _lock_beside(database: str) -> Iterator[None]:
    """Hold the lock of an empty database beside the real one.

    The real one can't be locked as a whole: each migration is a transaction of its own.
    """
    name = f"{database}-migrating"
    with closing(sqlite3.connect(name, timeout=LONGEST, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield
        lock.execute("ROLLBACK")
