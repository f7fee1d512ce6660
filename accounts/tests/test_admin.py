"""Users in the admin."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.factories import PASSWORD, make_admin

LIST = "/admin/accounts/user/"
ADD = "/admin/accounts/user/add/"


@pytest.fixture
def admin_client(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def change(client: Client, user: User, **fields: Any) -> Any:
    """Send the change form as the page would, with some fields changed."""
    form = {
        "full_name": user.full_name,
        "teacher_id": user.teacher_id,
        "email": user.email,
        "role": user.role,
        "is_active": "on",
        **fields,
    }
    sent = {name: value for name, value in form.items() if value is not None}
    return client.post(f"{LIST}{user.pk}/change/", sent)


def test_a_teacher_is_kept_out(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get(LIST).status_code == 302


def test_its_login_takes_admins_by_address(client: Client, admin: User) -> None:
    form = {"username": "ADA@school.example", "password": PASSWORD, "next": "/admin/"}
    assert client.post("/admin/login/", form)["Location"] == "/admin/"


def test_its_login_refuses_teachers(client: Client, alice: User) -> None:
    form = {"username": alice.email, "password": PASSWORD}
    assert client.post("/admin/login/", form).status_code == 200
    assert "_auth_user_id" not in client.session


def test_its_login_stops_guessing(client: Client, admin: User) -> None:
    for password in [*["wrong"] * 10, PASSWORD]:
        form = {"username": admin.email, "password": password}
        client.post("/admin/login/", form)
    assert "_auth_user_id" not in client.session


def test_it_lists_filters_and_searches(
    admin_client: Client, alice: User, stranger: User
) -> None:
    query = {"role__exact": "teacher", "is_active__exact": "1", "q": "archer"}
    page = admin_client.get(LIST, query).content.decode()
    assert alice.email in page
    assert stranger.email not in page


def test_it_creates_a_user_with_a_password(admin_client: Client) -> None:
    form = {
        "full_name": "Nina New",
        "teacher_id": "t-new",
        "email": "Nina@school.example",
        "password1": "harvest-lantern-9",
        "password2": "harvest-lantern-9",
        "role": "teacher",
    }
    assert admin_client.post(ADD, form).status_code == 302
    made = User.objects.get(email="nina@school.example")
    assert made.check_password("harvest-lantern-9")


def test_it_holds_to_the_password_rules(admin_client: Client) -> None:
    form = {
        "full_name": "Nina New",
        "teacher_id": "t-new",
        "email": "nina@school.example",
        "password1": "short",
        "password2": "short",
        "role": "teacher",
    }
    response = admin_client.post(ADD, form)
    assert "password2" in response.context["adminform"].form.errors


def test_it_changes_a_user(admin_client: Client, alice: User) -> None:
    assert change(admin_client, alice, full_name="Alice Baker").status_code == 302
    alice.refresh_from_db()
    assert (alice.full_name, alice.check_password(PASSWORD)) == ("Alice Baker", True)


@pytest.mark.parametrize("fields", [{"role": "teacher"}, {"is_active": None}])
def test_the_last_admin_keeps_the_role(
    admin_client: Client, admin: User, fields: dict[str, Any]
) -> None:
    response = change(admin_client, admin, **fields)
    assert "last active admin" in response.content.decode()
    admin.refresh_from_db()
    assert admin.is_admin


def test_one_of_two_admins_may_step_back(admin_client: Client, admin: User) -> None:
    second = make_admin("Second")
    assert change(admin_client, second, role="teacher").status_code == 302
    second.refresh_from_db()
    assert not second.is_admin


def test_the_last_admin_is_not_deleted(admin_client: Client, admin: User) -> None:
    response = admin_client.post(f"{LIST}{admin.pk}/delete/", {"post": "yes"})
    assert response.status_code == 403
    assert User.objects.filter(pk=admin.pk).exists()


def test_not_all_admins_are_deleted_from_the_list(
    admin_client: Client, admin: User
) -> None:
    second = make_admin("Second")
    form = {
        "action": "delete_selected",
        "_selected_action": [admin.pk, second.pk],
        "post": "yes",
    }
    admin_client.post(LIST, form)
    assert User.objects.active_admins().count() == 2


def test_it_deletes_a_teacher(admin_client: Client, alice: User) -> None:
    admin_client.post(f"{LIST}{alice.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=alice.pk).exists()


def test_it_offers_no_groups(admin_client: Client) -> None:
    assert (
        "/auth/group/" not in admin_client.get(reverse("admin:index")).content.decode()
    )


def test_a_password_is_reset_and_nothing_of_it_is_shown(
    admin_client: Client, alice: User
) -> None:
    page = admin_client.get(f"{LIST}{alice.pk}/change/").content.decode()
    assert "A password is set." in page
    assert "Reset password" in page
    assert "bcrypt" not in page
    alice.set_unusable_password()
    alice.save()
    page = admin_client.get(f"{LIST}{alice.pk}/change/").content.decode()
    assert "Set password" in page
    assert "log in" in page
