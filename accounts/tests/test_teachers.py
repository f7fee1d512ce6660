"""/teachers."""

from typing import Any

import pytest
from django.db import IntegrityError, connection
from pytest_django import DjangoAssertNumQueries

from accounts.models import User, UserQuerySet
from accounts.serializers import TeacherSerializer
from accounts.tests.factories import PASSWORD, make_admin, make_user
from conftest import ApiFactory

NEW = {
    "teacher_id": "t-new",
    "full_name": "Nina New",
    "email": "Nina.New@School.example",
    "password": "harvest-lantern-9",
}


def ids(response: Any) -> list[int]:
    return [row["id"] for row in response.json()["results"]]


def codes(response: Any, field: str) -> list[str]:
    assert response.status_code == 400
    return [fault["code"] for fault in response.json()["errors"][field]]


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_list_asks_for_a_login(api: ApiFactory, db: None, method: str) -> None:
    assert getattr(api(None), method)("/teachers").status_code == 401


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_list_is_for_admins(api: ApiFactory, alice: User, method: str) -> None:
    response = getattr(api(alice), method)("/teachers")
    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_a_teacher_may_not_even_reach_the_own_account(
    api: ApiFactory, alice: User, method: str
) -> None:
    response = getattr(api(alice), method)(f"/teachers/{alice.pk}")
    assert response.status_code == 403


def test_a_deactivated_admin_is_nobody(api: ApiFactory, admin: User) -> None:
    left = make_admin("Lena Left", is_active=False)
    assert api(left).get("/teachers").status_code == 401


def test_it_lists_everybody(
    api: ApiFactory, admin: User, alice: User, stranger: User
) -> None:
    response = api(admin).get("/teachers")
    assert ids(response) == [admin.pk, alice.pk, stranger.pk]
    assert response.json()["count"] == 3


def test_it_never_shows_a_password(api: ApiFactory, admin: User, alice: User) -> None:
    rows = api(admin).get("/teachers").json()["results"]
    rows.append(api(admin).get(f"/teachers/{alice.pk}").json())
    assert {frozenset(row) for row in rows} == {
        frozenset({"id", "teacher_id", "full_name", "email", "role", "is_active"})
    }


def test_the_list_takes_three_queries(
    api: ApiFactory,
    admin: User,
    alice: User,
    stranger: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = api(admin)
    with django_assert_num_queries(3):  # who asks, how many, the page
        client.get("/teachers")


@pytest.mark.parametrize("word", ["archer", "ALICE@", "stranger al"])
def test_it_searches_name_address_and_code(
    api: ApiFactory, admin: User, stranger: User, word: str
) -> None:
    wanted = make_user("Al Archer", email="alice@stranger.example")
    assert ids(api(admin).get("/teachers", {"search": word})) == [wanted.pk]


def test_it_filters_by_role(api: ApiFactory, admin: User, alice: User) -> None:
    assert ids(api(admin).get("/teachers", {"role": "teacher"})) == [alice.pk]


def test_it_refuses_a_role_that_is_not_known(api: ApiFactory, admin: User) -> None:
    response = api(admin).get("/teachers", {"role": "king"})
    assert codes(response, "role") == ["invalid_choice"]


def test_it_creates_a_teacher_who_can_log_in(api: ApiFactory, admin: User) -> None:
    response = api(admin).post("/teachers", NEW, format="json")
    assert response.status_code == 201
    assert response.json() == {
        "id": response.json()["id"],
        "teacher_id": "t-new",
        "full_name": "Nina New",
        "email": "nina.new@school.example",
        "role": "teacher",
        "is_active": True,
    }
    login = {"email": NEW["email"], "password": NEW["password"]}
    assert api(None).post("/auth/login", login, format="json").status_code == 200


def test_a_form_makes_the_same_teacher_as_json(api: ApiFactory, admin: User) -> None:
    response = api(admin).post("/teachers", NEW, format="multipart")
    assert response.json()["is_active"] is True


def test_a_change_leaves_a_deactivated_account_so(api: ApiFactory, admin: User) -> None:
    left = make_user("Lea Left", is_active=False)
    body = {"full_name": "Lea Gone"}
    response = api(admin).patch(f"/teachers/{left.pk}", body, format="multipart")
    assert response.json()["is_active"] is False


def test_it_creates_an_admin(api: ApiFactory, admin: User) -> None:
    response = api(admin).post("/teachers", {**NEW, "role": "admin"}, format="json")
    assert User.objects.get(pk=response.json()["id"]).is_admin


def test_it_keeps_spaces_of_a_password(api: ApiFactory, admin: User) -> None:
    body = {**NEW, "password": " harvest lantern "}
    made = api(admin).post("/teachers", body, format="json").json()
    assert User.objects.get(pk=made["id"]).check_password(" harvest lantern ")


@pytest.mark.parametrize("field", sorted(NEW))
def test_it_names_a_field_that_is_missing(
    api: ApiFactory, admin: User, field: str
) -> None:
    body = {name: value for name, value in NEW.items() if name != field}
    response = api(admin).post("/teachers", body, format="json")
    assert codes(response, field) == ["required"]


def test_it_refuses_an_address_in_another_case(
    api: ApiFactory, admin: User, alice: User
) -> None:
    body = {**NEW, "email": "ALICE@school.example"}
    response = api(admin).post("/teachers", body, format="json")
    assert codes(response, "email") == ["unique"]


def test_it_refuses_a_code_that_is_taken(
    api: ApiFactory, admin: User, alice: User
) -> None:
    body = {**NEW, "teacher_id": alice.teacher_id}
    response = api(admin).post("/teachers", body, format="json")
    assert codes(response, "teacher_id") == ["unique"]


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short-1", "password_too_short"),
        ("1029384756", "password_entirely_numeric"),
        ("password123", "password_too_common"),
        ("nina.new@school", "password_too_similar"),
    ],
)
def test_it_holds_new_passwords_to_the_rules(
    api: ApiFactory, admin: User, password: str, code: str
) -> None:
    body = {**NEW, "password": password}
    response = api(admin).post("/teachers", body, format="json")
    assert code in codes(response, "password")


