"""Whatever changes something, or hands it out, leaves a line in the audit log.

The calls are the rows of the table of permissions, which knows every address: one that
is added later is asked here too, whether or not somebody thinks of the log.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from rest_framework.test import APIClient

from accounts.audit_models import AuditEntry
from accounts.tests.factories import PASSWORD
from attendance import services
from attendance.models import Notice, Record, Session
from attendance.notice_models import NoticeState
from attendance.timetable_forms import signed
from attendance.timetable_models import Closure
from attendance_site.tests.cast import Cast, cast
from attendance_site.tests.rows import ROLES, Row
from attendance_site.tests.test_permissions import PHOTO, TABLE
from attendance_site.tests.timetable_rows import A_SLOT_FORM
from classroom.models import Classroom, Student
from classroom.tests.factories import make_student
from faces.tests.factories import make_template
from faces.tests.photos import upload

__all__ = ["cast"]  # the fixture

pytestmark = pytest.mark.django_db

Body = dict[str, Any]

SNOW = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:snow\r\n"
    b"SUMMARY:Snow\r\nDTSTART;VALUE=DATE:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def number(cast: Cast, name: str) -> int:
    return int(str(cast.names[name]))


def an_enrolled_face_without_a_line(cast: Cast, client: APIClient) -> Body:
    Record.objects.all().delete()
    body = {"student_id": "{student}", "file": "photo"}
    answer = cast.call("POST", Row("POST", "/face/register", (201,) * 5, body), "owner")
    assert answer.status_code == 201, answer.content
    return PHOTO


def a_student_of_another_class(cast: Cast, client: APIClient) -> Body:
    other = Classroom.objects.get(pk=number(cast, "unused_class"))
    return {"student_ids": [make_student("Nia Next", other).pk]}


def a_template(cast: Cast, client: APIClient) -> Body:
    make_template(Student.objects.get(pk=number(cast, "student")), 1)
    return {}


def a_closed_session(cast: Cast, client: APIClient) -> Body:
    services.close(Session.objects.get(pk=number(cast, "session")), by=None)
    return {}


def an_offer_to_undo(cast: Cast, client: APIClient) -> Body:
    row = Row(
        "POST", "/app/classes/{maths}/mark/", (302,) * 5, {"mark": "{student}:late"}
    )
    cast.send(client, "POST", row)
    return {}


def the_last_change(cast: Cast, client: APIClient) -> Body:
    history = Record.history.filter(session=cast.names["session"])
    return {"changes": [history.latest("history_id").history_id]}


def a_failed_mail(cast: Cast, client: APIClient) -> Body:
    Notice.objects.update(state=NoticeState.FAILED)
    return {}


def a_day_off(cast: Cast, client: APIClient) -> Body:
    return {"file": upload(SNOW % f"{dt.date.today():%Y%m%d}".encode(), "school.ics")}


def a_chosen_day_off(cast: Cast, client: APIClient) -> Body:
    day = dt.date.today()
    snow = Closure(first_date=day, last_date=day, name="Snow", source_key="snow")
    return {"closure": [signed(snow)]}


def a_new_password(cast: Cast, client: APIClient) -> Body:
    new = "peach-orchard-48"
    return {"old_password": PASSWORD, "new_password1": new, "new_password2": new}


def body(**values: Any) -> Callable[[Cast, APIClient], Body]:
    return lambda cast, client: values


# What must be there first for a row to change something, and what it then sends.
FIRST: Final[dict[str, Callable[[Cast, APIClient], Body]]] = {
    "POST /classes/{maths}/students": a_student_of_another_class,
    "POST /face/verify": an_enrolled_face_without_a_line,
    "POST /attendance/group": an_enrolled_face_without_a_line,
    "POST /app/classes/{maths}/take/": an_enrolled_face_without_a_line,
    "DELETE /face/register/{student}": a_template,
    "POST /app/students/{student}/face/remove/": a_template,
    "POST /sessions/{session}/reopen": a_closed_session,
    "POST /app/sessions/{session}/reopen/": a_closed_session,
    "POST /app/sessions/{session}/mark/": body(student="{student}", status="late"),
    "POST /sessions/{session}/undo": the_last_change,
    "POST /app/sessions/{session}/undo/": an_offer_to_undo,
    "POST /app/notices/{notice}/again/": a_failed_mail,
    "POST /closures/import": a_day_off,
    "POST /app/closures/keep/": a_chosen_day_off,
    "POST /app/account/password/": a_new_password,
}
LOOKS = "It looks and keeps nothing."
JOB = "The job writes its line when it is done: see test_audited."
FORM = "A form without words, or a link that is no good: nothing comes of it."
# Calls that change nothing by themselves, and why.
SILENT: Final = {
    "POST /auth/refresh": "It goes on with a log-in that was written.",
    "POST /app/classes/{maths}/look/": LOOKS,
    "POST /app/students/{student}/face/check/": LOOKS,
    "POST /app/closures/preview/": LOOKS,
    "POST /import/photos": JOB,
    "POST /import/students": JOB,
    "POST /import/attendance": JOB,
    "POST /app/import/photos/": JOB,
    "POST /app/import/students/": JOB,
    "POST /app/import/attendance/": JOB,
    "PUT /accounts/login/": FORM,
    "POST /accounts/password-reset/": "Nothing is changed until its mail is used.",
    **{
        f"{method} /accounts/password-reset/{{alice}}/1-1/": FORM
        for method in ("POST", "PUT", "PATCH", "DELETE")
    },
}
# Pages made for paper, by what their HTML holds; files name themselves in a header.
ON_PAPER: Final = (b'class="paper"', b"receipt-page")
WHOLE: Final = {
    "GET /students/{student}/export",
    "GET /app/students/{student}/data/",
}


def role_of(row: Row) -> str:
    """Return who may do it; whoever is signed in needs no log-in."""
    statuses = dict(zip(ROLES, row.statuses, strict=True))
    if row.url in {"/auth/login", "/accounts/login/"}:
        return "nobody"
    return next((role for role in ("owner", "admin") if statuses[role] < 400), "owner")


def params(rows: list[Row]) -> list[Any]:
    return [pytest.param(row, id=str(row)) for row in rows]


CHANGES = [row for row in TABLE if row.method != "GET" and str(row) not in SILENT]
QUIET = [row for row in TABLE if str(row) in SILENT and row.statuses[2] < 400]
READS = [row for row in TABLE if row.method == "GET" and row.statuses[-1] < 400]


class Log:
    """What the audit log hears from now on."""

    def __init__(self) -> None:
        self.before = AuditEntry.objects.count()  # force_login is a log-in

    def events(self) -> list[str]:
        rows = AuditEntry.objects.filter(number__gt=self.before)
        return list(rows.order_by("number").values_list("event", flat=True))


@pytest.mark.parametrize("row", params(CHANGES))
def test_what_changes_something_is_written(cast: Cast, row: Row) -> None:
    client = cast.client(role_of(row))
    sent = FIRST[str(row)](cast, client) if str(row) in FIRST else row.body
    log = Log()
    answer = cast.send(client, row.method, replace(row, body=sent))
    assert answer.status_code < 400, answer.content[:500]
    assert log.events() != []


@pytest.mark.parametrize("row", params(QUIET))
def test_what_changes_nothing_by_itself_is_not(cast: Cast, row: Row) -> None:
    client = cast.client(role_of(row))
    log = Log()
    cast.send(client, row.method, row)
    assert log.events() == []


@pytest.mark.parametrize("row", params(READS))
def test_what_is_handed_out_is_written_and_reading_is_not(cast: Cast, row: Row) -> None:
    client = cast.client(role_of(row))
    log = Log()
    answer = cast.send(client, "GET", row)
    assert answer.status_code < 400, answer.content[:500]
    is_file = "attachment" in answer.headers.get("Content-Disposition", "")
    page = getattr(answer, "content", b"")
    is_paper = any(mark in page for mark in ON_PAPER)
    is_handed_out = is_file or is_paper or str(row) in WHOLE
    assert log.events() == (["exported"] if is_handed_out else [])


def test_both_lists_name_rows_of_the_table() -> None:
    assert {*FIRST, *SILENT, *WHOLE} - {str(row) for row in TABLE} == set()


@pytest.mark.parametrize(
    "row",
    [
        Row("POST", "/app/classes/{maths}/timetable/", (404,) * 5, A_SLOT_FORM),
        Row("GET", "/app/classes/{maths}/print/", (404,) * 5),
    ],
    ids=str,
)
def test_what_a_stranger_is_refused_is_not(cast: Cast, row: Row) -> None:
    client = cast.client("stranger")
    log = Log()
    assert cast.send(client, row.method, row).status_code == 404
    assert log.events() == []
