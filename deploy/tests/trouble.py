"""Let clients mark students through nginx while one part after the other dies."""

import http.client
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.tests.factories import PASSWORD
from deploy.tests.cluster import Cluster, wait_for
from faces.tests.photos import six_close_ups, upload

PERSONS = 5  # enrolled by school.py; the sixth isn't
PATIENCE = 30  # seconds that a client waits for an answer


@dataclass
class Outcome:
    """What clients were answered, what the register holds, and how long each took to
    come back, in seconds."""

    answers: Counter[int] = field(default_factory=Counter)  # by status, 0: none
    marked: set[tuple[int, int]] = field(default_factory=set)  # session, student
    asked: int = 0
    back_after: dict[str, float] = field(default_factory=dict)
    missing: int = 0  # answered 200 and not in the register
    doubled: int = 0
    strangers: int = 0  # in the register and never asked for
    half_written: int = 0  # records without their history, or the other way round
    after_redis: dict[str, int] = field(default_factory=dict)  # statuses
    faults: list[str] = field(default_factory=list)


class Client:
    """One device of a class; a new connection after each that broke."""

    def __init__(self, cluster: Cluster, token: str = "", address: str = "") -> None:
        self.token = token
        self.direct = address
        self.cluster = cluster
        self.cookies: dict[str, str] = {}

    def post(self, path: str, form: Mapping[str, Any]) -> tuple[int, Any]:
        """Send a form; return the status and the answer, (0, None) where none came."""
        body = encode_multipart(BOUNDARY, dict(form))
        return self.send("POST", path, body, {"Content-Type": MULTIPART_CONTENT})

    def get(self, path: str) -> tuple[int, Any]:
        return self.send("GET", path, None, {})

    def send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, Any]:
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.cookies:
            listed = [f"{name}={value}" for name, value in self.cookies.items()]
            headers["Cookie"] = "; ".join(listed)
        connection = self.connection(headers)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        if answer.headers.get_content_type() == "application/json":
            return answer.status, json.loads(content)
        return answer.status, content.decode(errors="replace")

    def connection(self, headers: dict[str, str]) -> http.client.HTTPConnection:
        front = urlsplit(self.cluster.url)
        headers["Host"] = front.netloc
        headers["Referer"] = f"{self.cluster.url}/"
        if self.direct:  # past nginx, as nginx would speak to it
            headers |= {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}
            return http.client.HTTPConnection(self.direct, timeout=PATIENCE)
        trust = ssl.create_default_context(cafile=self.cluster.trust)
        return http.client.HTTPSConnection(
            str(front.hostname), front.port, context=trust, timeout=PATIENCE
        )


def enrolled_here_matched_there(cluster: Cluster, school: dict[str, Any]) -> list[bool]:
    """Return whether the other replica knew a face before and after its enrolment."""
    here, there = (
        Client(cluster, school["tokens"][0], address) for address in cluster.addresses
    )
    photo = six_close_ups()[PERSONS]
    form = {"class_id": school["classes"][0]}

    def knows() -> bool:
        sent = {**form, "file": upload(photo)}
        status, answer = there.post("/face/verify", sent)
        assert status == 200, answer
        return bool(answer["matched"])

    before = knows()
    new = {"student_id": school["students"][PERSONS], "file": upload(photo)}
    status, answer = here.post("/face/register", new)
    assert status == 201, answer
    return [before, knows()]


