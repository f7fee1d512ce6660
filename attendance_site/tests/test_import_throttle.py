"""Files to be imported: so many a minute and user, by the API and on pages."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.throttles import ImportThrottle
from conftest import ApiFactory
from faces.tests.photos import upload

pytestmark = pytest.mark.django_db

KINDS = ["students", "photos", "attendance"]


@pytest.fixture(autouse=True)
def one_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImportThrottle, "THROTTLE_RATES", {"import": "1/min"})


@pytest.fixture
def no_spool(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the archive was spooled")

    monkeypatch.setattr("faces.spool.SpoolWriter.__init__", refuse)


def by_api(api: ApiFactory, user: User, kind: str) -> Any:
    return api(user).post(f"/import/{kind}", {"file": upload(b"x", "a.zip")})


def on_page(user: User, kind: str) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(f"/app/import/{kind}/", {"file": upload(b"x", "a.zip")})


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_too_many_is_told_to_wait_and_a_stranger_is_not(
    api: ApiFactory, alice: User, stranger: User, kind: str
) -> None:
    assert by_api(api, alice, kind).status_code != 429
    answer = by_api(api, alice, kind)
    assert answer.status_code == 429
    assert answer.json()["code"] == "throttled"
    assert 0 < int(answer["Retry-After"]) <= 60
    assert by_api(api, stranger, kind).status_code != 429


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_says_how_long_to_wait_and_a_stranger_is_not_counted(
    api: ApiFactory, alice: User, stranger: User, kind: str
) -> None:
    by_api(api, alice, "students")
    answer = on_page(alice, kind)
    assert answer.status_code == 429
    wait = int(answer["Retry-After"])
    assert f"Try again in {wait} second" in answer.content.decode()
    assert on_page(stranger, kind).status_code != 429


@pytest.mark.usefixtures("no_spool")
def test_an_archive_too_many_is_not_spooled(api: ApiFactory, alice: User) -> None:
    by_api(api, alice, "students")
    assert by_api(api, alice, "photos").status_code == 429
    assert on_page(alice, "photos").status_code == 429


def test_looking_at_a_page_is_not_counted(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    for _ in range(3):
        assert client.get("/app/import/students/").status_code == 200


def test_the_document_names_the_answer(client: Client) -> None:
    document = client.get("/schema", {"format": "json"}).json()
    for kind in KINDS:
        (path,) = [path for path in document["paths"] if f"import/{kind}" in path]
        assert "429" in document["paths"][path]["post"]["responses"]
