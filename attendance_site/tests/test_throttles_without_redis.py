"""Redis is configured but gone: whoever asks too often still hears when to come again.

With right passwords and the product's own rates, so that it is the throttle that
answers and not the lock after wrong passwords.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import redis
from django.conf import settings as configured
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import PASSWORD
from attendance_site import caches
from attendance_site.tests.live import free_address
from attendance_site.tests.test_caches import needs_redis, redis_at
from conftest import ApiFactory
from faces.tests.photos import upload

pytestmark = pytest.mark.django_db

RATES = cast("dict[str, str]", configured.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"])

Ask = Callable[[User], Any]


@pytest.fixture(params=["never", pytest.param("until now", marks=needs_redis)])
def gone(
    request: pytest.FixtureRequest, settings: Settings, tmp_path: Path
) -> Iterator[None]:
    """Name a Redis that does not answer: it never ran, or it ran until now."""
    address = free_address()
    settings.CACHES = caches.configuration(f"redis://{address}")
    memory = LocMemCache("without-redis", {})  # as wide as the process
    memory.clear()
    if request.param == "until now":
        with redis_at(address, tmp_path):
            cache.set("counted", 1)
            with redis.Redis.from_url(f"redis://{address}") as server:
                assert server.exists(":1:counted")
    yield
    memory.clear()


@pytest.fixture
def asks(api: ApiFactory) -> dict[str, Ask]:
    def token(user: User) -> Any:
        body = {"email": user.email, "password": PASSWORD}
        return Client().post("/auth/login", body, content_type="application/json")

    def page(user: User) -> Any:
        form = {"username": user.email, "password": PASSWORD}
        return Client().post("/accounts/login/", form)

    def imports(user: User) -> Any:
        return api(user).post("/import/students", {"file": upload(b"x", "a.csv")})

    return {"token": token, "page": page, "import": imports}


@pytest.mark.usefixtures("gone")
@pytest.mark.parametrize(
    ("door", "scope"), [("token", "login"), ("page", "login"), ("import", "import")]
)
def test_without_redis_one_too_many_is_told_to_wait_and_a_stranger_is_not(
    asks: dict[str, Ask], alice: User, stranger: User, door: str, scope: str
) -> None:
    ask = asks[door]
    allowed = int(RATES[scope].partition("/")[0])
    statuses = {ask(alice).status_code for _ in range(allowed)}
    assert 429 not in statuses
    answer = ask(alice)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert ask(stranger).status_code != 429
