"""/app/account/: preferences, the own password, and signing out everywhere."""

from typing import Any

import pytest
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from accounts.tests.factories import PASSWORD
from conftest import ApiFactory

pytestmark = pytest.mark.django_db

URL = "/app/account/"
NEW_PASSWORD = "another-orchard-48"


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def change(client: Client, old: str = PASSWORD, new: str = NEW_PASSWORD) -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(f"{URL}password/", form)


def test_it_shows_who_is_signed_in(signed_in: Client, alice: User) -> None:
    page = signed_in.get(URL).content.decode()
    assert alice.full_name in page
    assert alice.email in page


def test_it_keeps_the_choice_of_language_and_time_zone(
    signed_in: Client, alice: User
) -> None:
    form = {"language": "es", "time_zone": "America/Lima"}
    assert signed_in.post(URL, form).status_code == 302
    alice.refresh_from_db()
    assert (alice.language, alice.time_zone) == ("es", "America/Lima")


@pytest.mark.parametrize(
    "form", [{"language": "tlh"}, {"time_zone": "Mars/Olympus"}], ids=str
)
def test_it_refuses_what_is_not_on_the_list(
    signed_in: Client, alice: User, form: dict[str, str]
) -> None:
    assert signed_in.post(URL, form).status_code == 400
    alice.refresh_from_db()
    assert (alice.language, alice.time_zone) == ("", "")


def test_nobody_changes_the_role_here(signed_in: Client, alice: User) -> None:
    signed_in.post(URL, {"role": "admin", "email": "eve@school.example"})
    alice.refresh_from_db()
    assert (alice.role, alice.email) == ("teacher", "alice@school.example")


def test_a_new_password_keeps_this_session_and_ends_the_others(
    signed_in: Client, alice: User, api: ApiFactory
) -> None:
    elsewhere, program = Client(), api(alice)
    elsewhere.force_login(alice)
    assert change(signed_in)["Location"] == URL
    assert signed_in.get(URL).status_code == 200
    assert elsewhere.get(URL).status_code == 302
    assert program.get("/auth/me").status_code == 401


def test_the_old_password_is_asked_for(signed_in: Client, alice: User) -> None:
    assert change(signed_in, old="not-hers").status_code == 200
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_a_weak_password_is_refused(signed_in: Client, alice: User) -> None:
    assert change(signed_in, new="1234567890").status_code == 200
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_signing_out_everywhere_ends_every_session(
    signed_in: Client, alice: User, stranger: User
) -> None:
    elsewhere, others = Client(), Client()
    elsewhere.force_login(alice)
    others.force_login(stranger)
    answer = signed_in.post(f"{URL}sign-out-everywhere/")
    assert answer["Location"] == "/accounts/login/"
    assert signed_in.get(URL).status_code == 302
    assert elsewhere.get(URL).status_code == 302
    assert others.get(URL).status_code == 200


def test_signing_out_everywhere_ends_every_token(
    signed_in: Client, alice: User, stranger: User, api: ApiFactory
) -> None:
    login = {"email": alice.email, "password": PASSWORD}
    pair = api(None).post("/auth/login", login, format="json").json()
    others = api(stranger)
    signed_in.post(f"{URL}sign-out-everywhere/")
    program = api(None)
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access_token']}")
    answer = program.get("/auth/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "signed_out")
    renewal = {"refresh_token": pair["refresh_token"]}
    assert api(None).post("/auth/refresh", renewal, format="json").status_code == 401
    assert others.get("/auth/me").status_code == 200


def test_whoever_signed_out_everywhere_signs_in_again(
    signed_in: Client, alice: User, api: ApiFactory
) -> None:
    signed_in.post(f"{URL}sign-out-everywhere/")
    login = {"email": alice.email, "password": PASSWORD}
    pair = api(None).post("/auth/login", login, format="json").json()
    renewed = api(None).post(
        "/auth/refresh", {"refresh_token": pair["refresh_token"]}, format="json"
    )
    assert renewed.status_code == 200
    program = api(None)
    token = renewed.json()["access_token"]
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert program.get("/auth/me").status_code == 200


def test_a_token_without_the_number_is_none_after_it(
    alice: User, api: ApiFactory
) -> None:
    alice.sign_out_everywhere()
    program = api(None)
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {AccessToken.for_user(alice)}")
    assert program.get("/auth/me").status_code == 401


def test_a_link_can_not_sign_anybody_out(signed_in: Client) -> None:
    assert signed_in.get(f"{URL}sign-out-everywhere/").status_code == 405
    assert signed_in.get(URL).status_code == 200
