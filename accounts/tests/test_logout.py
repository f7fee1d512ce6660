"""POST /auth/logout."""

from typing import Any

import pytest
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.models import User
from conftest import ApiFactory


def logout(api: ApiFactory, token: object) -> Any:
    body = {"refresh_token": str(token)}
    return api(None).post("/auth/logout", body, format="json")


def test_it_answers_with_nothing(api: ApiFactory, alice: User) -> None:
    response = logout(api, RefreshToken.for_user(alice))
    assert (response.status_code, response.content) == (204, b"")


def test_it_ends_the_refresh_token(api: ApiFactory, alice: User) -> None:
    token = RefreshToken.for_user(alice)
    logout(api, token)
    body = {"refresh_token": str(token)}
    response = api(None).post("/auth/refresh", body, format="json")
    assert (response.status_code, response.json()["code"]) == (401, "token_not_valid")


def test_it_leaves_other_logins_alone(api: ApiFactory, alice: User) -> None:
    other = RefreshToken.for_user(alice)
    logout(api, RefreshToken.for_user(alice))
    body = {"refresh_token": str(other)}
    assert api(None).post("/auth/refresh", body, format="json").status_code == 200


def test_it_refuses_a_token_that_was_ended_before(api: ApiFactory, alice: User) -> None:
    token = RefreshToken.for_user(alice)
    logout(api, token)
    response = logout(api, token)
    assert (response.status_code, response.json()["code"]) == (401, "token_not_valid")


@pytest.mark.parametrize("kind", ["access", "nonsense"])
def test_it_refuses_what_is_no_refresh_token(
    api: ApiFactory, alice: User, kind: str
) -> None:
    token = AccessToken.for_user(alice) if kind == "access" else kind
    assert logout(api, token).json()["code"] == "token_not_valid"


def test_it_asks_for_a_token(api: ApiFactory, db: None) -> None:
    response = api(None).post("/auth/logout", {}, format="json")
    assert response.json()["errors"]["refresh_token"][0]["code"] == "required"
