"""Many classes at once, and one student over all of them."""

import datetime as dt
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance.models import Status
from attendance.report_school import SchoolReport, school
from attendance.report_students import StudentReport, student_report
from attendance.reports import Counts, add, grid, summarise
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_class, make_student, seat

pytestmark = pytest.mark.django_db


def seen_by(user: User, **period: dt.date) -> SchoolReport:
    return school(Classroom.objects.for_user(user), **period)


def of_student(student: Student, user: User, **period: Any) -> StudentReport:
    return student_report(student, user=user, **period)


@pytest.fixture
def mover(maths: Classroom, alice: User) -> Student:
    """Sat in maths until five days ago and sits in physics since."""
    physics = make_class("Physics", alice)
    mover = make_student("Mia Mover")
    seat(mover, maths, starts_on=days(-10), ends_on=days(-5))
    seat(mover, physics, starts_on=days(-5))
    for ago in (6, 5, 4):
        make_session(maths, date=days(-ago))
        make_session(physics, date=days(-ago))
    return mover


def test_a_class_has_the_same_counts_alone_and_in_the_school(
    alice: User, maths: Classroom, students: list[Student], mover: Student
) -> None:
    outsider = make_student("Vic Visitor")
    session = make_session(maths, date=days(-1))
    make_record(session, outsider)  # sits elsewhere, so nobody's line is filled
    make_record(session, students[0], Status.LATE)
    by_class = {line.classroom: line.counts for line in seen_by(alice).classes}
    assert by_class[maths] == summarise(maths).counts
    assert by_class[maths] == Counts(present=1, late=1, unmarked=3 * 3 + 1 + 2)


def test_a_student_who_changed_class_counts_where_they_sat(
    alice: User, mover: Student
) -> None:
    report = of_student(mover, alice)
    by_name = {line.classroom.class_name: line.counts for line in report.classes}
    assert by_name == {"Maths": Counts(unmarked=1), "Physics": Counts(unmarked=2)}
    assert report.counts == Counts(unmarked=3)


def test_the_teacher_of_the_new_class_sees_nothing_of_the_old_one(
    alice: User, stranger: User, maths: Classroom, history: Classroom
) -> None:
    mover = make_student("Mia Mover")
    seat(mover, maths, starts_on=days(-10), ends_on=days(-5))
    seat(mover, history, starts_on=days(-5))
    make_record(make_session(maths, date=days(-6)), mover, Status.ABSENT)
    make_record(make_session(history, date=days(-4)), mover)
    assert of_student(mover, stranger).counts == Counts(present=1)
    assert of_student(mover, alice).counts == Counts(absent=1)


def test_a_stranger_sees_no_class(stranger: User, maths: Classroom) -> None:
    make_session(maths)
    report = seen_by(stranger)
    assert (report.classes, report.sessions, report.counts) == ([], 0, Counts())


def test_an_archived_class_is_shown_for_the_time_it_met(
    admin: User, alice: User, maths: Classroom
) -> None:
    old = make_class("Old", alice, archived_at=dt.datetime.now(dt.UTC))
    make_session(old, date=days(-40))
    assert [line.classroom for line in seen_by(admin, start=days(-10)).classes] == [
        maths
    ]
    assert old in [line.classroom for line in seen_by(admin).classes]


def test_a_period_keeps_the_rest_out(
    alice: User, maths: Classroom, students: list[Student]
) -> None:
    for ago in (3, 2, 1):
        make_record(make_session(maths, date=days(-ago)), students[0])
    assert seen_by(alice, start=days(-2)).sessions == 2
    assert of_student(students[0], alice, end=days(-3)).counts == Counts(present=1)


def test_sessions_and_students_of_a_grid_have_the_same_sum(
    maths: Classroom, students: list[Student], mover: Student
) -> None:
    make_record(make_session(maths, date=days(-1)), students[0], Status.EXCUSED)
    register = grid(maths)
    by_session = add(line.counts for line in register.by_session())
    assert by_session == add(line.counts for line in register.by_student())


def test_a_grid_is_in_the_order_of_time(
    maths: Classroom, students: list[Student]
) -> None:
    late, early, whole = (
        make_session(maths, start=start) for start in (dt.time(11), dt.time(9), None)
    )
    before = make_session(maths, date=days(-1))
    assert grid(maths).sessions == [before, whole, early, late]


@pytest.mark.parametrize("size", [1, 12])
def test_a_school_takes_three_queries_and_a_student_three(
    admin: User,
    alice: User,
    size: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    student = make_student("Zoe Zimmer")
    for number in range(size):
        room = make_class(f"Class {number}", alice)
        seat(student, room)
        make_record(make_session(room), student)
        make_session(room, date=days(-1))
    # The lines by session and status, the sessions, the classes.
    with django_assert_num_queries(3):
        assert seen_by(admin).sessions == 2 * size
    # The seats, the records, the sessions without one.
    with django_assert_num_queries(3):
        assert len(of_student(student, alice).meetings) == 2 * size
