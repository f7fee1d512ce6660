"""POST and DELETE /classes/{id}/students."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import audit
from accounts.audit import Event
from accounts.models import User
from classroom.models import Classroom, Enrollment, Student
from classroom.tests.factories import days, make_class, make_student, seat
from conftest import ApiFactory

METHODS = ["post", "delete"]


def call(
    api: ApiFactory, user: User | None, method: str, classroom: Classroom, ids: Any
) -> Any:
    client = api(user)
    address = f"/classes/{classroom.pk}/students"
    return getattr(client, method)(address, {"student_ids": ids}, format="json")


def roster(classroom: Classroom) -> set[Student]:
    return set(Student.objects.in_class(classroom.pk))


@pytest.mark.parametrize("method", METHODS)
def test_it_asks_for_a_login(
    api: ApiFactory, maths: Classroom, students: list[Student], method: str
) -> None:
    assert call(api, None, method, maths, [students[0].pk]).status_code == 401


@pytest.mark.parametrize("method", METHODS)
def test_another_teachers_class_is_hidden(
    api: ApiFactory,
    stranger: User,
    maths: Classroom,
    students: list[Student],
    outsider: Student,
    method: str,
) -> None:
    ids = [outsider.pk, students[0].pk]
    assert call(api, stranger, method, maths, ids).status_code == 404
    assert roster(maths) == set(students)


def test_a_teacher_moves_a_student_between_own_classes(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    physics = make_class("Physics", alice)
    moved = students[1]
    call(api, alice, "post", physics, [moved.pk])
    call(api, alice, "delete", maths, [moved.pk])
    assert roster(physics) == {moved}
    assert roster(maths) == {students[0], students[2]}


def test_a_substitute_may_enrol(
    api: ApiFactory, bob: User, maths: Classroom, students: list[Student]
) -> None:
    response = call(api, bob, "post", maths, [students[0].pk])
    assert response.json() == {"enrolled": [], "already": [students[0].pk]}


def test_it_says_who_is_new_and_who_sat_there(
    api: ApiFactory,
    admin: User,
    maths: Classroom,
    students: list[Student],
    outsider: Student,
) -> None:
    response = call(api, admin, "post", maths, [outsider.pk, students[0].pk])
    assert response.status_code == 200
    assert response.json() == {"enrolled": [outsider.pk], "already": [students[0].pk]}
    assert roster(maths) == {*students, outsider}


def test_enrolling_again_changes_nothing(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    before = list(Enrollment.objects.values())
    call(api, alice, "post", maths, [student.pk for student in students])
    assert list(Enrollment.objects.values()) == before


def test_an_id_that_comes_twice_counts_once(
    api: ApiFactory, admin: User, maths: Classroom, outsider: Student
) -> None:
    response = call(api, admin, "post", maths, [outsider.pk, outsider.pk])
    assert response.json() == {"enrolled": [outsider.pk], "already": []}


@pytest.mark.parametrize("method", METHODS)
def test_a_teacher_can_not_reach_for_a_stranger_s_student(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    students: list[Student],
    outsider: Student,
    method: str,
) -> None:
    response = call(api, alice, method, maths, [students[0].pk, outsider.pk])
    assert response.status_code == 400
    fault = response.json()["errors"]["student_ids"][0]
    assert fault["code"] == "does_not_exist"
    assert str(outsider.pk) in fault["detail"]
    assert roster(maths) == set(students)


def test_a_hidden_student_and_none_at_all_look_alike(
    api: ApiFactory, alice: User, maths: Classroom, outsider: Student
) -> None:
    hidden = call(api, alice, "post", maths, [outsider.pk]).json()
    absent = call(api, alice, "post", maths, [999_999]).json()
    plain = str(hidden).replace(str(outsider.pk), "N")
    assert plain == str(absent).replace("999999", "N")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "ids", [None, [], "1", [0], ["x"], [2**63], [[1]], [None], list(range(1, 1002))]
)
def test_it_names_the_field_when_the_ids_are_none(
    api: ApiFactory, admin: User, maths: Classroom, method: str, ids: Any
) -> None:
    response = call(api, admin, method, maths, ids)
    assert response.status_code == 400
    assert list(response.json()["errors"]) == ["student_ids"]


def test_it_ends_a_seat_today_and_keeps_the_past(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    response = call(api, alice, "delete", maths, [students[0].pk])
    assert response.json() == {"ended": [students[0].pk]}
    assert roster(maths) == set(students[1:])
    yesterday = Student.objects.in_class(maths.pk, on=days(-1))
    assert set(yesterday) == set(students)


def test_it_takes_the_ids_from_the_address_too(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    first, second, _third = students
    address = f"/classes/{maths.pk}/students"
    query = f"?student_ids={first.pk}&student_ids={second.pk}"
    response = api(alice).delete(address + query)
    assert response.json() == {"ended": [first.pk, second.pk]}


def test_it_names_those_only_who_had_a_seat(
    api: ApiFactory,
    admin: User,
    maths: Classroom,
    students: list[Student],
    outsider: Student,
    history: Classroom,
) -> None:
    response = call(api, admin, "delete", maths, [students[0].pk, outsider.pk])
    assert response.json() == {"ended": [students[0].pk]}
    assert roster(history) == {outsider}


def test_a_student_who_left_today_may_come_back_today(
    api: ApiFactory, admin: User, maths: Classroom, students: list[Student]
) -> None:
    call(api, admin, "delete", maths, [students[0].pk])
    response = call(api, admin, "post", maths, [students[0].pk])
    assert response.json()["enrolled"] == [students[0].pk]
    assert roster(maths) == set(students)


def test_an_archived_class_takes_nobody(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    old = make_class("Old", alice, archived_at=timezone.now())
    response = call(api, alice, "post", old, [students[0].pk])
    assert (response.status_code, response.json()["code"]) == (409, "class_archived")
    assert roster(old) == set()


def test_an_archived_class_lets_students_go(api: ApiFactory, alice: User) -> None:
    old = make_class("Old", alice, archived_at=timezone.now())
    student = make_student("Fay", old)
    assert call(api, alice, "delete", old, [student.pk]).json() == {
        "ended": [student.pk]
    }


def test_a_planned_seat_begins_today_when_the_student_is_enrolled(
    api: ApiFactory, admin: User, maths: Classroom
) -> None:
    student = make_student("Fay")
    seat(student, maths, starts_on=days(5))
    response = call(api, admin, "post", maths, [student.pk])
    assert response.json()["enrolled"] == [student.pk]
    assert Enrollment.objects.get(student=student).starts_on == days(0)


@pytest.mark.parametrize("number", [1, 12])
def test_enrolling_takes_as_many_queries_for_a_class_as_for_one(
    api: ApiFactory,
    admin: User,
    maths: Classroom,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ids = [make_student(f"New {name}").pk for name in range(number)]
    audit.write(Event.LOGIN, by=admin)  # the log's first line takes more than others
    # who asks, the class, the students; then begin, lock the class, its seats,
    # the new seats (in a savepoint of their own: two), the audit log's three, end
    with django_assert_num_queries(11):
        assert call(api, admin, "post", maths, ids).status_code == 200
