"""Whatever opens the database first, nobody else of the machine may read its file.

Django finds this module by its name. SQLite gives `-wal` and `-shm` the mode of the
database itself, so the file is made, or closed to others, before SQLite opens it.
"""

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.db.backends.sqlite3 import base

OWNER: Final = stat.S_IRUSR | stat.S_IWUSR  # 0600
_one_at_a_time = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        name = str(conn_params["database"])
        in_memory = ":memory:" in name or name.startswith("file:")
        if os.name == "posix" and not in_memory:
            # Somebody else's file, or a folder that is missing: SQLite says what is.
            with _one_at_a_time, suppress(OSError):
                keep_private(Path(name))
        return super().get_new_connection(conn_params)


def keep_private(database: Path) -> None:
    """Make a database's file for its owner alone, or close one that others may read.

    A group that may write was let in on purpose and stays.
    """
    # Never opened where it is there: POSIX drops all locks of a process on a file that
    # it closes once, those of SQLite in other threads among them.
    with suppress(FileExistsError):
        os.close(os.open(database, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER))
    for file in (database, *(Path(f"{database}{end}") for end in ("-wal", "-shm"))):
        if not file.exists():
            continue
        mode = stat.S_IMODE(file.stat().st_mode)
        allowed = 0o770 if mode & stat.S_IWGRP else 0o700
        if mode & ~allowed:
            file.chmod(mode & allowed)
