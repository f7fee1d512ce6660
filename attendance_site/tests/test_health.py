"""Probes: alive at once, ready with a database and an engine, and discreet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings

from faces import runtime
from faces.engine.errors import ConfigurationError


class BrokenCursor:
    def __enter__(self) -> Any:
        raise OperationalError("password authentication failed for user secret")

    def __exit__(self, *fault: object) -> None:
        pass


@contextmanager
def broken_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", BrokenCursor)
        yield


@pytest.mark.parametrize("address", ["/health/live", "/health/live/"])
def test_a_process_that_answers_is_alive(client: Client, address: str) -> None:
    # No database mark: a query would fail this test.
    response = client.get(address)
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/health/ready", "/health/ready/"])
def test_ready_names_the_model_and_how_long_it_took(
    client: Client, address: str
) -> None:
    response = client.get(address)
    assert response.status_code == 200
    body = response.json()
    assert (body["status"], body["database"]) == ("ok", "ok")
    engine = runtime.get_engine()
    assert body["engine"]["model"] == "sface"
    assert body["engine"]["model_id"] == engine.model_id
    assert body["engine"]["provider"] == "CPUExecutionProvider"
    assert body["engine"]["warm_up_ms"] > 0


@pytest.mark.django_db
def test_without_a_database_it_is_not_ready_and_says_when_to_ask_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with broken_database(monkeypatch):
        response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["database"] == "unavailable"
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.django_db
def test_without_a_database_it_is_still_alive(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with broken_database(monkeypatch):
        assert client.get("/health/live").status_code == 200


@pytest.mark.django_db
def test_without_an_engine_it_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ConfigurationError("The model file /secret/place has changed.")

    monkeypatch.setattr(runtime, "get_engine", fail)
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["engine"] is None


@pytest.mark.django_db
def test_what_failed_goes_to_the_log_and_not_to_a_stranger(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with broken_database(monkeypatch):
        response = client.get("/health/ready")
    assert "secret" not in response.content.decode()
    assert "user secret" in caplog.text


@pytest.mark.parametrize("address", ["/health/live", "/health/live/"])
def test_a_probe_may_call_by_address_and_without_https(
    client: Client, settings: Settings, address: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(address, headers={"host": "10.1.2.3:8000"}).status_code == 200


def test_other_addresses_keep_to_the_allowed_hosts(client: Client) -> None:
    assert client.get("/schema", headers={"host": "10.1.2.3:8000"}).status_code == 400


def test_no_proxy_keeps_an_old_answer(client: Client) -> None:
    assert "no-store" in client.get("/health/live").headers["Cache-Control"]
