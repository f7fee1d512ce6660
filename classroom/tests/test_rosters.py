"""Dated enrolments: the roster of any day."""

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import User
from classroom.models import Classroom, Enrollment, Student
from classroom.rosters import ClassArchived, end_enrolment, enrol
from classroom.tests.factories import days, make_class, make_student, seat


def roster(classroom: Classroom, on: int = 0) -> set[Student]:
    return set(Student.objects.in_class(classroom.pk, on=days(on)))


@pytest.fixture
def student(db: None) -> Student:
    return make_student("Fay Fisher")


def test_a_seat_holds_from_its_first_day(maths: Classroom, student: Student) -> None:
    enrol(maths, [student], on=days(2))
    assert [roster(maths, on=day) for day in (1, 2, 300)] == [
        set(),
        {student},
        {student},
    ]


def test_a_seat_holds_until_the_day_before_its_end(
    maths: Classroom, student: Student
) -> None:
    seat(student, maths, starts_on=days(-5), ends_on=days(-1))
    assert [roster(maths, on=day) for day in (-2, -1)] == [{student}, set()]


def test_who_leaves_today_is_off_the_roster_at_once_and_on_yesterdays(
    maths: Classroom, students: list[Student], outsider: Student
) -> None:
    end_enrolment(maths, [students[0]])
    assert roster(maths) == set(students[1:])
    assert roster(maths, on=-1) == set(students)


def test_who_joins_today_is_not_on_yesterdays_roster(
    maths: Classroom, students: list[Student], student: Student
) -> None:
    enrol(maths, [student])
    assert roster(maths) == {*students, student}
    assert roster(maths, on=-1) == set(students)


def test_a_student_sits_in_several_classes(
    maths: Classroom, history: Classroom, student: Student
) -> None:
    enrol(maths, [student])
    enrol(history, [student])
    assert roster(maths) == roster(history) == {student}


def test_leaving_one_class_keeps_the_other(
    maths: Classroom, history: Classroom, student: Student
) -> None:
    enrol(maths, [student])
    enrol(history, [student])
    assert end_enrolment(maths, [student]) == [student.pk]
    assert (roster(maths), roster(history)) == (set(), {student})


def test_a_seat_that_was_a_mistake_never_was(
    maths: Classroom, student: Student
) -> None:
    enrol(maths, [student])
    end_enrolment(maths, [student])
    assert [roster(maths, on=day) for day in (-1, 0, 1)] == [set()] * 3


def test_a_seat_that_was_planned_is_removed(maths: Classroom, student: Student) -> None:
    seat(student, maths, starts_on=days(5))
    assert end_enrolment(maths, [student]) == [student.pk]
    assert not Enrollment.objects.exists()


def test_a_planned_leave_is_brought_forward(maths: Classroom, student: Student) -> None:
    seat(student, maths, starts_on=days(-5), ends_on=days(9))
    end_enrolment(maths, [student])
    assert Enrollment.objects.get().ends_on == days(0)


def test_a_seat_that_ended_stays_as_it_was(maths: Classroom, student: Student) -> None:
    past = seat(student, maths, starts_on=days(-9), ends_on=days(-5))
    assert end_enrolment(maths, [student]) == []
    past.refresh_from_db()
    assert past.ends_on == days(-5)


def test_coming_back_leaves_a_gap(maths: Classroom, student: Student) -> None:
    seat(student, maths, starts_on=days(-9), ends_on=days(-5))
    enrol(maths, [student])
    assert [roster(maths, on=day) for day in (-6, -3, 0)] == [
        {student},
        set(),
        {student},
    ]


def test_who_sits_with_a_planned_leave_gets_no_second_seat(
    maths: Classroom, student: Student
) -> None:
    seat(student, maths, starts_on=days(-5), ends_on=days(9))
    assert enrol(maths, [student]) == []
    assert Enrollment.objects.count() == 1


def test_a_planned_seat_is_moved_to_the_day(maths: Classroom, student: Student) -> None:
    planned = seat(student, maths, starts_on=days(5))
    assert enrol(maths, [student]) == [planned]
    assert roster(maths) == {student}
    assert Enrollment.objects.count() == 1


def test_an_archived_class_takes_nobody(alice: User, student: Student) -> None:
    old = make_class("Old", alice, archived_at=timezone.now())
    with pytest.raises(ClassArchived):
        enrol(old, [student])


def test_the_database_refuses_a_second_open_seat(
    maths: Classroom, students: list[Student]
) -> None:
    with pytest.raises(IntegrityError):
        seat(students[0], maths)


def test_the_database_refuses_an_end_before_the_start(
    maths: Classroom, student: Student
) -> None:
    with pytest.raises(IntegrityError):
        seat(student, maths, starts_on=days(0), ends_on=days(-1))
