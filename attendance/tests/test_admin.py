"""Sessions and records in the admin: corrected with a history, never bypassed."""

import csv
import io
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from attendance.admin_words import similarity_words
from attendance.models import Record, Session, Source, Status
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_class, make_student
from faces import runtime

RECORDS = "/admin/attendance/record/"
SESSIONS = "/admin/attendance/session/"


@pytest.fixture
def admin_client(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def session(maths: Classroom) -> Session:
    return make_session(maths)


@pytest.fixture
def line(session: Session, students: list[Student]) -> Record:
    record = make_record(session, students[0], Status.PRESENT, source=Source.FACE)
    Record.objects.filter(pk=record.pk).update(confidence_score=0.71)
    record.refresh_from_db()
    return record


def correct(client: Client, line: Record, **fields: str) -> Any:
    form = {"status": line.status, "note": line.note, "reason": "", **fields}
    return client.post(f"{RECORDS}{line.pk}/change/", form)


def act(client: Client, action: str, *sessions: Session) -> Any:
    form = {"action": action, "_selected_action": [row.pk for row in sessions]}
    return client.post(SESSIONS, form)


def listed(page: Any) -> set[int]:
    return {row.pk for row in page.context["cl"].result_list}


def test_a_correction_leaves_who_from_to_and_why(
    admin_client: Client, admin: User, line: Record
) -> None:
    answer = correct(admin_client, line, status="excused", reason="Called in sick")
    assert answer.status_code == 302
    line.refresh_from_db()
    assert (line.status, line.source) == (Status.EXCUSED, Source.MANUAL)
    assert (line.marked_by, line.confidence_score) == (admin, None)
    page = admin_client.get(f"{RECORDS}{line.pk}/history/").content.decode()
    for word in (admin.full_name, "present", "Excused", "Called in sick"):
        assert word in page


def test_a_correction_without_a_reason_is_refused(
    admin_client: Client, line: Record
) -> None:
    answer = correct(admin_client, line, status="absent")
    assert "Say why" in answer.content.decode()
    line.refresh_from_db()
    assert line.status == Status.PRESENT


def test_saving_a_line_unchanged_changes_nothing(
    admin_client: Client, line: Record
) -> None:
    before = line.history.count()
    assert correct(admin_client, line, reason="just looking").status_code == 302
    line.refresh_from_db()
    assert (line.source, line.history.count()) == (Source.FACE, before)


def test_what_the_photo_said_can_not_be_written(
    admin_client: Client, line: Record, outsider: Student
) -> None:
    correct(
        admin_client,
        line,
        status="late",
        reason="bus",
        confidence_score="0.99",
        source="face",
        student=str(outsider.pk),
    )
    line.refresh_from_db()
    assert (line.source, line.confidence_score) == (Source.MANUAL, None)
    assert line.student != outsider


def test_a_line_is_added_by_hand(
    admin_client: Client, admin: User, session: Session, students: list[Student]
) -> None:
    form = {
        "session": session.pk,
        "student": students[1].pk,
        "status": "late",
        "note": "bus",
    }
    answer = admin_client.post(f"{RECORDS}add/", form)
    assert answer.status_code == 302
    line = Record.objects.get(student=students[1])
    assert (line.source, line.marked_by, line.note) == (Source.MANUAL, admin, "bus")
    assert line.history.get().history_user == admin


def test_nobody_is_marked_who_was_not_in_the_class(
    admin_client: Client, session: Session, outsider: Student
) -> None:
    form = {"session": session.pk, "student": outsider.pk, "status": "late"}
    answer = admin_client.post(f"{RECORDS}add/", form)
    assert "not in this class" in answer.content.decode()
    assert not Record.objects.exists()


def test_a_second_line_of_one_student_is_refused(
    admin_client: Client, line: Record
) -> None:
    form = {"session": line.session_id, "student": line.student_id, "status": "late"}
    assert admin_client.post(f"{RECORDS}add/", form).status_code == 200
    assert Record.objects.get().status == Status.PRESENT


def test_no_line_is_deleted(admin_client: Client, line: Record) -> None:
    address = f"{RECORDS}{line.pk}/delete/"
    assert admin_client.post(address, {"post": "yes"}).status_code == 403
    form = {
        "action": "delete_selected",
        "_selected_action": [line.pk],
        "post": "yes",
    }
    admin_client.post(RECORDS, form)
    assert Record.objects.filter(pk=line.pk).exists()


def test_records_are_filtered_by_class_status_and_source(
    admin_client: Client, line: Record, history: Classroom, outsider: Student
) -> None:
    other = make_record(make_session(history), outsider, Status.ABSENT)
    for query in (
        f"class={line.session.classroom_id}",
        "status__exact=present",
        "source__exact=face",
        f"student__id__exact={line.student_id}",
        f"q={line.student.student_id}",
    ):
        assert listed(admin_client.get(f"{RECORDS}?{query}")) == {line.pk}, query
    assert listed(admin_client.get(RECORDS)) == {line.pk, other.pk}


def test_records_are_found_by_their_day(
    admin_client: Client, maths: Classroom, line: Record, students: list[Student]
) -> None:
    day = days(-10)
    old = make_record(make_session(maths, date=day), students[0])
    query = {
        "session__date__year": day.year,
        "session__date__month": day.month,
        "session__date__day": day.day,
    }
    assert listed(admin_client.get(RECORDS, query)) == {old.pk}


def test_a_similarity_has_a_figure_and_a_word() -> None:
    threshold = runtime.threshold()
    assert similarity_words(None) == "–"
    assert similarity_words(threshold + 0.01).endswith("close call")
    assert similarity_words(threshold + 0.1).endswith("fair")
    assert similarity_words(threshold + 0.3).endswith("clear")
    assert similarity_words(0.71).startswith("0.71")


def test_records_are_exported_with_names_and_without_formulas(
    admin_client: Client, line: Record
) -> None:
    Record.objects.filter(pk=line.pk).update(note="=1+1")
    form = {"action": "export_csv", "_selected_action": [line.pk]}
    answer: Any = admin_client.post(RECORDS, form)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    heading, row = csv.reader(io.StringIO(text))
    found = dict(zip(heading, row, strict=True))
    assert found["name"] == line.student.full_name
    assert found["similarity"] == "0.71"
    assert found["note"] == "'=1+1"


def test_sessions_are_closed_and_reopened_with_their_history(
    admin_client: Client, admin: User, session: Session, students: list[Student]
) -> None:
    act(admin_client, "close", session)
    session.refresh_from_db()
    assert not session.is_open
    assert session.records.filter(status=Status.ABSENT).count() == len(students)
    act(admin_client, "reopen", session)
    session.refresh_from_db()
    assert session.is_open
    page = admin_client.get(f"{SESSIONS}{session.pk}/history/").content.decode()
    for word in (admin.full_name, "Closed", "Reopened"):
        assert word in page


def test_a_session_is_closed_on_its_page(
    admin_client: Client, session: Session, students: list[Student]
) -> None:
    address = f"{SESSIONS}{session.pk}/change/"
    form = {
        "date": session.date,
        "start": "",
        "end": "",
        "grace_minutes": 10,
        "_close": "1",
    }
    assert admin_client.post(address, form).status_code == 302
    session.refresh_from_db()
    assert not session.is_open


def test_a_session_shows_its_register(
    admin_client: Client, line: Record, students: list[Student]
) -> None:
    page = admin_client.get(f"{SESSIONS}{line.session_id}/change/").content.decode()
    assert all(student.full_name in page for student in students)
    assert page.count("not marked") == 2
    assert "0.71" in page


def test_a_session_keeps_its_class(
    admin_client: Client, session: Session, history: Classroom
) -> None:
    form = {
        "classroom": history.pk,
        "date": session.date,
        "grace_minutes": 5,
    }
    admin_client.post(f"{SESSIONS}{session.pk}/change/", form)
    session.refresh_from_db()
    assert session.classroom != history
    assert session.grace_minutes == 5


def test_a_new_session_knows_who_made_it(
    admin_client: Client, admin: User, maths: Classroom
) -> None:
    form = {"classroom": maths.pk, "date": days(0), "grace_minutes": 10}
    assert admin_client.post(f"{SESSIONS}add/", form).status_code == 302
    made = Session.objects.get()
    assert made.created_by == admin
    assert made.history.get().history_user == admin


def test_a_second_ad_hoc_session_of_a_day_is_refused(
    admin_client: Client, session: Session
) -> None:
    form = {
        "classroom": session.classroom_id,
        "date": session.date,
        "grace_minutes": 10,
    }
    assert admin_client.post(f"{SESSIONS}add/", form).status_code == 200
    assert Session.objects.count() == 1


def test_a_session_with_records_is_not_deleted(
    admin_client: Client, line: Record, maths: Classroom
) -> None:
    address = f"{SESSIONS}{line.session_id}/delete/"
    page = admin_client.get(address).content.decode()
    assert "has records" in page
    admin_client.post(address, {"post": "yes"})
    assert Session.objects.filter(pk=line.session_id).exists()
    empty = make_session(maths, date=days(-1))
    admin_client.post(f"{SESSIONS}{empty.pk}/delete/", {"post": "yes"})
    assert not Session.objects.filter(pk=empty.pk).exists()


def test_a_class_with_a_register_is_not_deleted(
    admin_client: Client, line: Record
) -> None:
    pk = line.session.classroom_id
    address = reverse("admin:classroom_classroom_delete", args=[pk])
    assert "archive it" in admin_client.get(address).content.decode()
    admin_client.post(address, {"post": "yes"})
    assert Classroom.objects.filter(pk=pk).exists()


@pytest.mark.parametrize("state", ["open", "forgotten", "closed"])
def test_sessions_are_filtered_by_their_state(
    admin_client: Client, admin: User, maths: Classroom, state: str
) -> None:
    rows = {
        "today": make_session(maths),
        "forgotten": make_session(maths, date=days(-3)),
        "closed": make_session(maths, date=days(-2)),
    }
    act(admin_client, "close", rows["closed"])
    expected = {
        "open": {rows["today"].pk, rows["forgotten"].pk},
        "forgotten": {rows["forgotten"].pk},
        "closed": {rows["closed"].pk},
    }
    page = admin_client.get(f"{SESSIONS}?state={state}")
    assert listed(page) == expected[state]


def test_closing_says_how_many(admin_client: Client, session: Session) -> None:
    for number in (1, 0):
        answer = act(admin_client, "close", session)
        *_, message = get_messages(answer.wsgi_request)
        assert str(message) == f"Sessions closed: {number}."


@pytest.mark.parametrize("address", [RECORDS, SESSIONS])
def test_a_teacher_is_kept_out(client: Client, alice: User, address: str) -> None:
    client.force_login(alice)
    assert client.get(address).status_code == 302


@pytest.mark.parametrize(
    ("address", "number"),
    [
        # session, user, classes of the filter, count, keys of the page, its rows,
        # first and last day, the days of the month
        (RECORDS, 8),
        # the same without keys, and the counts of the sessions on the page
        (SESSIONS, 8),
        # session, user, the session twice (the page and its form), lines, unmarked
        ("one session", 6),
    ],
)
def test_pages_cost_the_same_with_500_students(
    admin_client: Client, alice: User, address: str, number: int
) -> None:
    def cost(page: str) -> int:
        admin_client.get(page)  # the first call fills caches of the process
        with CaptureQueriesContext(connection) as found:
            assert admin_client.get(page).status_code == 200
        return len(found)

    costs = []
    for size in (60, 500):
        classroom = make_class(f"Class of {size}", alice)
        pupils = [make_student(f"Pupil {row}", classroom) for row in range(size)]
        session = make_session(classroom)
        for pupil in pupils:
            make_record(session, pupil, by=alice)
        page = f"{SESSIONS}{session.pk}/change/" if " " in address else address
        costs.append(cost(page))
    assert costs == [number, number]
