"""Fifty requests at once leave one session and one record, thanks to the database.

The race is first shown to happen without the constraint that prevents it.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import close_old_connections, connection, connections

from accounts.models import User
from attendance.models import Record, Session, SessionQuerySet
from classroom.models import Classroom, Student
from conftest import ApiFactory
from faces.tests.factories import make_template
from faces.tests.fakes import photo_of
from faces.tests.photos import upload

# Threads have connections of their own, so the rows must be committed.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("fake_engine"),
]

CLIENTS = 50
CLEO = 1


def all_at_once(call: Callable[[], Any]) -> list[Any]:
    """Run a call in CLIENTS threads that start together; return what they returned."""
    barrier = threading.Barrier(CLIENTS)
    answers: list[Any] = []

    def run() -> None:
        barrier.wait()
        try:
            answers.append(call())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close_old_connections()
    return answers


@contextmanager
def without_the_constraint() -> Iterator[None]:
    """Take away what allows one ad-hoc session a day, and then the rows it let in."""
    (constraint,) = [c for c in Session._meta.constraints if "ad_hoc" in c.name]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Session, constraint)
    try:
        yield
    finally:
        Record.objects.all().delete()
        Session.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Session, constraint)


@pytest.fixture
def all_look_before_one_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold every thread after its first look for the day's session: the worst case."""
    everybody_looked = threading.Barrier(CLIENTS)
    this_thread = threading.local()
    look = SessionQuerySet.get

    def look_and_wait(sessions: SessionQuerySet, *args: Any, **kwargs: Any) -> Session:
        try:
            return look(sessions, *args, **kwargs)
        finally:
            if not getattr(this_thread, "looked", False):
                this_thread.looked = True
                everybody_looked.wait(timeout=60)

    monkeypatch.setattr(SessionQuerySet, "get", look_and_wait)


@pytest.fixture
def cleo(students: list[Student]) -> Student:
    make_template(students[0], CLEO)
    return students[0]


@pytest.fixture
def verify(
    api: ApiFactory, alice: User, maths: Classroom, cleo: Student
) -> Callable[[], Any]:
    """Return a call of /face/verify with a photo of Cleo."""
    photo = photo_of(CLEO)

    def call() -> Any:
        client = api(alice)
        client.raise_request_exception = False
        body = {"class_id": maths.pk, "file": upload(photo, "photo.png")}
        return client.post("/face/verify", body)

    return call


@pytest.mark.usefixtures("all_look_before_one_writes")
def test_without_the_constraint_a_day_gets_several_sessions(
    verify: Callable[[], Any],
) -> None:
    with without_the_constraint():
        all_at_once(verify)
        assert Session.objects.count() > 1


@pytest.mark.usefixtures("all_look_before_one_writes")
def test_fifty_verifies_at_once_leave_one_session_and_one_record(
    verify: Callable[[], Any], cleo: Student
) -> None:
    answers = all_at_once(verify)
    assert Counter(answer.status_code for answer in answers) == {200: CLIENTS}
    assert Session.objects.count() == 1
    assert Record.objects.get().student == cleo
    news = [not answer.json()["attendance"]["already_marked"] for answer in answers]
    assert sum(news) == 1
