"""Counts and rates: who is in the base, and whose day it was."""

import datetime as dt

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance.models import Status
from attendance.reports import Counts, summarise
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_student, seat

pytestmark = pytest.mark.django_db


def counts_of(classroom: Classroom, student: Student, **period: dt.date) -> Counts:
    lines = summarise(classroom, **period).students
    return next(line.counts for line in lines if line.student == student)


def test_late_counts_as_there_and_excused_is_left_out_of_the_base() -> None:
    assert Counts(present=2, late=1, absent=1, excused=5, unmarked=3).rate == 0.75


def test_without_a_base_there_is_no_rate() -> None:
    assert Counts(excused=3, unmarked=1).rate is None


def test_each_status_is_counted_per_student_and_for_the_class(
    maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths)
    for student, status in zip(students, Status, strict=False):
        make_record(session, student, status)
    summary = summarise(maths)
    assert (summary.sessions, summary.counts) == (
        1,
        Counts(present=1, late=1, absent=1),
    )
    assert counts_of(maths, students[1]) == Counts(late=1)


def test_a_student_without_a_line_is_unmarked(
    maths: Classroom, students: list[Student]
) -> None:
    make_session(maths)
    assert counts_of(maths, students[0]) == Counts(unmarked=1)


def test_the_roster_of_each_day_counts(maths: Classroom) -> None:
    mover = make_student("Max Mover")
    seat(mover, maths, starts_on=days(-10), ends_on=days(-5))
    for day in (-11, -10, -6, -5):
        make_session(maths, date=days(day))
    assert counts_of(maths, mover) == Counts(unmarked=2)


def test_a_visitor_who_was_marked_is_in_the_report(
    maths: Classroom, outsider: Student
) -> None:
    make_record(make_session(maths), outsider)
    assert counts_of(maths, outsider) == Counts(present=1)


def test_both_ends_of_a_period_are_included(
    maths: Classroom, students: list[Student]
) -> None:
    for day in (-3, -2, -1, 0):
        make_session(maths, date=days(day))
    assert summarise(maths, start=days(-2), end=days(-1)).sessions == 2
    assert summarise(maths, start=timezone.localdate()).sessions == 1
    assert summarise(maths).sessions == 4


def test_other_classes_are_not_counted(
    maths: Classroom, history: Classroom, outsider: Student
) -> None:
    make_record(make_session(history), outsider)
    summary = summarise(maths)
    assert (summary.sessions, summary.students) == (0, [])


@pytest.mark.parametrize("size", [1, 40])
def test_a_summary_takes_four_queries_whatever_the_size(
    maths: Classroom,
    alice: User,
    size: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    session = make_session(maths)
    for number in range(size):
        make_record(session, make_student(f"Student {number}", maths))
    # Sessions, their records, the seats, the students.
    with django_assert_num_queries(4):
        summarise(maths)
