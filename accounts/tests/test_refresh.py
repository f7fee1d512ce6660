"""POST /auth/refresh."""

from typing import Any

import pytest
from rest_framework_simplejwt.exceptions import AuthenticationFailed
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.models import User
from accounts.serializers import RefreshSerializer
from conftest import ApiFactory


def refresh(api: ApiFactory, token: object) -> Any:
    body = {"refresh_token": str(token)}
    return api(None).post("/auth/refresh", body, format="json")


def test_it_answers_with_a_new_pair(api: ApiFactory, alice: User) -> None:
    used = RefreshToken.for_user(alice)
    answer = refresh(api, used).json()
    assert answer["token_type"] == "bearer"
    assert answer["expires_in"] == 30 * 60
    assert answer["refresh_token"] != str(used)
    assert AccessToken(answer["access_token"])["user_id"] == str(alice.pk)


def test_its_new_refresh_token_works_in_turn(api: ApiFactory, alice: User) -> None:
    first = refresh(api, RefreshToken.for_user(alice)).json()
    assert refresh(api, first["refresh_token"]).status_code == 200


def test_it_refuses_a_token_for_the_second_time(api: ApiFactory, alice: User) -> None:
    used = RefreshToken.for_user(alice)
    refresh(api, used)
    response = refresh(api, used)
    assert (response.status_code, response.json()["code"]) == (401, "token_not_valid")


def test_of_two_requests_at_once_one_gets_the_new_pair(
    api: ApiFactory, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = RefreshToken.for_user(alice)
    # Both have asked whether the token was used before either has said so.
    monkeypatch.setattr(RefreshToken, "check_blacklist", lambda self: None)
    statuses = [refresh(api, used).status_code for _ in range(2)]
    assert statuses == [200, 401]
    assert BlacklistedToken.objects.count() == 1


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
def test_it_refuses_what_is_no_token(api: ApiFactory, db: None, token: str) -> None:
    response = refresh(api, token)
    assert response.status_code == (401 if token else 400)


def test_it_refuses_an_access_token(api: ApiFactory, alice: User) -> None:
    response = refresh(api, AccessToken.for_user(alice))
    assert (response.status_code, response.json()["code"]) == (401, "token_not_valid")


def test_it_refuses_an_expired_token(api: ApiFactory, alice: User) -> None:
    token = RefreshToken.for_user(alice)
    token["exp"] = 1
    assert refresh(api, token).json()["code"] == "token_not_valid"


def test_it_refuses_after_the_password_was_changed(
    api: ApiFactory, alice: User
) -> None:
    token = RefreshToken.for_user(alice)
    alice.set_password("another-orchard-48")
    alice.save()
    assert refresh(api, token).status_code == 401


def test_it_refuses_a_deactivated_account(api: ApiFactory, alice: User) -> None:
    token = RefreshToken.for_user(alice)
    alice.is_active = False
    alice.save()
    assert refresh(api, token).status_code == 401


def test_it_refuses_a_deleted_account(api: ApiFactory, alice: User) -> None:
    token = RefreshToken.for_user(alice)
    alice.delete()
    assert refresh(api, token).status_code == 401


def test_it_keeps_the_token_good_when_the_account_was_refused(alice: User) -> None:
    """A refusal must not use the token up half-way."""
    token = RefreshToken.for_user(alice)
    alice.is_active = False
    alice.save()
    form = RefreshSerializer(data={"refresh_token": str(token)})
    with pytest.raises(AuthenticationFailed):
        form.is_valid()
    assert not BlacklistedToken.objects.exists()
