"""The register in and out: files that run nothing, and the same data back."""

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from accounts import jobs
from accounts.models import Job, User
from attendance import exports
from attendance.models import Record, Session, Source, Status
from attendance.tests.factories import make_record, make_session
from attendance.tests.plans import close_school, make_slot
from classroom.models import Classroom, Enrollment, Student
from classroom.tests.factories import days
from conftest import ApiFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def register(maths: Classroom, students: list[Student], alice: User) -> None:
    """Two sessions: one of yesterday at eight, one of today without a time."""
    early = make_session(maths, date=days(-1), start=dt.time(8))
    whole = make_session(maths)
    cleo, dan, eva = students
    make_record(early, cleo, Status.PRESENT, by=alice)
    make_record(early, dan, Status.LATE, by=alice)
    make_record(whole, eva, Status.EXCUSED, by=alice)
    Record.objects.filter(student=dan).update(note="=HYPERLINK(1)", source=Source.FACE)


def content(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def exported(api: ApiFactory, user: User, classroom: Classroom, **query: Any) -> bytes:
    query["class_id"] = classroom.pk
    return content(api(user).get("/export/attendance", query))


def as_dicts(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))


def sent(api: ApiFactory, user: User, file: str | bytes, **fields: Any) -> Any:
    encoded = file.encode() if isinstance(file, str) else file
    upload = SimpleUploadedFile("marks.csv", encoded)
    answer: Any = api(user).post(
        "/import/attendance", {"file": upload, **fields}, format="multipart"
    )
    if answer.status_code == 202:
        jobs.perform(answer.json()["job_id"])
        job = Job.objects.get(pk=answer.json()["job_id"])
        assert job.state == "done", job.detail
    return answer


def marks() -> set[tuple[object, ...]]:
    rows = Record.objects.values_list(
        "student__student_id",
        "session__date",
        "session__start",
        "status",
        "note",
    )
    return set(rows)


