"""Who may call what: one table that holds every address, method and role."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from accounts.tests.factories import PASSWORD, make_user
from attendance_site.tests.cast import Cast
from attendance_site.tests.cast import cast as cast  # a fixture
from attendance_site.tests.privacy_rows import NO_RECEIPT, PRIVACY
from attendance_site.tests.report_rows import REPORTS
from attendance_site.tests.rows import (
    ADMIN_DELETES,
    ADMIN_MAKES,
    ADMIN_ONLY,
    ANY_USER,
    LEADS_ON,
    OPEN,
    OWN,
    OWN_DELETES,
    OWN_LEADS_ON,
    OWN_MAKES,
    OWN_NAMED,
    OWN_PAGE,
    PAGE,
    ROLES,
    Row,
)
from attendance_site.tests.timetable_rows import TIMETABLE

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# One entry stands for everything below it.
PREFIXES = {"admin/": "Django's admin checks the role in each of its own views."}


A_CLASS = {"class_name": "Chess", "class_code": "CHE", "teacher_id": "{alice}"}
A_PERSON = {"full_name": "New Person", "student_id": "N1", "class_id": "{maths}"}
A_NAME = {"full_name": "New Person", "student_id": "N1"}
A_TEACHER = {
    "teacher_id": "new001",
    "full_name": "New Teacher",
    "email": "new@school.example",
    "password": PASSWORD,
}
A_LOGIN = {"email": "alice@school.example", "password": PASSWORD}
A_MARK = {"class_id": "{maths}", "student_id": "{student}", "status": "late"}
SEATS = {"student_ids": ["{student}"]}
ROSTER_STATUSES = (401, 400, 202, 400, 202)
PHOTO = {"class_id": "{maths}", "file": "photo"}

TABLE = [
    # tokens
    Row("POST", "/auth/login", OPEN, A_LOGIN),
    Row("POST", "/auth/refresh", OPEN, {"refresh_token": "{refresh}"}),
    Row("POST", "/auth/logout", (204,) * 5, {"refresh_token": "{refresh}"}),
    Row("GET", "/auth/me", ANY_USER),
    # teachers
    Row("GET", "/teachers", ADMIN_ONLY),
    Row("POST", "/teachers", ADMIN_MAKES, A_TEACHER),
    Row("GET", "/teachers/{alice}", ADMIN_ONLY),
    Row("PATCH", "/teachers/{alice}", ADMIN_ONLY, {"full_name": "Alice Ames"}),
    Row("DELETE", "/teachers/{leaver}", ADMIN_DELETES),
    # classes
    Row("GET", "/classes", ANY_USER),
    Row("POST", "/classes", ADMIN_MAKES, A_CLASS),
    Row("GET", "/classes/{maths}", OWN),
    Row("PATCH", "/classes/{maths}", ADMIN_ONLY, {"class_name": "Maths A"}),
    Row("DELETE", "/classes/{unused_class}", ADMIN_DELETES),
    Row("POST", "/classes/{maths}/students", OWN, SEATS),
    Row("DELETE", "/classes/{maths}/students", OWN, SEATS),
    # students
    Row("GET", "/students", ANY_USER),
    Row("POST", "/students", OWN_NAMED, A_PERSON),
    Row("GET", "/students/{student}", OWN),
    Row("PATCH", "/students/{student}", OWN, {"full_name": "Cleo Cole"}),
    Row("DELETE", "/students/{student}", ADMIN_DELETES),
    *PRIVACY,
    # faces
    Row(
        "POST",
        "/face/register",
        OWN_MAKES,
        {"student_id": "{student}", "file": "photo"},
    ),
    Row("DELETE", "/face/register/{student}", OWN_DELETES),
    Row("POST", "/face/verify", OWN, PHOTO),
    # the register
    Row("POST", "/attendance/group", OWN, PHOTO),
    Row("POST", "/attendance", OWN, A_MARK),
    Row("GET", "/attendance/today", ANY_USER),
    Row("GET", "/attendance/by-class/{maths}", OWN),
    Row("GET", "/attendance/summary/{maths}", OWN),
    Row("GET", "/attendance/{record}", OWN),
    Row("PATCH", "/attendance/{record}", OWN, {"status": "excused"}),
    Row("GET", "/attendance/{record}/history", OWN),
    Row("GET", "/attendance/{record}/why", OWN),
    Row("POST", "/attendance/{record}/reject", OWN),
    # sessions
    Row("GET", "/sessions", ANY_USER),
    Row("POST", "/sessions", OWN_MAKES, {"class_id": "{maths}", "date": "2026-03-02"}),
    Row("GET", "/sessions/{session}", OWN),
    Row("PATCH", "/sessions/{session}", OWN, {"grace_minutes": 5}),
    Row("DELETE", "/sessions/{unused_session}", OWN_DELETES),
    Row("POST", "/sessions/{session}/close", OWN),
    Row("POST", "/sessions/{session}/reopen", OWN),
    Row("POST", "/sessions/{session}/mark-rest", OWN, {"status": "present"}),
    # jobs
    Row("GET", "/jobs/{job}", OWN),
    Row("POST", "/jobs/{job}/cancel", OWN),
    Row("GET", "/app/jobs/", PAGE),
    Row("GET", "/app/jobs/{job}/", OWN_PAGE),
    Row("GET", "/app/jobs/{job}/result.csv", OWN_PAGE),
    Row("POST", "/app/jobs/{job}/cancel/", OWN_LEADS_ON),
    *TIMETABLE,
    *REPORTS,
    # imports
    Row("POST", "/import/photos", (401, 202, 202, 202, 202), {"file": "archive"}),
    Row("POST", "/import/students", ROSTER_STATUSES, {"file": "roster"}),
    Row("GET", "/export/students?class_id={maths}", OWN),
    Row("GET", "/app/import/students/", PAGE),
    # The class in the file is unknown to whom it isn't.
    Row("POST", "/app/import/students/", PAGE, {"file": "roster"}),
    Row("GET", "/app/import/photos/", PAGE),
    Row("POST", "/app/import/photos/", LEADS_ON, {"file": "archive"}),
    Row("POST", "/import/attendance", (401, 400, 400, 400, 400), {"file": "roster"}),
    Row("GET", "/app/import/attendance/", PAGE),
    Row("POST", "/app/import/attendance/", (302, 400, 400, 400, 400)),
    # exports
    Row("GET", "/export/attendance", OWN, {"class_id": "{maths}"}),
    Row("GET", "/app/classes/{maths}/print/", OWN_PAGE),
    Row("GET", "/app/classes/{maths}/sheet/", OWN_PAGE),
    # many lines at once, and what was changed
    Row("POST", "/sessions/{session}/mark", OWN, {**SEATS, "status": "late"}),
    Row("POST", "/sessions/{session}/undo", OWN, {"changes": [1]}),
    Row("GET", "/sessions/{session}/history", OWN),
    Row("POST", "/app/sessions/{session}/mark/", OWN_LEADS_ON),
    # notices
    Row("GET", "/app/classes/{maths}/notices/", OWN_PAGE),
    Row("POST", "/app/classes/{maths}/notices/", OWN_LEADS_ON),
    Row("GET", "/classes/{maths}/notices", OWN),
    Row("PATCH", "/classes/{maths}/notices", OWN, {"absence": True}),
    Row("POST", "/app/notices/{notice}/again/", OWN_LEADS_ON),
    # pages
    Row("GET", "/", LEADS_ON),
    Row("GET", "/app/", (302, 200, 200, 200, 200)),
    Row("GET", "/app/classes/{maths}/take/", (302, 404, 200, 404, 200)),
    Row("POST", "/app/classes/{maths}/take/", (302, 404, 200, 404, 200), PHOTO),
    Row("POST", "/app/classes/{maths}/look/", OWN, {"file": "photo"}),
    Row("POST", "/app/classes/{maths}/mark/", OWN_LEADS_ON, {"mark": "{student}:late"}),
    Row("GET", "/app/classes/{maths}/sessions/", OWN_PAGE),
    Row("POST", "/app/classes/{maths}/sessions/", OWN_LEADS_ON, {"date": "2026-03-02"}),
    Row("GET", "/app/sessions/{session}/", OWN_PAGE),
    Row("POST", "/app/sessions/{session}/close/", OWN_LEADS_ON),
    Row("POST", "/app/sessions/{session}/reopen/", OWN_LEADS_ON),
    Row("POST", "/app/sessions/{session}/undo/", OWN_LEADS_ON),
    Row("POST", "/app/records/{record}/reject/", OWN_LEADS_ON),
    Row("GET", "/app/classes/{maths}/", OWN_PAGE),
    Row("GET", "/app/classes/{maths}/students/add/", OWN_PAGE),
    Row("POST", "/app/classes/{maths}/students/add/", OWN_LEADS_ON, A_NAME),
    Row("GET", "/app/classes/{maths}/students/{student}/take-out/", OWN_PAGE),
    Row("POST", "/app/classes/{maths}/students/{student}/take-out/", OWN_LEADS_ON),
    Row("POST", "/app/classes/{maths}/students/{left}/put-back/", OWN_LEADS_ON),
    Row("GET", "/app/students/{student}/", OWN_PAGE),
    Row("GET", "/app/students/{student}/edit/", OWN_PAGE),
    Row("POST", "/app/students/{student}/edit/", OWN_LEADS_ON, A_NAME),
    Row("GET", "/app/students/{student}/face/", OWN_PAGE),
    Row("POST", "/app/students/{student}/face/", OWN_LEADS_ON, {"photos": "photo"}),
    Row("POST", "/app/students/{student}/face/check/", OWN, {"file": "photo"}),
    Row("GET", "/app/students/{student}/face/remove/", OWN_PAGE),
    Row("POST", "/app/students/{student}/face/remove/", OWN_LEADS_ON),
    Row("GET", "/accounts/login/", (200, 302, 302, 302, 302)),
    Row(
        "POST",
        "/accounts/login/",
        LEADS_ON,
        {"username": "alice@school.example", "password": PASSWORD},
    ),
    Row("PUT", "/accounts/login/", (200, 302, 302, 302, 302)),  # a form without words
    Row("POST", "/accounts/logout/", LEADS_ON),
    Row("GET", "/accounts/password-reset/", OPEN),
    Row("POST", "/accounts/password-reset/", LEADS_ON, {"email": "x@school.example"}),
    Row("GET", "/accounts/password-reset/sent/", OPEN),
    # A link that is no good says so to every method.
    *(Row(method, "/accounts/password-reset/{alice}/1-1/", OPEN) for method in METHODS),
    Row("GET", "/app/account/", PAGE),
    Row("POST", "/app/account/", LEADS_ON),
    Row("GET", "/app/account/password/", PAGE),
    Row("POST", "/app/account/password/", PAGE),
    Row("POST", "/app/account/sign-out-everywhere/", LEADS_ON),
    Row("GET", "/admin/", (302, 302, 302, 302, 200)),
    Row("GET", "/admin/login/", (200, 200, 200, 200, 302)),
    # documents and health, open to everybody
    Row("GET", "/schema", OPEN),
    Row("GET", "/docs", OPEN),
    Row("GET", "/redoc", OPEN),
    Row("GET", "/redoc/bundle.js", OPEN),
    Row("GET", "/favicon.ico", LEADS_ON),
    Row("GET", "/health/live", OPEN),
    Row("GET", "/health/ready", OPEN),
    # for whoever knows METRICS_TOKEN; without one there is nothing
    Row("GET", "/metrics", (404,) * 5),
]


def every_route(
    patterns: list[Any] | None = None, before: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield each route as Django writes it, and the prefix that stands for it or ""."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = joined(before, str(pattern.pattern))
        if route in PREFIXES:
            yield route, route
        elif isinstance(pattern, URLResolver):
            yield from every_route(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, ""


def joined(before: str, route: str) -> str:
    """Join two parts of a route as `ResolverMatch.route` does."""
    return before + route.removeprefix("^") if before else route


def example(row: Row) -> str:
    """Return an address of the row's route, with some number for each name."""
    numbers: dict[str, object] = {**dict.fromkeys(NAMES, 1), "receipt": NO_RECEIPT}
    return row.url.partition("?")[0].format(**numbers)


