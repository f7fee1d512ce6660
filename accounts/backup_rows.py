"""All rows of the database as lines of JSON, and back: of SQLite and PostgreSQL alike.

Values go through the fields of the models, so that a backup of one database fits into
the other. Moments keep their microseconds: seals and galleries depend on them.
"""

import base64
import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.apps.registry import Apps
from django.contrib.sessions.models import Session
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.utils.duration import duration_iso_string

ROWS: Final = 1000  # read and written at once
# Whoever was logged in isn't any longer; a backup should hold no key to an account.
LEFT_OUT: Final = frozenset({Session._meta.label_lower})


@contextmanager
def snapshot() -> Iterator[None]:
    """See the database as it is at this moment, whatever is written meanwhile."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        # Django's own transactions are immediate: they would keep writers waiting.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic(durable=connection.vendor == "postgresql"):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("SET TRANSACTION READ ONLY")
        yield


def tables(apps: Apps) -> dict[str, type[models.Model]]:
    """Return every model that has rows of its own, by its label."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        kept = model._meta.managed and not model._meta.proxy
        if kept and model._meta.label_lower not in LEFT_OUT:
            found[model._meta.label_lower] = model
    return found


def columns(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [field for field in model._meta.local_concrete_fields if not field.generated]


def lines(apps: Apps) -> Iterator[str]:
    """Yield each table's head, its rows, and at the end how many there were."""
    counts = {}
    for label, model in tables(apps).items():
        names = [field.attname for field in columns(model)]
        yield _line({"table": label, "columns": names})
        rows = model._base_manager.order_by("pk").values_list(*names)
        counts[label] = 0
        for row in rows.iterator(ROWS):
            yield _line(row)
            counts[label] += 1
    yield _line({"end": counts})


def _line(value: Any) -> str:
    return json.dumps(value, default=_plain, separators=(",", ":")) + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return duration_iso_string(value)
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in a backup")


def replace_all(
    apps: Apps, groups: Iterable[tuple[str, list[str], Iterable[list[Any]]]]
) -> int:
    """Put rows in the place of all there are; return how many.

    `groups` are tables with their columns and rows. Belongs into a transaction of the
    caller's; raises IntegrityError where rows don't fit together.
    """
    known = tables(apps)
    emptied = [model._meta.db_table for model in known.values()]
    emptied.append(Session._meta.db_table)
    with connection.cursor() as cursor:
        for sql in connection.ops.sql_flush(no_style(), emptied):
            cursor.execute(sql)
    number = 0
    for label, names, rows in groups:
        number += _insert(known[label], names, rows)
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), list(known.values())):
            cursor.execute(sql)
    connection.check_constraints()
    return number


def _insert(
    model: type[models.Model], names: Sequence[str], rows: Iterable[list[Any]]
) -> int:
    by_name = {field.attname: field for field in columns(model)}
    fields = [by_name[name] for name in names]
    quote = connection.ops.quote_name
    listed = ", ".join(quote(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    # Names of our own models, quoted; values are parameters.
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({listed}) VALUES ({marks})"  # noqa: S608
    number = 0
    with connection.cursor() as cursor:
        reading = iter(rows)
        while some := [_prepared(fields, row) for row in islice(reading, ROWS)]:
            cursor.executemany(sql, some)
            number += len(some)
    return number


def _prepared(fields: list[models.Field[Any, Any]], row: list[Any]) -> list[Any]:
    return [
        field.get_db_prep_save(field.to_python(value), connection)
        for field, value in zip(fields, row, strict=True)
    ]