@pytest.mark.usefixtures("register")
def test_a_file_holds_every_line_of_a_class(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    rows = as_dicts(exported(api, alice, maths))
    assert [(row["full_name"], row["start"], row["status"]) for row in rows] == [
        ("Cleo Castro", "08:00", "present"),
        ("Dan Dietz", "08:00", "late"),
        ("Eva Evans", "", "excused"),
    ]


@pytest.mark.usefixtures("register")
def test_a_period_keeps_the_rest_out(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    rows = as_dicts(exported(api, alice, maths, **{"from": days(0).isoformat()}))
    assert [row["full_name"] for row in rows] == ["Eva Evans"]


@pytest.mark.usefixtures("register")
def test_no_cell_is_run_as_a_formula(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    notes = [row["note"] for row in as_dicts(exported(api, alice, maths))]
    assert notes == ["", "'=HYPERLINK(1)", ""]
    book: Any = load_workbook(io.BytesIO(exported(api, alice, maths, format="xlsx")))
    types = {cell.data_type for row in book.active.iter_rows() for cell in row}
    assert "f" not in types


@pytest.mark.usefixtures("register")
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_was_exported_is_imported_as_the_same(
    api: ApiFactory, alice: User, maths: Classroom, kind: str
) -> None:
    before = marks()
    file = exported(api, alice, maths, format=kind)
    Session.objects.all().delete()
    assert sent(api, alice, file).status_code == 202
    assert marks() == before


def test_a_class_is_exported_in_as_many_queries_as_it_needs(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    students: list[Student],
    django_assert_num_queries: Any,
) -> None:
    for day in range(5):
        session = make_session(maths, date=days(-day))
        for student in students:
            make_record(session, student)
    with django_assert_num_queries(1):  # the records; the sessions are a subquery
        assert len(list(exports.rows(maths, start=None, end=None))) == 16


def test_a_stranger_gets_nothing(
    api: ApiFactory, stranger: User, maths: Classroom
) -> None:
    query = {"class_id": maths.pk}
    assert api(stranger).get("/export/attendance", query).status_code == 404


def test_an_unknown_format_is_refused(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    query: dict[str, Any] = {"class_id": maths.pk, "format": "pdf"}
    assert api(alice).get("/export/attendance", query).status_code == 400


@pytest.mark.usefixtures("register")
def test_the_printed_register_has_students_sessions_and_a_line_to_sign(
    client: Client, alice: User, maths: Classroom
) -> None:
    client.force_login(alice)
    page = client.get(f"/app/classes/{maths.pk}/print/").content.decode()
    for text in ("Cleo Castro", "Dan Dietz", "Eva Evans", "Date, signature"):
        assert text in page


def test_a_long_register_is_cut_into_pages(
    maths: Classroom, students: list[Student], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "SESSIONS_A_PAGE", 2)
    monkeypatch.setattr(exports, "STUDENTS_A_PAGE", 2)
    for day in range(3):
        make_session(maths, date=days(-day))
    pages = exports.paper(maths, start=None, end=None)
    assert [(len(page.sessions), len(page.lines)) for page in pages] == [
        (2, 2),
        (2, 1),
        (1, 2),
        (1, 1),
    ]


def test_the_empty_sheet_has_the_roster(
    client: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    client.force_login(alice)
    page = client.get(f"/app/classes/{maths.pk}/sheet/").content.decode()
    assert "Cleo Castro" in page
    assert "Date, signature" in page


def test_the_empty_sheet_has_a_column_for_each_lesson_of_its_period(
    maths: Classroom, students: list[Student]
) -> None:
    make_slot(maths, days(1), start=dt.time(9))
    make_session(maths, date=days(0), start=dt.time(8))
    close_school(days(8))
    (page,) = exports.empty_sheet(maths, start=days(0), end=days(13))
    meetings = [(one.date, one.start) for one in page.sessions if one]
    # The slot's second lesson falls on a day off.
    assert meetings == [(days(0), dt.time(8)), (days(1), dt.time(9))]
    assert {line.student for line in page.lines} == set(students)
    assert all(cell == "" for line in page.lines for cell in line.cells)


def test_the_empty_sheet_leaves_out_who_is_gone(
    maths: Classroom, students: list[Student]
) -> None:
    Enrollment.objects.filter(student=students[0]).update(
        starts_on=days(-9), ends_on=days(0)
    )
    (page,) = exports.empty_sheet(maths, start=days(0), end=days(6))
    assert students[0] not in {line.student for line in page.lines}


def test_the_empty_sheet_costs_the_same_however_large_the_class(
    maths: Classroom,
    students: list[Student],
    django_assert_num_queries: Any,
) -> None:
    # Sessions, slots, closures, the seats and who sits on them.
    with django_assert_num_queries(5):
        exports.empty_sheet(maths, start=days(0), end=days(60))


@pytest.mark.parametrize(
    "query", [{"start": "2026-02-01", "end": "2026-01-01"}, {"end": "2999-01-01"}]
)
def test_a_period_that_makes_no_sense_is_said(
    client: Client, alice: User, maths: Classroom, query: dict[str, str]
) -> None:
    client.force_login(alice)
    address = f"/app/classes/{maths.pk}/sheet/"
    assert client.get(address, query).status_code == 400


@pytest.mark.parametrize("page", ["print", "sheet", "notices", "absences", "timetable"])
def test_a_class_leads_to_all_that_there_is_for_it(
    client: Client, alice: User, maths: Classroom, page: str
) -> None:
    client.force_login(alice)
    found = client.get(f"/app/classes/{maths.pk}/").content.decode()
    assert f'href="/app/classes/{maths.pk}/{page}/"' in found


HEAD = "student_id,class_code,date,start,status,note\n"


def line(student: Student, status: str = "late", **fields: str) -> str:
    day = fields.get("date", days(-1).isoformat())
    return f"{student.student_id},{fields.get('code', 'MAT-1')},{day},,{status},\n"


def test_what_a_person_entered_stays(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths, date=days(-1))
    record = make_record(session, students[0], Status.EXCUSED, by=alice)
    text = HEAD + line(students[0])
    assert sent(api, alice, text, preview="true").json()["counts"]["kept"] == 1
    sent(api, alice, text)
    record.refresh_from_db()
    assert (record.status, record.source) == ("excused", "manual")


def test_what_a_person_entered_is_replaced_when_asked(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths, date=days(-1))
    record = make_record(session, students[0], Status.EXCUSED, by=alice)
    sent(api, alice, HEAD + line(students[0]), overwrite="true")
    record.refresh_from_db()
    assert (record.status, record.source) == ("late", "import")
    assert record.history.first().history_change_reason == "Imported"


def test_what_a_face_said_gives_way(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths, date=days(-1))
    record = make_record(session, students[0], source=Source.FACE)
    sent(api, alice, HEAD + line(students[0], "absent"))
    record.refresh_from_db()
    assert (record.status, record.source) == ("absent", "import")


def test_what_a_face_was_unsure_of_goes_with_its_mark(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths, date=days(-1))
    record = make_record(session, students[0], source=Source.FACE)
    Record.objects.filter(pk=record.pk).update(runner_up=students[1])
    sent(api, alice, HEAD + line(students[0], "absent"))
    record.refresh_from_db()
    assert record.runner_up is None


@pytest.mark.parametrize("word", ["late", "Late", "Tarde", "متأخر"])
def test_a_status_is_known_by_its_word_in_any_language_of_the_pages(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student], word: str
) -> None:
    sent(api, alice, HEAD + line(students[0], word))
    assert Record.objects.get().status == "late"


def test_a_preview_of_marks_changes_nothing(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    answer = sent(api, alice, HEAD + line(students[0]), preview="true")
    assert answer.json()["counts"] == {"added": 1, "changed": 0, "sessions": 1}
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("fields", "column", "code"),
    [
        ({"status": "asleep"}, "status", "invalid"),
        ({"date": "yesterday"}, "date", "invalid"),
        ({"date": days(1).isoformat()}, "date", "future"),
        ({"date": "2001-01-01"}, "student_id", "not_in_class"),
        ({"code": "HIS-1"}, "class_code", "unknown_class"),
    ],
)
def test_a_bad_mark_names_its_line(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    history: Classroom,
    students: list[Student],
    fields: dict[str, str],
    column: str,
    code: str,
) -> None:
    text = HEAD + line(students[1]) + line(students[0], **fields)
    errors = sent(api, alice, text).json()["errors"]
    assert (3, column, code) in {
        (error["line"], error["column"], error["code"]) for error in errors
    }
    assert not Record.objects.exists()


def test_a_strangers_student_gets_no_mark(
    api: ApiFactory, alice: User, maths: Classroom, outsider: Student
) -> None:
    errors = sent(api, alice, HEAD + line(outsider)).json()["errors"]
    assert errors[0]["code"] == "not_in_class"