@contextmanager
def load(cluster: Cluster, school: dict[str, Any], outcome: Outcome) -> Iterator[None]:
    """Have a client for each class mark one student after another in its sessions."""
    ended, lock = threading.Event(), threading.Lock()
    photos = six_close_ups()[:PERSONS]

    def device(at: int) -> None:
        client = Client(cluster, school["tokens"][at])
        for turn, session in enumerate(school["sessions"][at]):
            if ended.is_set():
                return
            person = turn % PERSONS
            form = {"class_id": school["classes"][at], "session_id": session}
            sent = {**form, "file": upload(photos[person])}
            status, answer = client.post("/face/verify", sent)
            with lock:
                outcome.asked += 1
                outcome.answers[status] += 1
                if status == 200 and answer["matched"]:
                    outcome.marked.add((session, answer["student"]["id"]))
                elif 400 <= status <= 500:
                    outcome.faults.append(f"refused: {status} {answer}"[:200])
                elif status == 200:
                    outcome.faults.append(f"not recognised: {answer['reason']}")
            if status != 200:
                time.sleep(0.2)  # as a page does before it tries again
        outcome.faults.append("the sessions ran out before the trouble did")

    threads = [
        threading.Thread(target=device, args=(at,))
        for at in range(len(school["tokens"]))
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def marked_more(outcome: Outcome, number: int) -> None:
    """Wait until so many more students are marked."""
    wanted = len(outcome.marked) + number
    try:
        wait_for(lambda: len(outcome.marked) >= wanted, "nobody is marked any more")
    except AssertionError as error:
        raise AssertionError(f"{error}: {outcome}") from error


def back_after(cluster: Cluster, school: dict[str, Any]) -> float:
    """Return the seconds until a request that begins now, or a later one, is answered
    with 200."""
    start = time.monotonic()
    client = Client(cluster, school["tokens"][0])
    wait_for(lambda: client.get("/auth/me")[0] == 200, "the service is not back")
    return time.monotonic() - start


def in_trouble(cluster: Cluster, school: dict[str, Any], *, each: int) -> Outcome:
    """Kill a replica, restart PostgreSQL, stop Redis, with `each` marks in between."""
    outcome = Outcome()
    with load(cluster, school, outcome):
        marked_more(outcome, each)
        cluster.replicas[0].kill()
        outcome.back_after["kill -9 of a replica"] = back_after(cluster, school)
        marked_more(outcome, each)
        cluster.replicas[0].start()
        cluster.postgres.restart()
        outcome.back_after["a restart of PostgreSQL"] = back_after(cluster, school)
        marked_more(outcome, each)
        cluster.redis.kill()
        outcome.back_after["the end of Redis"] = back_after(cluster, school)
        marked_more(outcome, each)
    outcome.after_redis = without_redis(cluster, school)
    look_at_the_register(cluster, school, outcome)
    return outcome


def without_redis(cluster: Cluster, school: dict[str, Any]) -> dict[str, int]:
    """Log in, open a page with the session, log out, and run out of tries."""
    browser = Client(cluster)
    browser.get("/accounts/login/")
    csrf = browser.cookies["__Host-csrftoken"]
    form = {"csrfmiddlewaretoken": csrf, "username": school["email"]}
    statuses = {
        "log in": browser.post("/accounts/login/", {**form, "password": PASSWORD})[0],
        "a page": browser.get("/app/account/")[0],
    }
    csrf = browser.cookies["__Host-csrftoken"]
    leave = {"csrfmiddlewaretoken": csrf}
    statuses["log out"] = browser.post("/accounts/logout/", leave)[0]
    statuses["a page after it"] = browser.get("/app/account/")[0]
    guess = {"email": "nobody@school.example", "password": "wrong"}
    tries = [Client(cluster).post("/auth/login", guess)[0] for _ in range(30)]
    statuses["the last of many tries"] = tries[-1]
    return statuses


def look_at_the_register(
    cluster: Cluster, school: dict[str, Any], outcome: Outcome
) -> None:
    wanted = {session for sessions in school["sessions"] for session in sessions}
    query = "SELECT session_id, student_id, id FROM attendance_record"
    with psycopg.connect(cluster.postgres.url) as database:
        all_rows = database.execute(query).fetchall()
        told = "SELECT DISTINCT id FROM attendance_historicalrecord"
        history = {row[0] for row in database.execute(told)}
    rows = [row for row in all_rows if row[0] in wanted]
    found = Counter((session, student) for session, student, _ in rows)
    outcome.missing = len(outcome.marked - set(found))
    outcome.doubled = sum(number > 1 for number in found.values())
    # Each session was asked for once, so more than one student in it is nobody's.
    in_session = Counter(session for session, _ in found)
    outcome.strangers = sum(number > 1 for number in in_session.values())
    outcome.half_written = len(history ^ {number for _, _, number in all_rows})
