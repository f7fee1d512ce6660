"""A school's database file is for its owner alone, whoever made it."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from attendance_site.private_sqlite.base import keep_private
from attendance_site.tests.live import Installation

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_migrate_makes_a_file_that_nobody_else_may_read(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        installation = Installation.make(tmp_path / "school")
        installation.manage("migrate", "--noinput", "--verbosity", "0")
    finally:
        os.umask(before)
    assert mode(Path(installation.database)) == "0o600"


@pytest.mark.parametrize(
    ("was", "will_be"),
    [(0o644, "0o600"), (0o666, "0o660"), (0o660, "0o660"), (0o400, "0o400")],
)
def test_a_file_that_others_may_read_is_closed_to_them(
    tmp_path: Path, was: int, will_be: str
) -> None:
    database = tmp_path / "db.sqlite3"
    files = [database, tmp_path / "db.sqlite3-wal", tmp_path / "db.sqlite3-shm"]
    for file in files:
        file.write_bytes(b"as it was")
        file.chmod(was)
    keep_private(database)
    assert [mode(file) for file in files] == [will_be] * 3
    assert database.read_bytes() == b"as it was"


def test_the_write_ahead_log_is_as_private_as_the_database(tmp_path: Path) -> None:
    installation = Installation.make(tmp_path / "school")
    installation.manage("migrate", "--noinput", "--verbosity", "0")
    look = (
        "from pathlib import Path; from django.conf import settings; "
        "from accounts.models import User; User.objects.update(full_name='x'); "
        "name = settings.DATABASES['default']['NAME']; "
        "print([oct(Path(f'{name}{end}').stat().st_mode)[-3:] "
        "for end in ('', '-wal', '-shm')])"
    )
    said = installation.manage("shell", "--verbosity", "0", "--command", look)
    assert "['600', '600', '600']" in said


def test_a_lock_on_the_file_outlives_another_connection(tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite3"
    with closing(sqlite3.connect(database, isolation_level=None)) as here:
        here.execute("CREATE TABLE one (number INTEGER)")
        here.execute("BEGIN EXCLUSIVE")
        keep_private(database)
        look = (
            "import sqlite3, sys; "
            "sqlite3.connect(sys.argv[1], timeout=0).execute('SELECT * FROM one')"
        )
        other = subprocess.run(  # noqa: S603  another process: locks are between them
            [sys.executable, "-c", look, str(database)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert "database is locked" in other.stderr
