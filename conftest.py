"""The cast every test knows: an admin, two teachers of maths, and a stranger."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from accounts.tests.factories import make_admin, make_user
from classroom.models import Classroom, Student
from classroom.tests.factories import make_class, make_student, share
from faces import runtime
from faces.engine.pipeline import FaceEngine
from faces.tests.fakes import FakeEngine

ApiFactory = Callable[[User | None], APIClient]


@pytest.fixture(autouse=True)
def fast_passwords(settings: Settings) -> None:
    """Hash passwords cheaply; what the product uses is tested by itself."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def sessions_in_the_database(settings: Settings) -> None:
    """Count the same queries with and without Redis, which would answer for one."""
    settings.SESSION_ENGINE = "accounts.sessions.db"


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Forget throttles and cached galleries between tests."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def spool_folder(tmp_path: Path, settings: Settings) -> Path:
    """Keep uploaded archives out of the project's own folder."""
    settings.IMPORT_SPOOL_DIR = tmp_path / "spool"
    return tmp_path / "spool"


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Hear which jobs a worker is called to, without a queue; see `accounts.jobs`."""
    heard: list[int] = []

    def ring(job_id: int) -> str:
        heard.append(job_id)
        return "message"

    monkeypatch.setattr("accounts.queue.ring", ring)
    monkeypatch.setattr("accounts.queue.is_busy", lambda: False)
    return heard


@pytest.fixture
def api() -> ApiFactory:
    """Return a client logged in with a real access token; None is nobody."""

    def client(user: User | None) -> APIClient:
        made = APIClient()
        if user is not None:
            token = AccessToken.for_user(user)
            made.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return made

    return client


@pytest.fixture
def admin(db: None) -> User:
    return make_admin("Ada Admin", email="ada@school.example")


@pytest.fixture
def alice(db: None) -> User:
    """The teacher of maths."""
    return make_user("Alice Archer", email="alice@school.example")


@pytest.fixture
def bob(maths: Classroom) -> User:
    """A substitute, who may see maths for now, and has no class of his own."""
    user = make_user("Bob Baker", email="bob@school.example")
    share(maths, user)
    return user


@pytest.fixture
def stranger(db: None) -> User:
    """A teacher of history, who has nothing to do with maths."""
    return make_user("Sam Stranger", email="sam@school.example")


@pytest.fixture
def maths(alice: User) -> Classroom:
    return make_class("Maths", alice, class_code="MAT-1")


@pytest.fixture
def history(stranger: User) -> Classroom:
    return make_class("History", stranger, class_code="HIS-1")


@pytest.fixture
def students(maths: Classroom) -> list[Student]:
    """Three students who sit in maths, in the order of their names."""
    names = ["Cleo Castro", "Dan Dietz", "Eva Evans"]
    return [make_student(name, maths) for name in names]


@pytest.fixture
def outsider(history: Classroom) -> Student:
    """The stranger's student, who sits in history alone."""
    return make_student("Otto Outsider", history)


@pytest.fixture
def fake_engine() -> Iterator[FakeEngine]:
    """Put an engine in place for which a colour is a person; see `photo_of`."""
    engine = FakeEngine(runtime.active_pack())
    with runtime.use_engine(cast(FaceEngine, engine)):
        yield engine
