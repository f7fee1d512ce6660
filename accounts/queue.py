"""The queue that calls workers: huey, in the database or, with REDIS_URL, in Redis.

It carries nothing but the numbers of jobs. A message that gets lost with a killed
worker or an emptied Redis is sent again by the sweep (`accounts/jobs.py`).
"""

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils.module_loading import import_string
from huey import PostgresHuey, RedisHuey, SqliteHuey, crontab
from huey.serializer import SignedSerializer

logger = logging.getLogger(__name__)

NAME = "rollbook"
SILENT = (redis.RedisError, sqlite3.Error, psycopg.Error, OSError)

# What runs by the clock: a name, minutes between runs, and a dotted function.
_periodic: dict[str, tuple[int, str]] = {}


def every(minutes: int, function: str) -> None:
    """Have a function called by a worker every few minutes (a divisor of 60).

    Several workers may call it at the same minute: it must stand being run twice.
    """
    _periodic[function] = (minutes, function)


@dataclass(frozen=True, slots=True)
class Queue:
    huey: Any
    perform: Any  # huey's wrapper of the one task that does a job


@cache
def get() -> Queue:
    """Return this process's queue; raises one of SILENT where it can't be reached."""
    options: dict[str, Any] = {
        # Messages are pickles: nobody but this installation may write one.
        "serializer": SignedSerializer(secret=settings.SECRET_KEY, salt=NAME),
        "results": False,
    }
    if settings.REDIS_URL:
        huey = RedisHuey(NAME, url=settings.REDIS_URL, **options)
    elif connection.vendor == "sqlite":
        file = connection.settings_dict["NAME"]
        huey = SqliteHuey(NAME, filename=str(file), timeout=20, **options)
    else:
        huey = PostgresHuey(NAME, connection=_connect, **options)
    perform = huey.task(name="perform")(_perform)
    for name, (minutes, function) in _periodic.items():
        clock = crontab(minute=f"*/{minutes}")
        huey.periodic_task(clock, name=name)(_calling(function))
    return Queue(huey, perform)


def _connect() -> Any:
    known = connection.settings_dict
    return psycopg.connect(
        dbname=known["NAME"],
        user=known["USER"] or None,
        password=known["PASSWORD"] or None,
        host=known["HOST"] or None,
        port=known["PORT"] or None,
        **{
            name: value
            for name, value in known["OPTIONS"].items()
            if name.startswith("ssl")
        },
    )


def _perform(job_id: int) -> None:
    from accounts import jobs

    _with_fresh_connections(lambda: jobs.perform(job_id))


def _calling(function: str) -> Callable[[], None]:
    def call() -> None:
        _with_fresh_connections(import_string(function))

    return call


def _with_fresh_connections(work: Callable[[], None]) -> None:
    close_old_connections()
    try:
        work()
    finally:
        close_old_connections()


def ring(job_id: int) -> str:
    """Call a worker to a job; return the message's id, or "" where nobody hears."""
    try:
        queue = get()
        message = queue.perform.s(job_id)
        queue.huey.enqueue(message)
    except SILENT as error:
        logger.error("no worker could be called: %s", error)
        return ""
    return str(message.id)


def is_busy() -> bool:
    """Say whether messages wait already, or none can be sent: both need no more."""
    try:
        return bool(get().huey.pending_count())
    except SILENT as error:
        logger.error("the queue does not answer: %s", error)
        return True
