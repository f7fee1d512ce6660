"""Redis may go away: throttles count in memory, sessions come from the database."""

import logging
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import PASSWORD
from attendance_site import caches
from attendance_site.tests.live import free_address

SESSION = "django.contrib.sessions.cached_db" + "a" * 32
needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="apt-get install redis-server"
)


@contextmanager
def redis_at(address: str, folder: Path) -> Iterator[None]:
    """Run a server that keeps what it knows in a file when it is stopped."""
    _, _, port = address.partition(":")
    command = ["redis-server", "--port", port, "--bind", "127.0.0.1"]
    command += ["--dir", str(folder), "--save", "900 1"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603
    asking = redis.Redis.from_url(f"redis://{address}")
    try:
        while server.poll() is None:
            try:
                asking.ping()
                break
            except redis.ConnectionError:
                continue
        yield
    finally:
        asking.close()
        server.terminate()
        server.wait()


@pytest.fixture
def address() -> str:
    return free_address()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a server that was gone again at once."""
    monkeypatch.setattr(caches, "PAUSE", 0.0)


def throttles(address: str) -> caches.ThrottleCache:
    return caches.ThrottleCache(f"redis://{address}", {"OPTIONS": caches.OPTIONS})


def sessions(address: str) -> caches.SessionCache:
    return caches.SessionCache(f"redis://{address}", {"OPTIONS": caches.OPTIONS})


def test_without_redis_a_throttle_still_counts(address: str) -> None:
    cache = throttles(address)
    cache.clear()
    assert cache.add("tries", 1)
    assert not cache.add("tries", 1)
    assert cache.incr("tries") == 2
    assert cache.has_key("tries")
    assert cache.touch("tries", 60)
    assert cache.delete("tries")
    assert cache.get("tries", "none") == "none"


def test_without_redis_a_session_is_a_miss(address: str) -> None:
    cache = sessions(address)
    cache.set(SESSION, {"user": 1})
    assert cache.get(SESSION) is None


@needs_redis
def test_a_session_that_ended_meanwhile_does_not_come_back(
    address: str, tmp_path: Path
) -> None:
    with redis_at(address, tmp_path):
        sessions(address).set(SESSION, {"user": 1})
        sessions(address).set("another", {"user": 2})
    sessions(address).delete(SESSION)
    with redis_at(address, tmp_path):
        # Another thread's cache, and still it knows.
        assert sessions(address).get(SESSION) is None
        assert sessions(address).get("another") == {"user": 2}


@needs_redis
def test_a_session_leaves_redis_soon(address: str, tmp_path: Path) -> None:
    with redis_at(address, tmp_path):
        sessions(address).set(SESSION, {"user": 1}, 14 * 24 * 3600)
        server = redis.Redis.from_url(f"redis://{address}")
        lives = server.ttl(f":1:{SESSION}")
        server.close()
    assert 0 < lives <= caches.SESSION_SECONDS


@needs_redis
def test_its_end_and_its_return_are_logged_once(
    address: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            throttles(address).get("tries")
            sessions(address).get(SESSION)
        with redis_at(address, tmp_path):
            for _ in range(3):
                throttles(address).get("tries")
    said = [record.getMessage() for record in caplog.records]
    assert said == ["Redis does not answer (ConnectionError).", "Redis answers again."]


def test_while_it_is_gone_it_is_not_asked_at_every_call(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "PAUSE", 60.0)
    cache = throttles(address)
    asked: list[str] = []
    monkeypatch.setattr(cache, "redis", None)
    cache.outage.begins(ConnectionError())
    monkeypatch.setattr(cache, "ask", lambda method, *_, **__: asked.append(method))
    cache.get("tries")
    assert asked == []


@pytest.mark.django_db
def test_people_log_in_and_stay_logged_in_without_redis(
    address: str, settings: Settings, alice: User
) -> None:
    settings.CACHES = caches.configuration(f"redis://{address}")
    settings.SESSION_ENGINE = "accounts.sessions.cached_db"
    client = Client()
    form = {"username": alice.email, "password": PASSWORD}
    assert client.post("/accounts/login/", form).status_code == 302
    assert client.get("/app/account/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/app/account/").status_code == 302


@pytest.mark.django_db
def test_without_redis_a_stranger_runs_out_of_tries(
    address: str, settings: Settings
) -> None:
    settings.CACHES = caches.configuration(f"redis://{address}")
    body = {"email": "sam@school.example", "password": "wrong"}
    client = Client()
    statuses = [client.post("/auth/login", body).status_code for _ in range(12)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
