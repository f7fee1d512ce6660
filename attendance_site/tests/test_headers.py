"""The headers that protect a browser are on every answer, faults and files included."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import PASSWORD
from classroom.models import Classroom

pytestmark = pytest.mark.django_db

FOR_ALL = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
HSTS = "max-age=31536000; includeSubDomains; preload"

Call = Callable[[Client], Any]


def too_large(client: Client) -> Any:
    size = str(configured.MAX_REQUEST_BYTES + 1)
    return client.post("/face/verify", {}, CONTENT_LENGTH=size, secure=True)


def get(path: str, **extra: Any) -> Call:
    return lambda client: client.get(path, secure=True, **extra)


CALLS: dict[str, tuple[int, Call]] = {
    "a page": (200, get("/accounts/login/")),
    "a page that leads to the login": (302, get("/app/")),
    "a page that there is not": (404, get("/app/nothing/")),
    "an address that there is not": (404, get("/nothing")),
    "the admin's login": (200, get("/admin/login/")),
    "the admin": (302, get("/admin/")),
    "a page of the admin that there is not": (302, get("/admin/nothing/")),
    "an API call without a login": (401, get("/auth/me")),
    "an API call with a wrong method": (
        405,
        lambda client: client.put("/auth/login", secure=True),
    ),
    "an API call that can't be read": (
        400,
        lambda client: client.post(
            "/auth/login", b"{", content_type="application/json", secure=True
        ),
    ),
    "a body that is too large": (413, too_large),
    "a body of unknown length": (
        411,
        lambda client: client.generic(
            "POST",
            "/auth/login",
            secure=True,
            HTTP_TRANSFER_ENCODING="chunked",
            CONTENT_LENGTH="",
        ),
    ),
    "a file": (200, get("/static/icons.svg")),
    "a file that there is not": (404, get("/static/nothing.css")),
    "the icon": (302, get("/favicon.ico")),
    "the document of the API": (200, get("/schema")),
    "Swagger UI": (200, get("/docs")),
    "ReDoc": (200, get("/redoc")),
    "ReDoc's script": (200, get("/redoc/bundle.js")),
    "whether it lives": (200, get("/health/live")),
    "a form from elsewhere": (
        403,
        lambda client: client.post("/accounts/login/", {}, secure=True),
    ),
    "a host that is not ours": (400, get("/", HTTP_HOST="evil.example")),
    "a redirect to HTTPS": (301, lambda client: client.get("/app/")),
}


@pytest.fixture(autouse=True)
def over_https(settings: Settings) -> None:
    """Set what PUBLIC_URL=https://… sets; see `attendance_site/settings.py`."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 3600
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SESSION_COOKIE_NAME = "__Host-sessionid"
    settings.CSRF_COOKIE_NAME = "__Host-csrftoken"


def policy_of(answer: Any) -> dict[str, list[str]]:
    """Return the directives of an answer's Content-Security-Policy."""
    text = answer.headers.get("Content-Security-Policy", "")
    parts = [part.split() for part in text.split(";") if part.strip()]
    return {part[0]: part[1:] for part in parts}


def check(answer: Any, *, secure: bool = True) -> None:
    for name, value in FOR_ALL.items():
        assert answer.headers.get(name) == value, name
    if secure:
        assert answer.headers.get("Strict-Transport-Security") == HSTS
    permissions = answer.headers.get("Permissions-Policy", "")
    assert "camera=(self)" in permissions
    assert "microphone=()" in permissions
    assert "geolocation=()" in permissions
    policy = policy_of(answer)
    assert policy["default-src"] == ["'self'"]
    assert policy["object-src"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert "'unsafe-inline'" not in policy.get("script-src", [])
    assert "'unsafe-eval'" not in str(policy)


@pytest.mark.parametrize("name", CALLS)
def test_nobody_gets_an_answer_without_them(name: str) -> None:
    status, call = CALLS[name]
    answer = call(Client(enforce_csrf_checks=True))
    answer.close()
    assert answer.status_code == status
    check(answer, secure=name != "a redirect to HTTPS")


def test_a_fault_of_the_server_has_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.views.LoginView.dispatch", broken_view)
    client = Client(raise_request_exception=False)
    answer = client.get("/accounts/login/", secure=True)
    assert answer.status_code == 500
    check(answer)


def broken_view(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("made by the test")


def test_pages_and_calls_of_a_user_have_them(
    client: Client, admin: User, maths: Classroom
) -> None:
    client.force_login(admin)
    for path in (
        "/app/",
        "/app/account/",
        reverse("take", args=[maths.pk]),
        "/admin/",
        "/admin/accounts/auditentry/",
        "/admin/nothing/",
        "/auth/me",
        "/classes",
        f"/export/attendance?class_id={maths.pk}",
    ):
        answer = client.get(path, secure=True)
        assert answer.status_code in {200, 404}, path
        check(answer)


def test_the_cookies_stay_with_this_host_and_away_from_scripts(
    client: Client, alice: User
) -> None:
    client.get("/accounts/login/", secure=True)
    form = {"username": alice.email, "password": PASSWORD}
    answer = client.post("/accounts/login/", form, secure=True)
    assert set(answer.cookies) == {"__Host-sessionid", "__Host-csrftoken"}
    for cookie in answer.cookies.values():
        assert cookie["secure"] is True
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert cookie["domain"] == ""


def test_over_plain_http_browsers_are_not_told_to_insist(
    client: Client, settings: Settings
) -> None:
    settings.SECURE_SSL_REDIRECT = False
    answer = client.get("/accounts/login/")
    assert "Strict-Transport-Security" not in answer.headers
    check(answer, secure=False)