def test_it_compares_a_changed_password_with_the_saved_name(
    api: ApiFactory, admin: User, alice: User
) -> None:
    body = {"password": "alice.archer"}
    response = api(admin).patch(f"/teachers/{alice.pk}", body, format="json")
    assert codes(response, "password") == ["password_too_similar"]


def test_it_answers_400_when_another_request_was_quicker(
    api: ApiFactory, admin: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address is taken between the check and the save."""

    def too_late(self: TeacherSerializer, data: dict[str, Any]) -> User:
        make_user("Quick", email=data["email"])
        raise IntegrityError

    monkeypatch.setattr(TeacherSerializer, "create", too_late)
    monkeypatch.setattr("accounts.viewsets.transaction.atomic", NoTransaction)
    response = api(admin).post("/teachers", NEW, format="json")
    assert codes(response, "email") == ["unique"]


class NoTransaction:
    """Stands for the other request's own transaction, which isn't rolled back."""

    def __enter__(self) -> None: ...

    def __exit__(self, *args: object) -> None: ...


def test_it_changes_what_is_sent(api: ApiFactory, admin: User, alice: User) -> None:
    body = {"full_name": "Alice Baker"}
    response = api(admin).patch(f"/teachers/{alice.pk}", body, format="json")
    assert response.json()["full_name"] == "Alice Baker"
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_it_sets_a_new_password(api: ApiFactory, admin: User, alice: User) -> None:
    body = {"password": NEW["password"]}
    api(admin).patch(f"/teachers/{alice.pk}", body, format="json")
    alice.refresh_from_db()
    assert alice.check_password(NEW["password"])


def test_it_lets_an_account_keep_its_own_address(
    api: ApiFactory, admin: User, alice: User
) -> None:
    body = {"email": alice.email.upper()}
    response = api(admin).patch(f"/teachers/{alice.pk}", body, format="json")
    assert response.json()["email"] == alice.email


def test_it_knows_no_put(api: ApiFactory, admin: User, alice: User) -> None:
    response = api(admin).put(f"/teachers/{alice.pk}", NEW, format="json")
    assert response.status_code == 405


def test_it_deletes_a_teacher(api: ApiFactory, admin: User, alice: User) -> None:
    assert api(admin).delete(f"/teachers/{alice.pk}").status_code == 204
    assert not User.objects.filter(pk=alice.pk).exists()


@pytest.mark.parametrize("change", [{"role": "teacher"}, {"is_active": False}])
def test_the_last_admin_keeps_the_role(
    api: ApiFactory, admin: User, alice: User, change: dict[str, object]
) -> None:
    make_admin("Lena Left", is_active=False)
    response = api(admin).patch(f"/teachers/{admin.pk}", change, format="json")
    assert (response.status_code, response.json()["code"]) == (409, "last_admin")
    admin.refresh_from_db()
    assert admin.is_admin


def test_the_last_admin_is_not_deleted(api: ApiFactory, admin: User) -> None:
    response = api(admin).delete(f"/teachers/{admin.pk}")
    assert (response.status_code, response.json()["code"]) == (409, "last_admin")
    assert User.objects.filter(pk=admin.pk).exists()


def test_the_last_admin_may_change_the_rest(api: ApiFactory, admin: User) -> None:
    body = {"full_name": "Ada Again", "role": "admin", "is_active": True}
    response = api(admin).patch(f"/teachers/{admin.pk}", body, format="json")
    assert response.json()["full_name"] == "Ada Again"


def test_one_of_two_admins_may_step_back(api: ApiFactory, admin: User) -> None:
    make_admin("Second")
    body = {"role": "teacher"}
    response = api(admin).patch(f"/teachers/{admin.pk}", body, format="json")
    assert response.json()["role"] == "teacher"


def test_one_of_two_admins_may_be_deleted(api: ApiFactory, admin: User) -> None:
    second = make_admin("Second")
    assert api(admin).delete(f"/teachers/{second.pk}").status_code == 204


def test_admins_who_remove_each_other_take_turns(
    api: ApiFactory, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = make_admin("Second")
    locked: list[str] = []
    lock = UserQuerySet.select_for_update

    def noted(self: UserQuerySet, *args: Any, **kwargs: Any) -> UserQuerySet:
        assert connection.in_atomic_block
        locked.append(self.model.__name__)
        return lock(self, *args, **kwargs)

    monkeypatch.setattr(UserQuerySet, "select_for_update", noted)
    api(admin).delete(f"/teachers/{second.pk}")
    assert locked == ["User"]


@pytest.mark.parametrize("name", ["0", "99999999999999999999", "abc"])
def test_it_answers_404_for_an_id_that_is_none(
    api: ApiFactory, admin: User, name: str
) -> None:
    response = api(admin).get(f"/teachers/{name}")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
