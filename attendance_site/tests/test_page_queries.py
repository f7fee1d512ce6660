"""Every page asks the database as often in a large class as in a small one."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Job, User
from attendance.models import Status
from attendance.tests.factories import make_record, make_session
from attendance_site.tests.cast import Cast
from attendance_site.tests.cast import cast as cast  # a fixture
from attendance_site.tests.rows import ROLES
from attendance_site.tests.test_permissions import TABLE
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_class, make_student
from faces.tests.factories import make_template

pytestmark = pytest.mark.django_db

STATES = {"/app/sessions/{session}/": "?line={student}"}
MOST = 25  # queries, of the page that asks for most


def pages(role: str) -> list[str]:
    place = ROLES.index(role)
    urls = [
        row.url
        for row in TABLE
        if row.method == "GET"
        and row.url.startswith("/app/")
        and row.statuses[place] == 200
    ]
    return [*urls, *(url + STATES[url] for url in urls if url in STATES)]


def counts(cast: Cast, role: str) -> dict[str, int]:
    """Return how many queries each page of a role takes."""
    client, user = Client(), cast.users[role]
    assert user is not None
    client.force_login(user)
    found = {}
    for url in pages(role):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get(url.format(**cast.names))
        assert answer.status_code == 200, url
        found[url] = len(queries)
    return found


def grow(classroom: Classroom, students: list[Student], teacher: User) -> None:
    """Add to everything that a page could count in rows."""
    many = [make_student(f"Number {number:02}", classroom) for number in range(30)]
    for number, student in enumerate(many[:10], start=2):
        make_template(student, number, by=teacher)
    for back in range(1, 13):
        session = make_session(classroom, date=days(-back), start=dt.time(7))
        for place, student in enumerate([*students, *many]):
            make_record(session, student, list(Status)[place % 4], by=teacher)
        Job.objects.create(owner=teacher, kind="import_students")
        make_class(f"Class {back}", teacher)


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_the_number_of_queries_does_not_grow_with_a_class(
    cast: Cast,
    maths: Classroom,
    students: list[Student],
    alice: User,
    role: str,
) -> None:
    make_template(students[0], 1, by=alice)
    # Absent often enough for every page that names those who are.
    for back in range(1, 9):
        session = make_session(maths, date=days(-back), start=dt.time(6))
        make_record(session, students[0], Status.ABSENT, by=alice)
    counts(cast, role)  # what is asked for once and then remembered
    small = counts(cast, role)
    grow(maths, students, alice)
    large = counts(cast, role)
    more = {url: (small[url], large[url]) for url in small if large[url] > small[url]}
    assert more == {}
    assert max(large.values()) <= MOST, large
    assert len(large) > 20
