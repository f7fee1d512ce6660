"""/classes and /classes/{id}."""

import datetime as dt
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from accounts.tests.factories import make_user
from classroom.models import Classroom, Student, current_school_year, school_year_on
from classroom.tests.factories import days, make_class, share
from conftest import ApiFactory


def ids(response: Any) -> list[int]:
    assert response.status_code == 200
    return [row["id"] for row in response.json()["results"]]


def codes(response: Any, field: str) -> list[str]:
    assert response.status_code == 400
    return [fault["code"] for fault in response.json()["errors"][field]]


@pytest.fixture
def new(alice: User) -> dict[str, Any]:
    return {
        "class_name": "Physics",
        "class_code": "PHY-1",
        "school_year": "2026/27",
        "teacher_id": alice.pk,
    }


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_list_asks_for_a_login(api: ApiFactory, db: None, method: str) -> None:
    assert getattr(api(None), method)("/classes").status_code == 401


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_a_class_asks_for_a_login(
    api: ApiFactory, maths: Classroom, method: str
) -> None:
    assert getattr(api(None), method)(f"/classes/{maths.pk}").status_code == 401


def test_a_teacher_lists_the_own_classes_alone(
    api: ApiFactory, alice: User, maths: Classroom, history: Classroom
) -> None:
    assert ids(api(alice).get("/classes")) == [maths.pk]


def test_a_substitute_lists_the_shared_class(
    api: ApiFactory, bob: User, maths: Classroom, history: Classroom
) -> None:
    assert ids(api(bob).get("/classes")) == [maths.pk]


def test_an_admin_lists_all_classes(
    api: ApiFactory, admin: User, maths: Classroom, history: Classroom
) -> None:
    assert set(ids(api(admin).get("/classes"))) == {maths.pk, history.pk}