NAMES = (
    "alice",
    "leaver",
    "maths",
    "unused_class",
    "student",
    "left",
    "session",
    "unused_session",
    "record",
    "job",
    "notice",
    "slot",
    "closure",
    "absence",
    "rule",
)


@cache
def rows_of_routes() -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    for row in TABLE:
        rows.setdefault(resolve(example(row)).route, []).append(row)
    return rows


def cells() -> list[Any]:
    return [
        pytest.param(row, role, status, id=f"{row}-{role}")
        for row in TABLE
        for role, status in zip(ROLES, row.statuses, strict=True)
    ]


@pytest.mark.parametrize(("row", "role", "status"), cells())
def test_each_role_gets_what_the_table_says(
    cast: Cast, row: Row, role: str, status: int
) -> None:
    answer = cast.call(row.method, row, role)
    assert answer.status_code == status, answer.content[:500]


def test_the_table_knows_every_route() -> None:
    known = rows_of_routes()
    routes = [route for route, prefix in every_route() if not prefix]
    assert [route for route in routes if route not in known] == []
    assert len(routes) > 30


def test_every_prefix_is_still_there() -> None:
    assert {prefix for _, prefix in every_route() if prefix} == set(PREFIXES)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(rows, id=rows[0].url)
        for route, rows in rows_of_routes().items()
        if not route.startswith(tuple(PREFIXES))
    ],
)
def test_a_method_that_the_table_does_not_know_is_refused(
    cast: Cast, rows: list[Row]
) -> None:
    first = rows[0]
    # Whoever is let in; an admin is led past the login page before it looks further.
    role = "nobody" if first.statuses[0] == 200 else "admin"
    unknown = set(METHODS) - {row.method for row in rows}
    answers = {
        method: cast.call(method, Row(method, first.url, first.statuses), role)
        for method in unknown
    }
    statuses = {method: answer.status_code for method, answer in answers.items()}
    assert statuses == dict.fromkeys(unknown, 405)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    "row", [row for row in TABLE if row.statuses[0] == 401], ids=str
)
def test_nobody_learns_what_a_call_takes(cast: Cast, row: Row, method: str) -> None:
    assert cast.call(method, row, "nobody").status_code == 401


@pytest.mark.parametrize("url", ["/app/", "/app/classes/{maths}/take/", "/admin/"])
def test_a_page_sends_nobody_to_a_login(cast: Cast, url: str) -> None:
    answer = cast.call("GET", Row("GET", url, LEADS_ON), "nobody")
    login = "/admin/login/" if url == "/admin/" else "/accounts/login/"
    assert answer.headers["Location"].startswith(f"{login}?next=")


def admin_pages() -> list[str]:
    """Return the admin's addresses that take no number or name."""
    admin = next(
        found
        for found in get_resolver().url_patterns
        if isinstance(found, URLResolver) and str(found.pattern) == "admin/"
    )
    routes = every_route(list(admin.url_patterns), "/admin/")
    return [route for route, _ in routes if not set(route) & set("<(?$")]


@pytest.mark.parametrize("url", admin_pages())
def test_a_teacher_gets_no_page_of_the_admin(client: Client, url: str) -> None:
    client.force_login(make_user("Curious Teacher"))
    answer = client.get(url, follow=True)
    assert answer.redirect_chain or url == "/admin/login/"
    assert answer.request["PATH_INFO"] == "/admin/login/"
    assert b"Site administration" not in answer.content
