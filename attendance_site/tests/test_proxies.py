"""Whose word counts for a client's address and for HTTPS: our proxies' alone."""

import logging
from ipaddress import ip_network
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import PASSWORD
from accounts.tests.test_login import login, use_up_tries
from attendance_site.proxies import ProxyMiddleware
from conftest import ApiFactory

PROXY, FAR_PROXY = "10.0.0.5", "10.0.0.6"
CLIENT, STRANGER = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def behind_proxies(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/24"), ip_network("::1"))
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True


def seen(peer: str, **headers: str) -> HttpRequest:
    """Return a request as the site sees it after the middleware."""
    got: list[HttpRequest] = []

    def site(request: HttpRequest) -> HttpResponse:
        got.append(request)
        return HttpResponse()

    meta: dict[str, Any] = {f"HTTP_{name}": value for name, value in headers.items()}
    request = RequestFactory().get("/", **meta)
    request.META["REMOTE_ADDR"] = peer
    ProxyMiddleware(site)(request)
    return got[0]


@pytest.mark.usefixtures("behind_proxies")
@pytest.mark.parametrize(
    ("peer", "stated", "client"),
    [
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"{CLIENT}, {FAR_PROXY}", CLIENT),
        # What a client sends itself stands before its own address.
        (PROXY, f"{STRANGER}, {CLIENT}", CLIENT),
        (PROXY, f"{STRANGER}, {CLIENT}, {FAR_PROXY}", CLIENT),
        (PROXY, f"10.0.0.77, {CLIENT}", CLIENT),
        (PROXY, f"{STRANGER}, unknown", PROXY),
        (PROXY, f"{STRANGER}, unknown, {CLIENT}", CLIENT),
        (PROXY, f"{STRANGER}, unknown, {FAR_PROXY}", FAR_PROXY),
        (PROXY, FAR_PROXY, FAR_PROXY),
        (PROXY, "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.0.0.5", CLIENT, CLIENT),
        ("::1", CLIENT, CLIENT),
        (CLIENT, STRANGER, CLIENT),
        ("", STRANGER, ""),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy_of_ours(
    peer: str, stated: str, client: str
) -> None:
    assert seen(peer, X_FORWARDED_FOR=stated).META["REMOTE_ADDR"] == client


@pytest.mark.usefixtures("behind_proxies")
def test_x_real_ip_counts_where_a_proxy_writes_nothing_else() -> None:
    assert seen(PROXY, X_REAL_IP=CLIENT).META["REMOTE_ADDR"] == CLIENT
    both = seen(PROXY, X_REAL_IP=STRANGER, X_FORWARDED_FOR=CLIENT)
    assert both.META["REMOTE_ADDR"] == CLIENT
    assert seen(CLIENT, X_REAL_IP=STRANGER).META["REMOTE_ADDR"] == CLIENT


@pytest.mark.usefixtures("behind_proxies")
def test_a_proxy_that_states_nobody_is_the_client_itself() -> None:
    assert seen(PROXY).META["REMOTE_ADDR"] == PROXY


@pytest.mark.usefixtures("behind_proxies")
@pytest.mark.parametrize(
    ("peer", "scheme", "secure"),
    [
        (PROXY, "https", True),
        (PROXY, "http", False),
        # A proxy that adds its word to the client's instead of replacing it.
        (PROXY, "https, http", False),
        (PROXY, "http, https", True),
        (CLIENT, "https", False),
    ],
)
def test_only_a_proxy_can_say_that_a_request_came_over_https(
    peer: str, scheme: str, secure: bool
) -> None:
    assert seen(peer, X_FORWARDED_PROTO=scheme).is_secure() is secure


@pytest.mark.usefixtures("behind_proxies")
@pytest.mark.parametrize("peer", [PROXY, CLIENT])
def test_nothing_later_can_read_what_a_client_stated(peer: str) -> None:
    request = seen(peer, X_FORWARDED_FOR=STRANGER, X_REAL_IP=STRANGER)
    assert "X-Forwarded-For" not in request.headers
    assert "X-Real-IP" not in request.headers


@pytest.mark.usefixtures("behind_proxies")
def test_an_unknown_proxy_is_named_in_the_log_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    middleware = ProxyMiddleware(lambda request: HttpResponse())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            headers = {"x-forwarded-proto": "https"}
            request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=STRANGER)
            middleware(request)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 1
    assert messages[0].startswith(f"{STRANGER} sends X-Forwarded-Proto")


def test_a_client_that_speaks_plain_http_is_redirected_whatever_it_claims(
    api: ApiFactory, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = ()
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = None
    response = api(None).get("/docs", HTTP_X_FORWARDED_PROTO="https")
    assert response.status_code == 301
    assert response.headers["Location"].startswith("https://")


@pytest.mark.usefixtures("behind_proxies")
def test_behind_a_proxy_each_client_has_tries_of_its_own(
    api: ApiFactory, alice: User
) -> None:
    def at(address: str) -> dict[str, str]:
        return {
            "REMOTE_ADDR": PROXY,
            "HTTP_X_FORWARDED_FOR": address,
            "HTTP_X_FORWARDED_PROTO": "https",
        }

    use_up_tries(api, alice.email, **at(CLIENT))
    assert login(api, alice.email, PASSWORD, **at(CLIENT)).status_code == 429
    forged = at(f"{STRANGER}, {CLIENT}")
    assert login(api, alice.email, PASSWORD, **forged).status_code == 429
    assert login(api, alice.email, PASSWORD, **at(STRANGER)).status_code == 200
