"""Planned absences excuse, and never speak over a person or a photo."""

import pytest
from django.db.models import Q

from accounts.models import User
from attendance import history, services
from attendance.models import Record, Session, Source, Status
from attendance.register import register_of
from attendance.rules import cancel_absence, excuse_since, plan_absence
from attendance.tests.factories import make_session
from attendance.tests.plans import excuse
from attendance.timetable_models import PlannedAbsence
from classroom.models import Classroom, Student
from classroom.tests.factories import days

pytestmark = pytest.mark.django_db


def status_of(student: Student, **lines: object) -> tuple[str, str, str]:
    record = Record.objects.get(Q(student=student), **lines)
    return record.status, record.source, record.note


EXCUSED = (Status.EXCUSED, Source.RULE, "Ill")
ABSENT = (Status.ABSENT, Source.RULE, "")


def test_closing_excuses_whose_absence_was_planned(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    excuse(students[0], by=alice)
    services.close(make_session(maths), by=alice)
    assert status_of(students[0]) == EXCUSED
    assert status_of(students[1]) == ABSENT


@pytest.mark.parametrize(
    ("first", "last", "is_excused"),
    [(0, 0, True), (-5, 0, True), (0, 9, True), (-5, -1, False), (1, 2, False)],
)
def test_a_plan_holds_on_both_of_its_days_and_between(
    maths: Classroom,
    students: list[Student],
    alice: User,
    first: int,
    last: int,
    is_excused: bool,
) -> None:
    excuse(students[0], by=alice, first=first, last=last)
    services.close(make_session(maths), by=alice)
    assert (status_of(students[0]) == EXCUSED) is is_excused


def test_who_comes_all_the_same_is_present(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    excuse(students[0], by=alice)
    session = make_session(maths)
    services.mark_by_hand(session, students[0], status=Status.PRESENT, by=alice)
    services.close(session, by=alice)
    assert status_of(students[0]) == (Status.PRESENT, Source.MANUAL, "")


def test_the_rest_absent_means_excused_where_it_was_planned(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    excuse(students[0], by=alice)
    services.mark_rest(make_session(maths), status=Status.ABSENT, by=alice)
    assert status_of(students[0]) == (Status.EXCUSED, Source.MANUAL, "Ill")
    assert status_of(students[1]) == (Status.ABSENT, Source.MANUAL, "")


def test_the_rest_present_means_everybody(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    excuse(students[0], by=alice)
    services.mark_rest(make_session(maths), status=Status.PRESENT, by=alice)
    assert status_of(students[0])[0] == Status.PRESENT


def test_an_open_register_says_who_is_planned_away(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    excuse(students[0], by=alice)
    register = register_of(maths, make_session(maths))
    away = [line for line in register.lines if line.is_planned_away]
    assert [(line.student, line.reason) for line in away] == [(students[0], "Ill")]
    assert students[0] not in [line.student for line in register.waited_for]


# --- Plans that come late, change or go


@pytest.fixture
def closed(maths: Classroom, students: list[Student], alice: User) -> Session:
    session = make_session(maths, date=days(-1))
    services.mark_by_hand(session, students[1], status=Status.ABSENT, by=alice)
    return services.close(session, by=alice)


def test_a_plan_that_comes_late_excuses_what_closing_called_absent(
    closed: Session, students: list[Student], alice: User
) -> None:
    for student in students[:2]:
        excuse(student, by=alice, first=-1)
    assert status_of(students[0]) == EXCUSED
    assert status_of(students[1]) == (Status.ABSENT, Source.MANUAL, "")  # a person's
    assert status_of(students[2]) == ABSENT


def test_a_late_plan_leaves_a_line_of_history(
    closed: Session, students: list[Student], alice: User
) -> None:
    excuse(students[0], by=alice, first=-1)
    newest = history.of_line(closed, students[0])[0]
    assert (newest.from_status, newest.status) == (Status.ABSENT, Status.EXCUSED)
    assert newest.history_user == alice
    assert newest.history_change_reason == "Planned absence"


def test_a_plan_that_goes_makes_absent_again(
    closed: Session, students: list[Student], alice: User
) -> None:
    plan = excuse(students[0], by=alice, first=-1)
    cancel_absence(plan, by=alice)
    assert status_of(students[0]) == ABSENT
    assert PlannedAbsence.history.get(history_type="-").history_user == alice


def test_of_two_plans_for_a_day_one_may_go(
    closed: Session, students: list[Student], alice: User
) -> None:
    excuse(students[0], by=alice, first=-1)
    other = excuse(students[0], by=alice, first=-1, reason="Journey")
    cancel_absence(other, by=alice)
    assert status_of(students[0]) == EXCUSED


def test_a_plan_that_is_moved_takes_its_excuse_along(
    closed: Session, students: list[Student], alice: User
) -> None:
    plan = excuse(students[0], by=alice, first=-1)
    plan.first_date = days(0)
    plan_absence(plan, by=alice)
    assert status_of(students[0]) == ABSENT


def test_an_excuse_that_a_person_gave_stays_without_a_plan(
    closed: Session, students: list[Student], alice: User
) -> None:
    plan = excuse(students[1], by=alice, first=-1)
    line = Record.objects.get(student=students[1])
    services.correct(line, status=Status.EXCUSED, note="Asked", by=alice)
    cancel_absence(plan, by=alice)
    assert status_of(students[1]) == (Status.EXCUSED, Source.MANUAL, "Asked")


def test_a_plan_of_one_student_changes_no_strangers_line(
    closed: Session, history: Classroom, outsider: Student, alice: User, stranger: User
) -> None:
    services.close(make_session(history, date=days(-1)), by=stranger)
    excuse(Student.objects.exclude(pk=outsider.pk)[0], by=alice, first=-1)
    assert status_of(outsider) == ABSENT


def test_the_tick_finds_a_plan_that_was_entered_while_a_session_closed(
    closed: Session, students: list[Student]
) -> None:
    PlannedAbsence.objects.create(
        student=students[0], first_date=days(-1), last_date=days(-1), reason="Ill"
    )
    assert excuse_since(days(0)) == 0
    assert excuse_since(days(-1)) == 1
    assert status_of(students[0]) == EXCUSED


# --- Reopening


def test_a_face_corrects_an_excuse_that_closing_gave(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    excuse(students[0], by=alice)
    session = services.close(make_session(maths), by=alice)
    services.reopen(session, by=alice)
    services.mark_by_face(maths, {students[0].pk: 0.7}, by=alice, session_id=session.pk)
    assert status_of(students[0])[:2] == (Status.PRESENT, Source.FACE)


def test_a_match_taken_back_in_a_closed_session_becomes_what_closing_would_say(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    excuse(students[0], by=alice)
    marks = services.mark_by_face(
        maths, {student.pk: 0.7 for student in students}, by=alice
    )
    session = marks[students[0].pk].record.session
    services.close(session, by=alice)
    for student in students[:2]:
        services.reject_match(marks[student.pk].record, by=alice)
    assert status_of(students[0]) == EXCUSED
    assert status_of(students[1]) == ABSENT
