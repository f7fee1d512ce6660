"""Make deleted rows vanish from SQLite's files, not only from its tables."""

import logging

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)

WAIT_MS = 2000  # for readers that still need the log; the next run tries again


def scrub() -> bool:
    """Empty SQLite's write-ahead log; return whether nothing old is left in it.

    `secure_delete` overwrites deleted rows with zeros, but the log still holds the
    pages as they were until it is written back and cut to nothing. Call it outside of
    a transaction. Other databases do this in their own time (docs/privacy.md).
    """
    if connection.vendor != "sqlite":
        return True
    patience = connection.settings_dict["OPTIONS"].get("timeout", 5)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _frames, _done = cursor.fetchone()
            cursor.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
    except DatabaseError as error:
        logger.warning("the write-ahead log was not emptied: %s", error)
        return False
    if busy:
        logger.warning("the write-ahead log is in use and will be emptied later")
    return not busy
