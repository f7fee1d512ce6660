"""POST /auth/login."""

from typing import Any

import pytest
from django.contrib.auth import hashers
from django.core.cache import cache

from accounts.models import User
from accounts.tests.factories import PASSWORD, make_user
from conftest import ApiFactory

LIMIT = 5
A_MINUTE = 10  # tries of one account from one address, right ones too


def login(api: ApiFactory, email: object, password: object, **extra: Any) -> Any:
    body = {"email": email, "password": password}
    return api(None).post("/auth/login", body, format="json", **extra)


def use_up_tries(api: ApiFactory, email: str, **extra: Any) -> None:
    for _ in range(LIMIT):
        assert login(api, email, "wrong", **extra).status_code == 401


def test_it_answers_with_a_pair_of_tokens(api: ApiFactory, alice: User) -> None:
    response = login(api, alice.email, PASSWORD)
    assert response.status_code == 200
    assert set(response.json()) == {
        "access_token",
        "refresh_token",
        "token_type",
        "expires_in",
    }
    assert response.json()["token_type"] == "bearer"
    assert response.json()["expires_in"] == 30 * 60


def test_its_access_token_opens_the_api(api: ApiFactory, alice: User) -> None:
    token = login(api, alice.email, PASSWORD).json()["access_token"]
    client = api(None)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert client.get("/auth/me").json()["id"] == alice.pk


def test_its_refresh_token_does_not_open_the_api(api: ApiFactory, alice: User) -> None:
    token = login(api, alice.email, PASSWORD).json()["refresh_token"]
    client = api(None)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    response = client.get("/auth/me")
    assert (response.status_code, response.json()["code"]) == (401, "token_not_valid")


def test_it_works_with_a_trailing_slash(api: ApiFactory, alice: User) -> None:
    body = {"email": alice.email, "password": PASSWORD}
    response = api(None).post("/auth/login/", body, format="json")
    assert response.status_code == 200


@pytest.mark.parametrize("spelling", ["ALICE@School.Example", " alice@school.example "])
def test_it_ignores_case_and_spaces_around_the_address(
    api: ApiFactory, alice: User, spelling: str
) -> None:
    assert login(api, spelling, PASSWORD).status_code == 200


def test_it_remembers_when_somebody_logged_in(api: ApiFactory, alice: User) -> None:
    login(api, alice.email, PASSWORD)
    alice.refresh_from_db()
    assert alice.last_login is not None


def test_it_answers_every_wrong_pair_alike(api: ApiFactory, alice: User) -> None:
    left = make_user("Lea Left", is_active=False)
    no_password = make_user("Nora None", password=None)
    responses: list[Any] = [
        login(api, alice.email, "wrong"),
        login(api, "nobody@school.example", PASSWORD),
        login(api, left.email, PASSWORD),
        login(api, no_password.email, PASSWORD),
    ]
    assert {response.status_code for response in responses} == {401}
    assert len({response.content for response in responses}) == 1
    assert responses[0].json()["code"] == "invalid_credentials"
    assert {response["WWW-Authenticate"] for response in responses} == {
        'Bearer realm="api"'
    }


@pytest.mark.parametrize("kind", ["wrong password", "unknown", "inactive"])
def test_it_hashes_once_whatever_was_wrong(
    api: ApiFactory, alice: User, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    left = make_user("Lea Left", is_active=False)
    email, password = {
        "wrong password": (alice.email, "wrong"),
        "unknown": ("nobody@school.example", PASSWORD),
        "inactive": (left.email, PASSWORD),
    }[kind]
    hashed: list[str] = []
    encode = hashers.MD5PasswordHasher.encode

    def counted(self: Any, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", counted)
    login(api, email, password)
    assert len(hashed) == 1


@pytest.mark.parametrize("field", ["email", "password"])
def test_it_names_a_field_that_is_missing(
    api: ApiFactory, alice: User, field: str
) -> None:
    body = {"email": alice.email, "password": PASSWORD}
    del body[field]
    response = api(None).post("/auth/login", body, format="json")
    assert response.status_code == 400
    assert response.json()["errors"][field][0]["code"] == "required"


@pytest.mark.parametrize("body", [b"[1, 2]", b'"text"', b"{", b'{"email": {}}'])
def test_it_refuses_a_body_of_another_shape(
    api: ApiFactory, db: None, body: bytes
) -> None:
    response = api(None).post("/auth/login", data=body, content_type="application/json")
    assert response.status_code == 400


def test_it_refuses_a_zero_byte(api: ApiFactory, db: None) -> None:
    assert login(api, "a\x00@school.example", PASSWORD).status_code == 400


def test_it_waits_after_five_wrong_passwords(api: ApiFactory, alice: User) -> None:
    use_up_tries(api, alice.email)
    response = login(api, alice.email, PASSWORD)
    assert (response.status_code, response.json()["code"]) == (429, "throttled")
    assert 290 <= int(response["Retry-After"]) <= 300


def test_it_stops_the_eleventh_try_in_a_minute(api: ApiFactory, alice: User) -> None:
    for _ in range(A_MINUTE):
        assert login(api, alice.email, PASSWORD).status_code == 200
    response = login(api, alice.email, PASSWORD)
    assert (response.status_code, response.json()["code"]) == (429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 60


def test_a_right_password_ends_the_counting(api: ApiFactory, alice: User) -> None:
    for _ in range(2):
        for _ in range(LIMIT - 1):
            assert login(api, alice.email, "wrong").status_code == 401
        assert login(api, alice.email, PASSWORD).status_code == 200
        cache.clear()  # the throttle by the minute is another matter


def test_it_counts_all_spellings_of_an_account_together(
    api: ApiFactory, alice: User
) -> None:
    use_up_tries(api, alice.email)
    assert login(api, " Alice@SCHOOL.example", PASSWORD).status_code == 429


def test_it_lets_another_account_in_from_the_same_address(
    api: ApiFactory, alice: User, stranger: User
) -> None:
    use_up_tries(api, alice.email)
    assert login(api, stranger.email, PASSWORD).status_code == 200


def test_it_lets_the_account_in_from_another_address(
    api: ApiFactory, alice: User
) -> None:
    use_up_tries(api, alice.email, REMOTE_ADDR="198.51.100.7")
    response = login(api, alice.email, PASSWORD, REMOTE_ADDR="203.0.113.9")
    assert response.status_code == 200


def test_nobody_gets_more_tries_by_claiming_another_address(
    api: ApiFactory, alice: User
) -> None:
    use_up_tries(api, alice.email)
    response = login(api, alice.email, PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert response.status_code == 429


def test_it_counts_an_unknown_account_like_a_known_one(
    api: ApiFactory, db: None
) -> None:
    use_up_tries(api, "nobody@school.example")
    assert login(api, "nobody@school.example", "wrong").status_code == 429
