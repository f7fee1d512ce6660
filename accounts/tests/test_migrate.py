"""Two replicas that start at once migrate one after the other."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections

from accounts.management.commands.migrate import alone

LONGEST = 300  # seconds, for the slowest machine


def begin(database_url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate", "--noinput"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_at_once_end_well_and_only_one_has_work(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    processes = [begin(url), begin(url)]
    answers = [process.communicate(timeout=LONGEST) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    idle = ["No migrations to apply" in out for out, _ in answers]
    assert sorted(idle) == [False, True]


@pytest.mark.django_db(transaction=True)
def test_who_comes_second_waits_until_the_first_is_done() -> None:
    order: list[str] = []
    tried = threading.Event()

    def second() -> None:
        tried.set()
        with alone(connection):
            order.append("second")
        connections.close_all()

    other = threading.Thread(target=second)
    with alone(connection):
        other.start()
        tried.wait()
        other.join(0.2)
        order.append("first")
    other.join(LONGEST)
    assert order == ["first", "second"]