def test_a_class_says_what_it_is(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    assert api(alice).get(f"/classes/{maths.pk}").json() == {
        "id": maths.pk,
        "class_name": "Maths",
        "class_code": "MAT-1",
        "school_year": current_school_year(),
        "teacher_id": alice.pk,
        "archived": False,
    }


def test_it_answers_with_a_trailing_slash(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    assert api(alice).get(f"/classes/{maths.pk}/").status_code == 200


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_another_teachers_class_is_hidden(
    api: ApiFactory, stranger: User, maths: Classroom, method: str
) -> None:
    response = getattr(api(stranger), method)(f"/classes/{maths.pk}")
    assert response.status_code == (404 if method == "get" else 403)


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_teacher_changes_no_class(
    api: ApiFactory, alice: User, maths: Classroom, method: str
) -> None:
    response = getattr(api(alice), method)(f"/classes/{maths.pk}")
    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


def test_a_teacher_creates_no_class(
    api: ApiFactory, alice: User, new: dict[str, Any]
) -> None:
    assert api(alice).post("/classes", new, format="json").status_code == 403


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [(0, 0, 200), (-7, None, 200), (1, None, 404), (-7, -1, 404)],
)
def test_a_substitute_sees_a_class_on_the_days_agreed(
    api: ApiFactory, maths: Classroom, first: int, last: int | None, status: int
) -> None:
    user = make_user("Bea Brief")
    ends_on = None if last is None else days(last)
    share(maths, user, starts_on=days(first), ends_on=ends_on)
    assert api(user).get(f"/classes/{maths.pk}").status_code == status


@pytest.mark.parametrize("number", [0, 8])
def test_the_list_takes_three_queries(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    number: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for name in range(number):
        make_class(f"More {name}", alice)
    client = api(alice)
    with django_assert_num_queries(3):  # who asks, how many, the page
        client.get("/classes")


def test_it_searches_name_and_code(
    api: ApiFactory, admin: User, maths: Classroom, history: Classroom
) -> None:
    client = api(admin)
    assert ids(client.get("/classes", {"search": "math"})) == [maths.pk]
    assert ids(client.get("/classes", {"search": "his-1"})) == [history.pk]
    assert ids(client.get("/classes", {"search": "history mat-1"})) == []


def test_it_filters_by_year_and_teacher(
    api: ApiFactory, admin: User, alice: User, maths: Classroom, history: Classroom
) -> None:
    old = make_class("Maths", alice, school_year="2019/20")
    client = api(admin)
    assert ids(client.get("/classes", {"school_year": "2019/20"})) == [old.pk]
    assert set(ids(client.get("/classes", {"teacher_id": alice.pk}))) == {
        maths.pk,
        old.pk,
    }


@pytest.mark.parametrize("value", ["x", "1.5", "99999999999999999999"])
def test_it_refuses_an_id_that_is_none(
    api: ApiFactory, admin: User, value: str
) -> None:
    assert codes(api(admin).get("/classes", {"teacher_id": value}), "teacher_id")


def test_an_archived_class_leaves_the_list(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    old = make_class("Old", alice, archived_at=timezone.now())
    client = api(alice)
    assert ids(client.get("/classes")) == [maths.pk]
    assert ids(client.get("/classes", {"archived": "true"})) == [old.pk]
    assert ids(client.get("/classes", {"archived": "false"})) == [maths.pk]


def test_an_archived_class_still_answers_at_its_address(
    api: ApiFactory, alice: User
) -> None:
    old = make_class("Old", alice, archived_at=timezone.now())
    assert api(alice).get(f"/classes/{old.pk}").json()["archived"] is True


def test_an_archived_class_of_a_stranger_stays_hidden(
    api: ApiFactory, alice: User, stranger: User
) -> None:
    make_class("Old", stranger, archived_at=timezone.now())
    assert ids(api(alice).get("/classes", {"archived": "true"})) == []


def test_an_admin_creates_a_class(
    api: ApiFactory, admin: User, alice: User, new: dict[str, Any]
) -> None:
    response = api(admin).post("/classes", new, format="json")
    assert response.status_code == 201
    assert response.json() == {"id": response.json()["id"], "archived": False, **new}
    assert Classroom.objects.for_user(alice).count() == 1


def test_a_class_without_a_year_is_of_the_current_one(
    api: ApiFactory, admin: User, new: dict[str, Any]
) -> None:
    del new["school_year"]
    response = api(admin).post("/classes", new, format="json")
    assert response.json()["school_year"] == current_school_year()


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (dt.date(2026, 7, 31), "2025/26"),
        (dt.date(2026, 8, 1), "2026/27"),
        (dt.date(2099, 12, 31), "2099/00"),
        (dt.date(2100, 1, 1), "2099/00"),
    ],
)
def test_a_school_year_begins_in_august(day: dt.date, year: str) -> None:
    assert school_year_on(day) == year


@pytest.mark.parametrize("field", ["class_name", "class_code", "teacher_id"])
def test_it_names_a_field_that_is_missing(
    api: ApiFactory, admin: User, new: dict[str, Any], field: str
) -> None:
    del new[field]
    assert codes(api(admin).post("/classes", new, format="json"), field) == ["required"]


def test_a_code_is_taken_within_its_year_only(
    api: ApiFactory, admin: User, new: dict[str, Any]
) -> None:
    client = api(admin)
    client.post("/classes", new, format="json")
    again = client.post("/classes", new, format="json")
    assert codes(again, "class_code") == ["unique"]
    next_year = client.post(
        "/classes", {**new, "school_year": "2027/28"}, format="json"
    )
    assert next_year.status_code == 201


def test_a_change_can_not_take_another_classs_code(
    api: ApiFactory, admin: User, maths: Classroom, history: Classroom
) -> None:
    body = {"class_code": history.class_code}
    response = api(admin).patch(f"/classes/{maths.pk}", body, format="json")
    assert codes(response, "class_code") == ["unique"]


def test_its_teacher_has_to_exist(
    api: ApiFactory, admin: User, new: dict[str, Any]
) -> None:
    new["teacher_id"] = 999_999
    response = api(admin).post("/classes", new, format="json")
    assert codes(response, "teacher_id") == ["does_not_exist"]


def test_its_teacher_has_to_be_active(
    api: ApiFactory, admin: User, new: dict[str, Any]
) -> None:
    new["teacher_id"] = make_user("Lea Left", is_active=False).pk
    response = api(admin).post("/classes", new, format="json")
    assert codes(response, "teacher_id") == ["does_not_exist"]


def test_an_admin_hands_a_class_to_another_teacher(
    api: ApiFactory, admin: User, alice: User, stranger: User, maths: Classroom
) -> None:
    body = {"teacher_id": stranger.pk}
    response = api(admin).patch(f"/classes/{maths.pk}", body, format="json")
    assert response.json()["teacher_id"] == stranger.pk
    assert not Classroom.objects.for_user(alice).exists()


def test_an_admin_archives_a_class_and_brings_it_back(
    api: ApiFactory, admin: User, maths: Classroom
) -> None:
    client = api(admin)
    for archived in (True, False):
        body = {"archived": archived}
        response = client.patch(f"/classes/{maths.pk}", body, format="json")
        assert response.json()["archived"] is archived


def test_archiving_again_keeps_the_first_time(
    api: ApiFactory, admin: User, alice: User
) -> None:
    then = timezone.now() - dt.timedelta(days=3)
    old = make_class("Old", alice, archived_at=then)
    api(admin).patch(f"/classes/{old.pk}", {"archived": True}, format="json")
    old.refresh_from_db()
    assert old.archived_at == then


def test_a_class_can_be_archived_from_the_start(
    api: ApiFactory, admin: User, new: dict[str, Any]
) -> None:
    response = api(admin).post("/classes", {**new, "archived": True}, format="json")
    assert response.json()["archived"] is True


def test_an_admin_deletes_a_class_and_its_students_stay(
    api: ApiFactory, admin: User, maths: Classroom, students: list[Student]
) -> None:
    assert api(admin).delete(f"/classes/{maths.pk}").status_code == 204
    assert Student.objects.count() == len(students)


def test_a_class_with_registers_is_archived_instead(
    api: ApiFactory, admin: User, maths: Classroom
) -> None:
    # The rule protects what a floor above keeps.
    session = apps.get_model("attendance", "Session")
    session.objects.create(classroom=maths, date=days(-1))
    response = api(admin).delete(f"/classes/{maths.pk}")
    assert (response.status_code, response.json()["code"]) == (409, "in_use")
    assert "Archive" in response.json()["detail"]
    assert Classroom.objects.filter(pk=maths.pk).exists()


def test_a_teacher_who_has_a_class_is_not_deleted(
    api: ApiFactory, admin: User, maths: Classroom
) -> None:
    response = api(admin).delete(f"/teachers/{maths.teacher_id}")
    assert (response.status_code, response.json()["code"]) == (409, "in_use")
    assert User.objects.filter(pk=maths.teacher_id).exists()
