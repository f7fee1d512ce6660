"""/accounts/password-reset/: a link by e-mail that tells nobody who has an account."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.core.signals import request_finished
from django.db import close_old_connections
from django.test import Client, RequestFactory
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import make_user
from accounts.views import PasswordResetView
from conftest import ApiFactory

pytestmark = pytest.mark.django_db

URL = "/accounts/password-reset/"
NEW_PASSWORD = "another-orchard-48"
LIMIT = 5


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """Keep the test's database open when an answer is closed, as the client does."""
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)


def ask(client: Client, email: str, **extra: Any) -> Any:
    return client.post(URL, {"email": email}, **extra)


def link() -> str:
    """Return the path of the link in the one mail that was sent."""
    (message,) = mail.outbox
    found = re.search(r"https?://[^/\s]+(/\S+)", str(message.body))
    assert found is not None, message.body
    return found.group(1)


def set_password(client: Client, url: str) -> Any:
    # Django keeps the token in the session, so that no other host learns it.
    form_url = client.get(url, follow=True).redirect_chain[-1][0]
    form = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    return client.post(form_url, form)


def test_the_link_sets_a_new_password(client: Client, alice: User) -> None:
    ask(client, "ALICE@school.example")
    assert mail.outbox[0].to == [alice.email]
    assert set_password(client, link())["Location"] == "/accounts/login/"
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)


def test_the_link_works_once(client: Client, alice: User) -> None:
    ask(client, alice.email)
    set_password(client, link())
    page = Client().get(link(), follow=True).content.decode()
    assert "This link does not work" in page


def test_the_new_password_ends_every_token(
    client: Client, alice: User, api: ApiFactory
) -> None:
    program = api(alice)
    ask(client, alice.email)
    set_password(client, link())
    assert program.get("/auth/me").status_code == 401


@pytest.mark.parametrize("kind", ["unknown", "inactive"])
def test_an_address_without_an_account_is_answered_alike(
    client: Client, alice: User, kind: str
) -> None:
    left = make_user("Lea Left", is_active=False)
    email = {"unknown": "nobody@school.example", "inactive": left.email}[kind]
    known, other = ask(client, alice.email), ask(client, email)
    assert (other.status_code, other["Location"]) == (302, known["Location"])
    assert [message.to for message in mail.outbox] == [[alice.email]]


def test_the_mail_is_written_after_the_answer_has_left(
    rf: RequestFactory, alice: User, kept_connection: None
) -> None:
    request = rf.post(URL, {"email": alice.email})
    request.user = AnonymousUser()
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    response = PasswordResetView.as_view()(request)
    assert mail.outbox == []
    response.close()
    assert len(mail.outbox) == 1


def test_the_link_leads_to_the_public_address(
    client: Client, alice: User, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://register.school.example"
    ask(client, alice.email, headers={"host": "localhost"})
    assert "https://register.school.example/accounts/" in str(mail.outbox[0].body)


def test_the_mail_speaks_the_language_of_its_reader(
    client: Client, alice: User
) -> None:
    alice.language = "es"
    alice.save()
    ask(client, alice.email, headers={"accept-language": "ar"})
    assert "Hola" in str(mail.outbox[0].body)


@pytest.mark.parametrize("email", ["alice@school.example", "nobody@school.example"])
def test_it_stops_the_sixth_mail_in_an_hour(
    client: Client, alice: User, email: str
) -> None:
    for _ in range(LIMIT):
        ask(client, email)
    mail.outbox.clear()
    answer = ask(client, email)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert mail.outbox == []
