"""Three absences in fourteen days: who is on the list, and who isn't."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance.models import AbsenceRule, Status
from attendance.report_rules import FollowUp, follow_ups
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_class, make_student

pytestmark = pytest.mark.django_db


def missed(
    classroom: Classroom, student: Student, *ago: int, status: Status = Status.ABSENT
) -> None:
    for number in ago:
        session = classroom.sessions.filter(date=days(-number)).first()
        make_record(
            session or make_session(classroom, date=days(-number)), student, status
        )


def listed(user: User, **period: int) -> list[FollowUp]:
    """Return who is on the list of the first rule; a period is given in days ago."""
    when: dict[str, Any] = {name: days(-ago) for name, ago in period.items()}
    found = follow_ups(Classroom.objects.for_user(user), **when)
    return found[0].students


def test_the_school_starts_with_three_days_absent_within_fourteen() -> None:
    rule = AbsenceRule.objects.get()
    assert (rule.times, rule.days, rule.statuses()) == (3, 14, ["absent"])
    assert str(rule) == "Absent on 3 days within 14 days"


def test_three_absences_in_fourteen_days_are_listed_and_two_are_not(
    alice: User, maths: Classroom, students: list[Student]
) -> None:
    cleo, dan, _eva = students
    missed(maths, cleo, 13, 5, 0)
    missed(maths, dan, 5, 0)
    (found,) = listed(alice)
    assert (found.student, found.number) == (cleo, 3)
    assert found.days == [days(-13), days(-5), days(0)]


def test_a_day_more_between_them_is_too_long(
    alice: User, maths: Classroom, students: list[Student]
) -> None:
    missed(maths, students[0], 14, 5, 0)
    assert listed(alice) == []


def test_a_window_may_begin_before_the_period_but_ends_in_it(
    alice: User, maths: Classroom, students: list[Student]
) -> None:
    cleo, dan, _eva = students
    missed(maths, cleo, 9, 8, 3)
    missed(maths, dan, 9, 8, 7)
    assert [one.student for one in listed(alice, start=5)] == [cleo]
    assert [one.student for one in listed(alice, end=6)] == [dan]


def test_late_and_excused_count_only_where_the_rule_says_so(
    alice: User, maths: Classroom, students: list[Student]
) -> None:
    missed(maths, students[0], 4, 3, status=Status.LATE)
    missed(maths, students[0], 2, status=Status.EXCUSED)
    assert listed(alice) == []
    AbsenceRule.objects.update(late=True, excused=True)
    assert [one.number for one in listed(alice)] == [3]


def test_a_day_of_many_lessons_counts_once_unless_the_rule_counts_each(
    alice: User, maths: Classroom, students: list[Student]
) -> None:
    for name in ("Physics", "Music"):
        missed(make_class(name, alice), students[0], 1)
    missed(maths, students[0], 1)
    assert listed(alice) == []
    AbsenceRule.objects.update(per_day=False)
    (found,) = listed(alice)
    assert found.number == 3
    assert {one.class_name for one in found.classes} == {"Maths", "Music", "Physics"}


def test_a_teacher_is_told_of_own_classes_alone(
    alice: User, stranger: User, admin: User, maths: Classroom, history: Classroom
) -> None:
    mover = make_student("Mia Mover", maths, history)
    missed(history, mover, 3, 2, 1)
    assert listed(alice) == []
    assert [one.student for one in listed(stranger)] == [mover]
    assert [one.student for one in listed(admin)] == [mover]


def test_the_latest_comes_first(
    alice: User, maths: Classroom, students: list[Student]
) -> None:
    cleo, dan, _eva = students
    missed(maths, cleo, 6, 5, 4)
    missed(maths, dan, 3, 2, 1)
    assert [one.student for one in listed(alice)] == [dan, cleo]


def test_a_rule_that_counts_nothing_or_cannot_be_met_is_refused() -> None:
    for fault in (
        AbsenceRule(absent=False),
        AbsenceRule(times=0),
        AbsenceRule(times=4, days=3),
    ):
        with pytest.raises(ValidationError):
            fault.full_clean()
    AbsenceRule(times=4, days=3, per_day=False).full_clean()


@pytest.mark.parametrize("size", [1, 20])
def test_the_lists_take_four_queries_whatever_the_size(
    alice: User,
    maths: Classroom,
    size: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(size):
        missed(maths, make_student(f"Student {number}", maths), 3, 2, 1)
    AbsenceRule.objects.create(times=2)
    # The rules, the lines, the students, the classes.
    with django_assert_num_queries(4):
        assert len(listed(alice)) == size
