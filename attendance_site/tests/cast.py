"""Who plays in the table of permissions, and what its names in braces stand for."""

from dataclasses import dataclass
from typing import Any

import pytest
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.models import Job, User
from accounts.tests.factories import make_user
from attendance.models import Notice, Source
from attendance.tests.factories import make_record, make_session
from attendance_site.tests.privacy_rows import make_receipt
from attendance_site.tests.report_rows import report_names
from attendance_site.tests.rows import ROLES, Row
from attendance_site.tests.timetable_rows import NO_EVENTS, timetable_names
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_class, make_student, seat, share
from faces.tests.photos import astronaut, upload
from faces.tests.test_archives import packed


@dataclass(frozen=True)
class Cast:
    """The people of the table, and what the names in braces stand for."""

    users: dict[str, User | None]
    names: dict[str, object]

    def client(self, role: str) -> APIClient:
        """Return a client with a token for the API and a session for the pages."""
        client = APIClient()
        user = self.users[role]
        if user is not None:
            token = RefreshToken.for_user(user).access_token
            client.force_login(user)
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    def call(self, method: str, row: Row, role: str) -> Any:
        return self.send(self.client(role), method, row)

    def send(self, client: APIClient, method: str, row: Row) -> Any:
        body = {name: self.filled(value) for name, value in row.body.items()}
        is_form = "file" in body or row.url.startswith(("/accounts/", "/app/"))
        send = getattr(client, method.lower())
        url = row.url.format(**self.names)
        return send(url, body, format="multipart" if is_form else "json")

    def filled(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if value == "photo":
            return upload(astronaut())
        if value == "archive":
            return upload(packed(("nobody.jpg", b"")), "photos.zip")
        if value == "roster":
            return upload(b"student_id,full_name,class_code\nN9,New,MAT-1\n", "a.csv")
        if value == "calendar":
            return upload(NO_EVENTS, "school.ics")
        return value.format(**self.names) if isinstance(value, str) else value


@pytest.fixture
def cast(
    admin: User,
    alice: User,
    stranger: User,
    maths: Classroom,
    history: Classroom,
    students: list[Student],
) -> Cast:
    leaver = make_user("Lea Leaver")
    share(maths, leaver, starts_on=days(-14), ends_on=days(-7))
    session = make_session(maths)
    return Cast(
        users=dict(zip(ROLES, (None, stranger, alice, leaver, admin), strict=True)),
        names={
            "alice": alice.pk,
            "leaver": leaver.pk,
            "maths": maths.pk,
            "unused_class": make_class("Unused", alice).pk,
            "student": students[0].pk,
            "left": make_leaver("Leo Left", maths).pk,
            "session": session.pk,
            "unused_session": make_session(maths, date=days(-1)).pk,
            "record": make_record(session, students[0], source=Source.FACE).pk,
            "notice": Notice.objects.create(key="n", kind="late", classroom=maths).pk,
            "job": Job.objects.create(owner=alice, kind="import_students").pk,
            "refresh": str(RefreshToken.for_user(alice)),
            "receipt": make_receipt(students[0]).pk,
            **timetable_names(maths, students[0]),
            **report_names(),
        },
    )


def make_leaver(name: str, classroom: Classroom) -> Student:
    """Save a student who was taken out of a class today."""
    student = make_student(name)
    seat(student, classroom, ends_on=days(0))
    return student
