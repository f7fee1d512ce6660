"""/accounts/login/ and /accounts/logout/."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.tests.factories import PASSWORD, make_user
from conftest import ApiFactory

LIMIT = 5


def login(client: Client, email: str, password: str, **extra: Any) -> Any:
    form = {"username": email, "password": password}
    return client.post("/accounts/login/", form, **extra)


def test_it_shows_a_form_that_browsers_can_fill_in(client: Client, db: None) -> None:
    response = client.get("/accounts/login/")
    page = response.content.decode()
    assert response.status_code == 200
    assert 'type="email"' in page
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page


def test_it_works_without_the_last_slash(client: Client, db: None) -> None:
    assert client.get("/accounts/login").status_code == 200


def test_it_leads_to_the_pages(client: Client, alice: User) -> None:
    response = login(client, "ALICE@school.example", PASSWORD)
    assert (response.status_code, response["Location"]) == (302, "/app/")
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_it_leads_back_to_where_the_user_came_from(client: Client, alice: User) -> None:
    form = {"username": alice.email, "password": PASSWORD, "next": "/app/classes/"}
    assert client.post("/accounts/login/", form)["Location"] == "/app/classes/"


def test_it_never_leads_to_another_host(client: Client, alice: User) -> None:
    form = {"username": alice.email, "password": PASSWORD, "next": "//evil.example/"}
    assert client.post("/accounts/login/", form)["Location"] == "/app/"


def test_it_sends_whoever_is_logged_in_on(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/accounts/login/")["Location"] == "/app/"


@pytest.mark.parametrize("kind", ["wrong password", "unknown", "inactive"])
def test_it_answers_every_wrong_pair_alike(
    client: Client, alice: User, kind: str
) -> None:
    left = make_user("Lea Left", is_active=False)
    email, password = {
        "wrong password": (alice.email, "wrong"),
        "unknown": ("nobody@school.example", PASSWORD),
        "inactive": (left.email, PASSWORD),
    }[kind]
    response = login(client, email, password)
    assert response.context["form"].non_field_errors() == [
        "The e-mail address or the password is wrong."
    ]
    assert "_auth_user_id" not in client.session


def test_it_refuses_a_form_from_elsewhere(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert login(client, alice.email, PASSWORD).status_code == 403


def test_it_waits_after_five_wrong_passwords(client: Client, alice: User) -> None:
    for _ in range(LIMIT):
        login(client, alice.email, "wrong")
    response = login(client, alice.email, PASSWORD)
    assert response.status_code == 429
    assert 290 <= int(response["Retry-After"]) <= 300
    assert "Too many tries" in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_it_lets_the_others_of_the_school_in(
    client: Client, alice: User, stranger: User
) -> None:
    for _ in range(LIMIT + 1):
        login(client, alice.email, "wrong")
    assert login(client, stranger.email, PASSWORD).status_code == 302


def test_tries_in_the_api_count_here_too(
    client: Client, api: ApiFactory, alice: User
) -> None:
    body = {"email": alice.email, "password": "wrong"}
    for _ in range(LIMIT):
        api(None).post("/auth/login", body, format="json")
    assert login(client, alice.email, PASSWORD).status_code == 429


def test_another_way_to_write_the_letters_is_no_new_account(
    client: Client, alice: User
) -> None:
    for _ in range(LIMIT):
        login(client, alice.email, "wrong")
    full_width = alice.email.replace("a", "\uff41", 1)
    assert login(client, full_width, PASSWORD).status_code == 429


def test_logging_out_ends_the_session(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.post("/accounts/logout/")
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/")
    assert "_auth_user_id" not in client.session


def test_a_link_can_not_log_anybody_out(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/accounts/logout/").status_code == 405
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_a_new_password_ends_the_session(client: Client, alice: User) -> None:
    client.force_login(alice)
    alice.set_password("another-orchard-48")
    alice.save()
    assert client.get("/auth/me").status_code == 401


def test_a_deactivated_account_ends_the_session(client: Client, alice: User) -> None:
    client.force_login(alice)
    alice.is_active = False
    alice.save()
    assert client.get("/auth/me").status_code == 401
