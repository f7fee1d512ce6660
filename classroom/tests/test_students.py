"""/students as this floor answers it; another one adds whether a face is enrolled."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from classroom.models import Classroom, Enrollment, Student
from classroom.tests.factories import days, make_class, make_student, seat, share
from conftest import ApiFactory

pytestmark = pytest.mark.urls("classroom.tests.urls")

NEW = {"student_id": "S-new", "full_name": "Nico New"}


def ids(response: Any) -> list[int]:
    assert response.status_code == 200
    return [row["id"] for row in response.json()["results"]]


def codes(response: Any, field: str) -> list[str]:
    assert response.status_code == 400
    return [fault["code"] for fault in response.json()["errors"][field]]


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_list_asks_for_a_login(api: ApiFactory, db: None, method: str) -> None:
    assert getattr(api(None), method)("/students").status_code == 401


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_a_student_asks_for_a_login(
    api: ApiFactory, outsider: Student, method: str
) -> None:
    assert getattr(api(None), method)(f"/students/{outsider.pk}").status_code == 401


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_teacher_lists_the_own_students_alone(
    api: ApiFactory,
    alice: User,
    bob: User,
    students: list[Student],
    outsider: Student,
    who: str,
) -> None:
    user = {"alice": alice, "bob": bob}[who]
    assert ids(api(user).get("/students")) == [student.pk for student in students]


def test_an_admin_lists_everybody(
    api: ApiFactory, admin: User, students: list[Student], outsider: Student
) -> None:
    listed = ids(api(admin).get("/students"))
    assert listed == [*(student.pk for student in students), outsider.pk]


def test_a_student_says_who_it_is(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    student = make_student(
        "Fay Fisher", maths, student_id="S-77", email="fay@home.example", phone="123"
    )
    assert api(alice).get(f"/students/{student.pk}").json() == {
        "id": student.pk,
        "student_id": "S-77",
        "full_name": "Fay Fisher",
        "email": "fay@home.example",
        "phone": "123",
        "class_id": maths.pk,
        "class_ids": [maths.pk],
    }


@pytest.mark.parametrize("method", ["get", "patch"])
def test_another_teachers_student_is_hidden(
    api: ApiFactory, alice: User, outsider: Student, method: str
) -> None:
    response = getattr(api(alice), method)(f"/students/{outsider.pk}")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_teacher_deletes_no_student(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    response = api(alice).delete(f"/students/{students[0].pk}")
    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


def test_an_admin_deletes_a_student(
    api: ApiFactory, admin: User, outsider: Student
) -> None:
    assert api(admin).delete(f"/students/{outsider.pk}").status_code == 204
    assert not Student.objects.exists()


def test_the_earliest_current_class_comes_first(
    api: ApiFactory, admin: User, maths: Classroom, history: Classroom
) -> None:
    student = make_student("Fay")
    seat(student, maths, starts_on=days(-3))
    seat(student, history, starts_on=days(-9))
    answer = api(admin).get(f"/students/{student.pk}").json()
    assert answer["class_id"] == history.pk
    assert answer["class_ids"] == [history.pk, maths.pk]


def test_a_teacher_is_not_told_of_a_students_other_classes(
    api: ApiFactory, alice: User, maths: Classroom, history: Classroom
) -> None:
    student = make_student("Fay")
    seat(student, history, starts_on=days(-9))
    seat(student, maths, starts_on=days(-3))
    answer = api(alice).get(f"/students/{student.pk}").json()
    assert (answer["class_id"], answer["class_ids"]) == (maths.pk, [maths.pk])


def test_past_planned_and_archived_classes_are_not_current(
    api: ApiFactory, admin: User, alice: User, maths: Classroom, history: Classroom
) -> None:
    student = make_student("Fay")
    old = make_class("Old", alice, archived_at=timezone.now())
    seat(student, old)
    seat(student, maths, starts_on=days(-9), ends_on=days(0))
    seat(student, history, starts_on=days(1))
    answer = api(admin).get(f"/students/{student.pk}").json()
    assert (answer["class_id"], answer["class_ids"]) == (None, [])


@pytest.mark.parametrize("number", [1, 12])
def test_the_list_takes_four_queries(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    physics = make_class("Physics", alice)
    for name in range(number):
        make_student(f"Student {name}", maths, physics)
    client = api(alice)
    # who asks, how many, the page, the page's seats
    with django_assert_num_queries(4):
        client.get("/students")


def test_a_class_filter_shows_todays_roster(
    api: ApiFactory,
    admin: User,
    maths: Classroom,
    students: list[Student],
    outsider: Student,
) -> None:
    gone = make_student("Gone")
    seat(gone, maths, starts_on=days(-9), ends_on=days(-1))
    listed = ids(api(admin).get("/students", {"class_id": maths.pk}))
    assert listed == [student.pk for student in students]


def test_a_class_filter_tells_nothing_of_a_strangers_class(
    api: ApiFactory, alice: User, maths: Classroom, history: Classroom
) -> None:
    """Not even which of the own students sit there."""
    make_student("Fay", maths, history)
    assert ids(api(alice).get("/students", {"class_id": history.pk})) == []


def test_a_class_filter_refuses_what_is_no_id(api: ApiFactory, admin: User) -> None:
    response = api(admin).get("/students", {"class_id": "maths"})
    assert codes(response, "class_id") == ["invalid"]


@pytest.mark.parametrize("words", ["castro", "CLEO cas", "s-77", "castro s-77"])
def test_it_searches_name_and_code(
    api: ApiFactory, alice: User, maths: Classroom, outsider: Student, words: str
) -> None:
    wanted = make_student("Cleo Castro", maths, student_id="S-77")
    make_student("Dan Dietz", maths)
    assert ids(api(alice).get("/students", {"search": words})) == [wanted.pk]


def test_a_search_finds_no_stranger_s_student(
    api: ApiFactory, alice: User, outsider: Student
) -> None:
    assert ids(api(alice).get("/students", {"search": "otto"})) == []


def test_a_page_holds_what_was_asked_for(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    page = api(alice).get("/students", {"limit": 2, "offset": 2}).json()
    assert page["count"] == 3
    assert [row["id"] for row in page["results"]] == [students[2].pk]
    assert page["next"] is None


def test_a_teacher_adds_a_student_to_an_own_class(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    body = {**NEW, "class_id": maths.pk}
    response = api(alice).post("/students", body, format="json")
    assert response.status_code == 201
    assert response.json() == {
        "id": response.json()["id"],
        **NEW,
        "email": "",
        "phone": "",
        "class_id": maths.pk,
        "class_ids": [maths.pk],
    }
    assert Enrollment.objects.get().starts_on == days(0)


@pytest.mark.parametrize("extra", [{}, {"class_id": None}])
def test_a_teacher_has_to_name_a_class(
    api: ApiFactory, alice: User, maths: Classroom, extra: dict[str, None]
) -> None:
    response = api(alice).post("/students", {**NEW, **extra}, format="json")
    assert codes(response, "class_id") == ["required"]
    assert not Student.objects.exists()


def test_a_teacher_adds_nobody_to_a_strangers_class(
    api: ApiFactory, alice: User, history: Classroom
) -> None:
    body = {**NEW, "class_id": history.pk}
    response = api(alice).post("/students", body, format="json")
    assert codes(response, "class_id") == ["does_not_exist"]
    assert not Student.objects.exists()


def test_a_hidden_class_and_none_at_all_look_alike(
    api: ApiFactory, alice: User, history: Classroom
) -> None:
    answers = [
        str(api(alice).post("/students", {**NEW, "class_id": pk}, format="json").json())
        for pk in (history.pk, 999_999)
    ]
    assert answers[0].replace(str(history.pk), "N") == answers[1].replace("999999", "N")


def test_an_admin_adds_a_student_without_a_class(api: ApiFactory, admin: User) -> None:
    response = api(admin).post("/students", NEW, format="json")
    assert (response.json()["class_id"], response.json()["class_ids"]) == (None, [])


@pytest.mark.parametrize("class_id", ["x", 0, 2**63, [1]])
def test_it_refuses_a_class_id_that_is_none(
    api: ApiFactory, admin: User, class_id: object
) -> None:
    body = {**NEW, "class_id": class_id}
    assert codes(api(admin).post("/students", body, format="json"), "class_id")


def test_an_archived_class_takes_no_student_and_none_is_made(
    api: ApiFactory, alice: User
) -> None:
    old = make_class("Old", alice, archived_at=timezone.now())
    body = {**NEW, "class_id": old.pk}
    response = api(alice).post("/students", body, format="json")
    assert (response.status_code, response.json()["code"]) == (409, "class_archived")
    assert not Student.objects.exists()


@pytest.mark.parametrize("field", ["student_id", "full_name"])
def test_it_names_a_field_that_is_missing(
    api: ApiFactory, admin: User, field: str
) -> None:
    body = {name: value for name, value in NEW.items() if name != field}
    response = api(admin).post("/students", body, format="json")
    assert codes(response, field) == ["required"]


def test_it_refuses_a_code_that_is_taken(
    api: ApiFactory, alice: User, maths: Classroom, outsider: Student
) -> None:
    body = {**NEW, "student_id": outsider.student_id, "class_id": maths.pk}
    response = api(alice).post("/students", body, format="json")
    assert codes(response, "student_id") == ["unique"]


def test_a_change_keeps_the_classes(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    body = {"full_name": "Cleo Cruz", "phone": "555"}
    address = f"/students/{students[0].pk}"
    answer = api(alice).patch(address, body, format="json").json()
    assert (answer["full_name"], answer["phone"]) == ("Cleo Cruz", "555")
    assert answer["class_ids"] == [maths.pk]


def test_writing_a_class_adds_it(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    physics = make_class("Physics", alice)
    body = {"class_id": physics.pk}
    address = f"/students/{students[0].pk}"
    answer = api(alice).patch(address, body, format="json").json()
    assert answer["class_id"] == maths.pk
    assert answer["class_ids"] == [maths.pk, physics.pk]


def test_writing_the_same_class_again_changes_nothing(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    body = {"class_id": maths.pk}
    api(alice).patch(f"/students/{students[0].pk}", body, format="json")
    assert students[0].enrollments.count() == 1


def test_an_answer_can_be_sent_back_as_it_came(
    api: ApiFactory, admin: User, db: None
) -> None:
    client = api(admin)
    student = make_student("Fay")
    answer = client.get(f"/students/{student.pk}").json()
    response = client.patch(f"/students/{student.pk}", answer, format="json")
    assert response.json() == answer


def test_a_change_adds_no_strangers_class(
    api: ApiFactory, alice: User, students: list[Student], history: Classroom
) -> None:
    body = {"class_id": history.pk}
    response = api(alice).patch(f"/students/{students[0].pk}", body, format="json")
    assert codes(response, "class_id") == ["does_not_exist"]
    assert students[0].enrollments.count() == 1


def test_a_substitute_whose_time_is_over_sees_nobody(
    api: ApiFactory, stranger: User, maths: Classroom, students: list[Student]
) -> None:
    share(maths, stranger, starts_on=days(-9), ends_on=days(-1))
    client = api(stranger)
    assert ids(client.get("/students")) == []
    assert client.get(f"/students/{students[0].pk}").status_code == 404
