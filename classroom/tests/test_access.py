"""Who may see which class, student, enrolment and substitute."""

import pytest
from django.db import IntegrityError

from accounts.models import User
from accounts.tests.factories import make_admin, make_user
from classroom.models import ClassAccess, Classroom, Enrollment, Student
from classroom.rosters import end_enrolment
from classroom.tests.factories import days, make_student, seat, share

MODELS = (Classroom, Student, Enrollment, ClassAccess)


def test_an_admin_sees_everything(
    admin: User,
    bob: User,
    maths: Classroom,
    history: Classroom,
    students: list[Student],
    outsider: Student,
) -> None:
    assert set(Classroom.objects.for_user(admin)) == {maths, history}
    assert set(Student.objects.for_user(admin)) == {*students, outsider}
    assert Enrollment.objects.for_user(admin).count() == 4
    assert ClassAccess.objects.for_user(admin).count() == 1


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_teacher_and_the_substitute_see_the_class_and_no_other(
    alice: User,
    bob: User,
    stranger: User,
    maths: Classroom,
    history: Classroom,
    students: list[Student],
    outsider: Student,
    who: str,
) -> None:
    share(history, make_user("Hal Helper"))
    user = {"alice": alice, "bob": bob}[who]
    assert set(Classroom.objects.for_user(user)) == {maths}
    assert set(Student.objects.for_user(user)) == set(students)
    assert {row.student for row in Enrollment.objects.for_user(user)} == set(students)
    assert [row.user for row in ClassAccess.objects.for_user(user)] == [bob]


def test_a_stranger_sees_nothing_of_it(
    stranger: User, bob: User, students: list[Student]
) -> None:
    assert not any(model.objects.for_user(stranger).exists() for model in MODELS)


@pytest.mark.parametrize("role", ["admin", "teacher"])
def test_a_deactivated_account_sees_nothing(
    maths: Classroom, bob: User, students: list[Student], role: str
) -> None:
    left = make_admin("Lea") if role == "admin" else maths.teacher
    left.is_active = False
    assert not any(model.objects.for_user(left).exists() for model in MODELS)


@pytest.mark.parametrize(
    ("first", "last", "seen"),
    [
        (0, 0, True),
        (-3, 3, True),
        (-3, None, True),
        (1, 5, False),
        (-5, -1, False),
    ],
)
def test_access_holds_on_its_first_and_last_day_and_between(
    maths: Classroom,
    students: list[Student],
    first: int,
    last: int | None,
    seen: bool,
) -> None:
    user = make_user("Bea Brief")
    ends_on = None if last is None else days(last)
    share(maths, user, starts_on=days(first), ends_on=ends_on)
    assert Classroom.objects.for_user(user).exists() is seen
    assert Student.objects.for_user(user).exists() is seen


def test_access_can_be_asked_for_another_day(maths: Classroom, bob: User) -> None:
    assert not Classroom.objects.for_user(bob, on=days(-8)).exists()
    assert Classroom.objects.for_user(bob, on=days(-7)).exists()


def test_a_student_who_left_leaves_the_teacher_s_sight(
    alice: User, maths: Classroom, students: list[Student]
) -> None:
    end_enrolment(maths, [students[0]])
    assert set(Student.objects.for_user(alice)) == set(students[1:])


def test_a_student_of_two_shared_classes_is_seen_once(
    alice: User, maths: Classroom, history: Classroom
) -> None:
    share(history, alice)
    share(history, alice, starts_on=days(-3))
    student = make_student("Fay", maths, history)
    assert list(Student.objects.for_user(alice)) == [student]
    assert Classroom.objects.for_user(alice).count() == 2


def test_a_student_who_joins_tomorrow_is_not_seen_today(
    alice: User, maths: Classroom
) -> None:
    seat(make_student("Fay"), maths, starts_on=days(1))
    assert not Student.objects.for_user(alice).exists()


def test_the_database_refuses_access_that_ends_before_it_starts(
    maths: Classroom, stranger: User
) -> None:
    with pytest.raises(IntegrityError):
        share(maths, stranger, starts_on=days(0), ends_on=days(-1))
