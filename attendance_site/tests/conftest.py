"""A database in which a real server can start."""

import shutil
from pathlib import Path

import pytest

from attendance_site.tests.test_start import run


@pytest.fixture(scope="session")
def empty_school(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with all tables and nobody in it."""
    folder = tmp_path_factory.mktemp("tables")
    done = run(folder, "manage.py", "migrate", "--noinput", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    return folder / "db.sqlite3"


@pytest.fixture
def school(tmp_path: Path, empty_school: Path) -> Path:
    """Return a folder with a database of its own, in which a server can start."""
    shutil.copy(empty_school, tmp_path)
    return tmp_path
