"""/app/sessions/<id>/ and a class's list of sessions."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance import services
from attendance.models import Record, Session, Source, Status
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.rosters import end_enrolment
from classroom.tests.factories import days, make_student

pytestmark = pytest.mark.django_db


@pytest.fixture
def teacher(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def page_of(client: Client, session: Session, line: Student | None = None) -> str:
    query = {"line": line.pk} if line else {}
    answer = client.get(reverse("session", args=[session.pk]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_says_who_or_what_marked_whom(
    teacher: Client, maths: Classroom, students: list[Student], alice: User
) -> None:
    session = make_session(maths)
    services.mark_by_face(maths, {students[0].pk: 0.91}, by=alice)
    page = page_of(teacher, session)
    assert "Face · Alice Archer" in page
    assert "0.91" in page
    assert "1</strong> / 3" in page


def test_it_keeps_the_roster_of_its_day(
    teacher: Client, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths, date=days(-3))
    end_enrolment(maths, [students[0]])
    newcomer = make_student("Nora New")
    assert "Cleo Castro" in page_of(teacher, session)
    assert newcomer.full_name not in page_of(teacher, session)


def test_it_shows_whoever_was_marked_from_elsewhere(
    teacher: Client, maths: Classroom, students: list[Student], outsider: Student
) -> None:
    session = make_session(maths)
    make_record(session, outsider)
    assert "Otto Outsider" in page_of(teacher, session)


def test_a_line_opens_with_all_its_changes(
    teacher: Client, maths: Classroom, students: list[Student], alice: User
) -> None:
    session = make_session(maths)
    services.mark_by_face(maths, {students[0].pk: 0.45}, by=alice)
    services.reject_match(Record.objects.get(), by=alice)
    services.mark_by_hand(
        session, students[0], status=Status.EXCUSED, note="dentist", by=alice
    )
    answer = teacher.get(
        reverse("session", args=[session.pk]), {"line": students[0].pk}
    )
    kinds = [change.history_type for change in answer.context["changes"]]
    assert kinds == ["+", "-", "+"]
    page = answer.content.decode()
    assert "Not this person" in page
    assert "dentist" in page


@pytest.mark.parametrize("line", ["0", "x"])
def test_a_line_that_is_not_there_is_not_found(
    teacher: Client, maths: Classroom, students: list[Student], line: str
) -> None:
    url = reverse("session", args=[make_session(maths).pk])
    assert teacher.get(url, {"line": line}).status_code == 404


def test_a_strangers_student_is_no_line(
    teacher: Client, maths: Classroom, students: list[Student], outsider: Student
) -> None:
    url = reverse("session", args=[make_session(maths).pk])
    assert teacher.get(url, {"line": outsider.pk}).status_code == 404


@pytest.mark.parametrize("size", [1, 12])
def test_it_costs_the_same_however_large_the_class_is(
    teacher: Client,
    maths: Classroom,
    size: int,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    session = make_session(maths)
    for _ in range(size):
        student = make_student("Somebody", maths)
        make_record(session, student, source=Source.FACE, by=alice)
    url = reverse("session", args=[session.pk])
    # session, user, session with its class, roster, records, planned absences
    with django_assert_num_queries(7):
        teacher.get(url)
    # and the history, and why a face marked
    with django_assert_num_queries(9):
        teacher.get(url, {"line": student.pk})


def test_closing_marks_the_rest_absent_and_reopening_keeps_the_lines(
    teacher: Client, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths)
    make_record(session, students[0])
    teacher.post(reverse("close-session", args=[session.pk]))
    assert Record.objects.filter(source=Source.RULE).count() == 2
    assert "Open it again" in page_of(teacher, session)
    teacher.post(reverse("reopen-session", args=[session.pk]))
    assert Record.objects.count() == 3
    assert "Close session" in page_of(teacher, session)


# --- The past, by hand


def test_a_past_session_is_made_and_entered_by_hand(
    teacher: Client, maths: Classroom, students: list[Student], alice: User
) -> None:
    answer = teacher.post(
        reverse("class-sessions", args=[maths.pk]),
        {"date": days(-9).isoformat(), "start": "09:00", "end": "09:45"},
    )
    session = Session.objects.get()
    assert answer["Location"] == reverse("session", args=[session.pk])
    assert (session.date, session.start) == (days(-9), dt.time(9))
    assert session.created_by == alice
    teacher.post(
        reverse("mark", args=[maths.pk]),
        {"mark": f"{students[0].pk}:late", "session": session.pk},
    )
    record = Record.objects.get()
    assert (record.session, record.status) == (session, Status.LATE)


def test_a_day_that_has_a_register_leads_to_it(
    teacher: Client, maths: Classroom
) -> None:
    session = make_session(maths, date=days(-2))
    form = {"date": session.date.isoformat()}
    answer = teacher.post(reverse("class-sessions", args=[maths.pk]), form)
    assert answer["Location"] == reverse("session", args=[session.pk])
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    "form", [{}, {"date": "soon"}, {"date": "2026-03-02", "end": "10:00"}]
)
def test_a_form_that_makes_no_sense_is_said(
    teacher: Client, maths: Classroom, form: dict[str, str]
) -> None:
    answer = teacher.post(reverse("class-sessions", args=[maths.pk]), form)
    assert answer.status_code == 400
    assert not Session.objects.exists()


def test_the_list_counts_its_lines_in_a_fixed_number_of_queries(
    teacher: Client,
    maths: Classroom,
    students: list[Student],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for ago in range(3):
        session = make_session(maths, date=days(-ago))
        make_record(session, students[0])
        make_record(session, students[1], Status.ABSENT)
    url = reverse("class-sessions", args=[maths.pk])
    # session, user, class, count, sessions
    with django_assert_num_queries(5):
        page = teacher.get(url).content.decode()
    assert page.count("1 of 2 present") == 3


def test_several_are_marked_at_once_with_a_reason_and_undone(
    client: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths)
    make_record(session, students[0], Status.ABSENT, by=alice)
    client.force_login(alice)
    chosen = {
        "student": [student.pk for student in students[:2]],
        "status": "late",
        "note": "Bus",
    }
    page = client.post(f"/app/sessions/{session.pk}/mark/", chosen, follow=True)
    lines = {line.student: line for line in Record.objects.all()}
    assert {(lines[one].status, lines[one].note) for one in students[:2]} == {
        ("late", "Bus")
    }
    assert students[2] not in lines
    for line in lines.values():
        assert line.history.first().history_change_reason == "Bus"
    assert "2 students: Late" in page.content.decode()
    client.post(f"/app/sessions/{session.pk}/undo/")
    assert [line.status for line in Record.objects.all()] == ["absent"]


@pytest.mark.parametrize("form", [{"status": "late"}, {"student": [1], "status": "?"}])
def test_marking_nobody_or_nothing_is_said(
    client: Client, alice: User, maths: Classroom, form: dict[str, Any]
) -> None:
    session = make_session(maths)
    client.force_login(alice)
    page = client.post(f"/app/sessions/{session.pk}/mark/", form, follow=True)
    assert "Choose students and a status" in page.content.decode()
    assert not Record.objects.exists()


def test_a_strangers_student_is_not_among_those_to_choose(
    client: Client, alice: User, maths: Classroom, outsider: Student
) -> None:
    session = make_session(maths)
    client.force_login(alice)
    form = {"student": [outsider.pk], "status": "present"}
    client.post(f"/app/sessions/{session.pk}/mark/", form)
    assert not Record.objects.exists()


def test_the_page_says_who_reopened_the_session(
    client: Client, alice: User, maths: Classroom
) -> None:
    session = make_session(maths)
    services.close(session, by=alice)
    services.reopen(session, by=alice)
    client.force_login(alice)
    page = client.get(f"/app/sessions/{session.pk}/").content.decode()
    assert "What happened to this session" in page
    assert "Reopened" in page
