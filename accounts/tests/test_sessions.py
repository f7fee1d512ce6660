"""Sessions and tokens work as ever, and the database gives neither away."""

from typing import Any, cast

import pytest
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import User
from accounts.sessions import cached_db, db, digest
from accounts.tokens import RefreshToken

pytestmark = pytest.mark.django_db

STORES = pytest.mark.parametrize("store", [db.SessionStore, cached_db.SessionStore])


@STORES
def test_a_session_is_kept_and_found_again(store: Any) -> None:
    first = store()
    first["word"] = "kept"
    first.save()
    cache.clear()
    assert store(first.session_key)["word"] == "kept"
    assert store().exists(first.session_key)


@STORES
def test_the_row_is_no_key(store: Any) -> None:
    session = store()
    session["word"] = "kept"
    session.save()
    row = Session.objects.get()
    assert row.session_key == digest(session.session_key) != session.session_key
    assert store(row.session_key).get("word") is None


@STORES
def test_an_ended_session_is_gone(store: Any) -> None:
    session = store()
    session["word"] = "kept"
    session.save()
    key = session.session_key
    session.flush()
    assert not Session.objects.exists()
    assert store(key).get("word") is None


@STORES
def test_a_new_key_keeps_the_content_and_ends_the_old_one(store: Any) -> None:
    session = store()
    session["word"] = "kept"
    session.save()
    old = session.session_key
    session.cycle_key()
    assert store(old).get("word") is None
    assert store(session.session_key)["word"] == "kept"
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    "engine", ["accounts.sessions.db", "accounts.sessions.cached_db"]
)
def test_a_login_lasts_and_ends(
    client: Client, alice: User, settings: Settings, engine: str
) -> None:
    settings.SESSION_ENGINE = engine
    client.force_login(alice)
    assert client.get("/app/").status_code == 200
    cookie = client.cookies[configured.SESSION_COOKIE_NAME].value
    assert not Session.objects.filter(session_key=cookie).exists()
    client.post("/accounts/logout/")
    client.cookies[configured.SESSION_COOKIE_NAME] = cookie
    assert client.get("/app/").status_code == 302


def test_the_list_of_tokens_holds_no_token(alice: User) -> None:
    token = RefreshToken.for_user(alice)
    row = OutstandingToken.objects.get()
    assert (row.jti, row.token) == (token["jti"], "")
    read: Any = RefreshToken(cast(Any, str(token)))
    assert read["sign_outs"] == alice.sign_outs
