"""The reports for programs, and as files."""

import csv
import datetime as dt
import io
from typing import Any

import pytest
from openpyxl import load_workbook

from accounts.models import User
from attendance.models import Session, Status
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import days
from conftest import ApiFactory

pytestmark = pytest.mark.django_db

NOTHING = {"present": 0, "late": 0, "absent": 0, "excused": 0, "unmarked": 0}


@pytest.fixture
def lived_in(maths: Classroom, students: list[Student]) -> Session:
    """A session of maths on a Monday at nine: there, absent, excused; then two more."""
    monday = days(-7 - days(0).weekday())
    session = make_session(maths, date=monday, start=dt.time(9))
    statuses = (Status.PRESENT, Status.ABSENT, Status.EXCUSED)
    for student, status in zip(students, statuses, strict=True):
        make_record(session, student, status)
    for number in (1, 2):
        later = make_session(maths, date=monday + dt.timedelta(days=number))
        make_record(later, students[1], Status.ABSENT)
    return session


def asked(api: ApiFactory, user: User, url: str, **query: Any) -> Any:
    answer = api(user).get(url, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def file(api: ApiFactory, user: User, report: str, **query: Any) -> bytes:
    answer: Any = api(user).get(f"/export/reports/{report}", query)
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def table(api: ApiFactory, user: User, report: str, **query: Any) -> list[list[str]]:
    text = file(api, user, report, **query).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_a_class_has_counts_a_trend_weekdays_and_students(
    api: ApiFactory, alice: User, maths: Classroom, lived_in: Session
) -> None:
    body = asked(api, alice, f"/reports/classes/{maths.pk}")
    counts = {"present": 1, "absent": 3, "excused": 1, "unmarked": 4}
    assert body["counts"] == {**NOTHING, **counts, "rate": 0.25}
    assert body["sessions"] == 3
    assert body["trend"]["step"] == "day"
    assert [point["counts"]["rate"] for point in body["trend"]["points"]] == [0.5, 0, 0]
    assert [day["weekday"] for day in body["weekdays"]] == [1, 2, 3]
    rates = {
        line["student"]["full_name"]: line["counts"]["rate"]
        for line in body["students"]
    }
    assert rates == {"Cleo Castro": 1.0, "Dan Dietz": 0.0, "Eva Evans": None}


def test_the_school_holds_the_classes_that_the_user_may_see(
    api: ApiFactory,
    admin: User,
    alice: User,
    stranger: User,
    lived_in: Session,
    history: Classroom,
) -> None:
    names = {
        user.email: [
            line["class"]["class_name"]
            for line in asked(api, user, "/reports/school")["classes"]
        ]
        for user in (admin, alice, stranger)
    }
    assert names == {
        admin.email: ["History", "Maths"],
        alice.email: ["Maths"],
        stranger.email: ["History"],
    }
    assert asked(api, stranger, "/reports/school")["counts"] == {
        **NOTHING,
        "rate": None,
    }


def test_a_grid_has_a_cell_a_student_and_session(
    api: ApiFactory, alice: User, maths: Classroom, lived_in: Session
) -> None:
    body = asked(api, alice, f"/reports/classes/{maths.pk}/grid")
    assert [one["start"] for one in body["sessions"]] == ["09:00:00", None, None]
    cells = {line["student"]["full_name"]: line["cells"] for line in body["students"]}
    assert cells["Dan Dietz"] == ["absent"] * 3
    assert cells["Eva Evans"] == ["excused", "", ""]


def test_sessions_and_one_session_are_counted(
    api: ApiFactory, alice: User, maths: Classroom, lived_in: Session
) -> None:
    lines = asked(api, alice, f"/reports/classes/{maths.pk}/sessions")["sessions"]
    assert [line["counts"]["rate"] for line in lines] == [0.5, 0.0, 0.0]
    one = asked(api, alice, f"/reports/sessions/{lived_in.pk}")
    assert one["counts"] == lines[0]["counts"]
    assert [line["status"] for line in one["students"]] == [
        "present",
        "absent",
        "excused",
    ]


def test_a_student_has_meetings_and_classes(
    api: ApiFactory, alice: User, lived_in: Session, students: list[Student]
) -> None:
    body = asked(api, alice, f"/reports/students/{students[0].pk}")
    assert [one["status"] for one in body["meetings"]] == ["", "", "present"]
    (line,) = body["classes"]
    assert (line["class"]["class_code"], line["counts"]["rate"]) == ("MAT-1", 1.0)


def test_absences_are_listed_by_rule(
    api: ApiFactory, alice: User, stranger: User, maths: Classroom, lived_in: Session
) -> None:
    (found,) = asked(api, alice, "/reports/absences")
    assert found["rule"]["times"] == 3
    (one,) = found["students"]
    assert (one["student"]["full_name"], one["number"]) == ("Dan Dietz", 3)
    assert asked(api, stranger, "/reports/absences")[0]["students"] == []
    late = {"class_id": maths.pk, "to": days(-30).isoformat()}
    assert asked(api, alice, "/reports/absences", **late)[0]["students"] == []


def test_a_rule_that_makes_no_sense_is_refused(api: ApiFactory, admin: User) -> None:
    for body, name in (
        ({"absent": False}, "non_field_errors"),
        ({"times": 0}, "times"),
        ({"times": 20, "days": 5}, "non_field_errors"),
    ):
        answer = api(admin).post("/reports/rules", body, format="json")
        assert answer.status_code == 400, answer.content
        assert name in answer.json()["errors"]


def test_each_report_is_a_file_with_headings_and_rows(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    lived_in: Session,
    students: list[Student],
) -> None:
    of_class = {"class_id": maths.pk}
    first = {
        "school": table(api, alice, "school")[1],
        "class": table(api, alice, "class", **of_class)[1],
        "sessions": table(api, alice, "sessions", **of_class)[1],
        "grid": table(api, alice, "grid", **of_class)[3],
        "session": table(api, alice, "session", session_id=lived_in.pk)[2],
        "student": table(api, alice, "student", student_id=students[2].pk)[1],
        "absences": table(api, alice, "absences", **of_class)[1],
    }
    code, day = students[0].student_id, lived_in.date.isoformat()
    year = maths.school_year
    assert first["school"][:3] == ["MAT-1", year, "Maths"]
    assert first["school"][-7:] == ["3", "1", "0", "3", "1", "4", "0.25"]
    assert first["class"] == [code, "Cleo Castro", "1", "0", "0", "0", "2", "1.0"]
    assert first["sessions"][-6:] == ["1", "0", "1", "1", "0", "0.5"]
    assert first["grid"][1:] == ["Eva Evans", "excused", "unmarked", "unmarked", ""]
    assert first["session"][1:4] == ["Dan Dietz", "absent", "manual"]
    assert first["student"][:6] == [day, "09:00:00", "MAT-1", year, "Maths", "excused"]
    assert first["absences"][:4] == [
        "Absent on 3 days within 14 days",
        students[1].student_id,
        "Dan Dietz",
        "3",
    ]


def test_a_name_that_is_a_formula_stays_a_name(
    api: ApiFactory, alice: User, maths: Classroom, lived_in: Session
) -> None:
    Student.objects.filter(full_name="Cleo Castro").update(full_name="=1+1")
    names = [row[1] for row in table(api, alice, "class", class_id=maths.pk)]
    assert "'=1+1" in names
    book: Any = load_workbook(
        io.BytesIO(file(api, alice, "grid", class_id=maths.pk, format="xlsx"))
    )
    types = {cell.data_type for row in book.active.iter_rows() for cell in row}
    assert "f" not in types


def test_a_file_that_lacks_its_subject_says_which(api: ApiFactory, alice: User) -> None:
    for report, name in (
        ("class", "class_id"),
        ("session", "session_id"),
        ("student", "student_id"),
    ):
        answer = api(alice).get(f"/export/reports/{report}")
        assert answer.status_code == 400
        assert name in answer.json()["errors"]


def test_a_period_keeps_the_rest_out(
    api: ApiFactory, alice: User, maths: Classroom, lived_in: Session
) -> None:
    query = {"from": lived_in.date.isoformat(), "to": lived_in.date.isoformat()}
    body = asked(api, alice, f"/reports/classes/{maths.pk}", **query)
    assert body["sessions"] == 1
    wrong = {"from": "2026-03-02", "to": "2026-03-01"}
    answer = api(alice).get(f"/reports/classes/{maths.pk}", wrong)
    assert answer.status_code == 400
