"""The log: one object a line, found by the request's id, that names nobody."""

import io
import json
import logging
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, OperationalError
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import PASSWORD
from attendance_site import logs
from classroom.models import Classroom, Student
from conftest import ApiFactory

FAULTS = pytest.mark.urls("attendance_site.tests.fault_urls")


class Log:
    """What was written since the test began."""

    def __init__(self, stream: io.StringIO) -> None:
        self.stream = stream

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    """Write the site's log into memory, as JSON."""
    yield from written("json")


@pytest.fixture
def readable_log() -> Iterator[Log]:
    yield from written("line")


def written(style: str) -> Iterator[Log]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    settings = logs.configuration(style)
    arguments = dict(settings["formatters"]["chosen"])
    made: Any = arguments.pop("()")
    handler.setFormatter(made(**arguments))
    handler.addFilter(logs.PrivateFilter())
    logging.getLogger().addHandler(handler)
    yield Log(stream)
    logging.getLogger().removeHandler(handler)


@pytest.mark.django_db
def test_a_request_is_one_line_with_its_id(
    log: Log, api: ApiFactory, alice: User, maths: Classroom
) -> None:
    response = api(alice).get(f"/classes/{maths.pk}")
    line = log.lines[-1]
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert (line["method"], line["path"]) == ("GET", f"/classes/{maths.pk}")
    assert (line["status"], line["user_id"], line["level"]) == (200, alice.pk, "INFO")
    assert {"time", "ms", "logger", "message"} <= set(line)
    assert len(log.lines) == 1


@pytest.mark.django_db
def test_people_read_the_same_in_one_line(
    readable_log: Log, api: ApiFactory, alice: User, maths: Classroom
) -> None:
    response = api(alice).get(f"/classes/{maths.pk}?search=Cleo")
    (line,) = readable_log.text.splitlines()
    assert f"GET /classes/{maths.pk} 200" in line
    assert line.endswith(f"[{response.headers['X-Request-ID']}]")


def test_two_requests_have_two_ids(client: Client) -> None:
    ids = {client.get("/health/live").headers["X-Request-ID"] for _ in range(2)}
    assert len(ids) == 2


PROXYS_ID = "5f0c6f3e9d1c4b7f8a64d4ab3c2d1e0f"


def id_for(client: Client, stated: str, **meta: str) -> str:
    response = client.get("/health/live", headers={"X-Request-ID": stated}, **meta)  # type: ignore[arg-type]
    return str(response.headers["X-Request-ID"])


def test_a_proxy_of_ours_may_choose_the_id(client: Client, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = (ip_network("127.0.0.0/8"),)
    assert id_for(client, PROXYS_ID) == PROXYS_ID


def test_a_stranger_may_not_choose_the_id(client: Client, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = (ip_network("127.0.0.0/8"),)
    assert id_for(client, PROXYS_ID, REMOTE_ADDR="203.0.113.9") != PROXYS_ID


@pytest.mark.parametrize(
    "stated", ["", "short", "a" * 65, "ada@school.example", "a\nb"]
)
def test_what_is_no_id_is_replaced(stated: str) -> None:
    assert logs.accepted_id(stated) != stated


@pytest.mark.django_db
def test_a_day_at_school_names_nobody(
    log: Log, client: Client, api: ApiFactory, alice: User, students: list[Student]
) -> None:
    form = {"username": alice.email, "password": PASSWORD}
    client.post("/accounts/login/", {**form, "password": "wrong guess"})
    client.post("/accounts/login/", form)
    reset = default_token_generator.make_token(alice)
    number = urlsafe_base64_encode(force_bytes(alice.pk))
    token = api(alice).post("/auth/login", {"email": alice.email, "password": PASSWORD})
    sent = [
        client.get("/app/?name=Cleo"),
        api(alice).get("/students?search=Cleo%20Castro"),
        api(alice).get("/students/Cleo-Castro"),
        client.get("/app/Cleo/Castro/"),
        client.get("/static/Cleo.css"),
        client.get(f"/accounts/password-reset/{number}/{reset}/"),
        client.get(f"/app/students/{students[0].pk}/"),
        client.post("/auth/refresh", {"refresh_token": token.json()["refresh_token"]}),
    ]
    assert {response.status_code for response in sent} >= {200, 404}
    tokens = [token.json()[name] for name in ("access_token", "refresh_token")]
    cookies = [cookie.value for cookie in client.cookies.values()]
    words = ["Cleo", "Castro", "alice", "Archer", "wrong guess", PASSWORD, "127.0.0"]
    held = [word for word in [*words, *tokens, *cookies, reset] if word in log.text]
    assert held == []
    paths = [line["path"] for line in log.lines if line["logger"].endswith("access")]
    assert f"/app/students/{students[0].pk}/" in paths
    assert "/accounts/password-reset/*/*/" in paths
    assert len(paths) == len(sent) + 3


@FAULTS
def test_a_bug_is_logged_with_its_place_and_without_its_words(log: Log) -> None:
    client = Client(raise_request_exception=False)
    response = client.get("/fault/bug?student=Cleo")
    assert response.status_code == 500
    body = response.json()
    assert body["request_id"] == response.headers["X-Request-ID"]
    fault, access = log.lines
    assert fault["request_id"] == access["request_id"] == body["request_id"]
    assert fault["traceback"].endswith("ZeroDivisionError")
    assert "fault_urls.py" in fault["traceback"]
    assert "secret" not in log.text
    assert "Cleo" not in log.text


@FAULTS
def test_a_page_of_a_bug_shows_the_number_in_the_log() -> None:
    response = Client(raise_request_exception=False).get("/app/page?fault=bug")
    assert response.headers["X-Request-ID"] in response.content.decode()


def test_a_refused_row_is_not_quoted(log: Log) -> None:
    said = "Key (email)=(ada" + "@school.example) already exists."
    try:
        try:
            raise ValueError(said)
        except ValueError as error:
            raise IntegrityError(said) from error
    except IntegrityError:
        logging.getLogger("django.request").exception("failed")
    assert "which was caused by" in log.lines[0]["traceback"]
    assert "ada@" not in log.text


def test_a_server_that_does_not_answer_keeps_its_words(log: Log) -> None:
    try:
        raise OperationalError("connection refused")
    except OperationalError:
        logging.getLogger("django.request").exception("failed")
    assert "OperationalError: connection refused" in log.lines[0]["traceback"]


def test_gunicorn_does_not_tell_what_was_asked(log: Log) -> None:
    logging.getLogger("gunicorn.error").error("Error handling request %s", "/x?n=Cleo")
    assert "Cleo" not in log.text
    assert log.lines[0]["message"] == "a request failed before it was read"
