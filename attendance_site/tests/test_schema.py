"""Schemathesis takes the API's document at its word: as admin, as teacher, as nobody.

For every operation it makes up requests that the document allows and some that it does
not; each answer must be one that the document names, and none a fault of the server.
`SCHEMA_EXAMPLES` says how many made-up requests an operation gets.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from rest_framework_simplejwt.tokens import RefreshToken
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from accounts.models import Job, User
from attendance.models import Source
from attendance.tests.factories import make_record, make_session
from attendance_site.tests.timetable_rows import timetable_names
from classroom.models import Classroom, Student

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "4"))
School = dict[str, Any]
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture
def school(
    admin: User, alice: User, maths: Classroom, students: list[Student]
) -> School:
    """Return real row ids by the names that the document gives them."""
    session = make_session(maths)
    names = timetable_names(maths, students[0])
    return {
        "users": {"admin": admin, "teacher": alice, "nobody": None},
        "ids": {
            "/attendance": make_record(session, students[0], source=Source.FACE).pk,
            "/classes": maths.pk,
            "/jobs": Job.objects.create(owner=alice, kind="import_students").pk,
            "/sessions": session.pk,
            "/students": students[0].pk,
            "/teachers": alice.pk,
            "/timetable": names["slot"],
            "/closures": names["closure"],
            "/absences": names["absence"],
            "class_id": maths.pk,
            "session_id": session.pk,
            "student_id": students[0].pk,
            "teacher_id": alice.pk,
        },
    }


@pytest.fixture
def document(school: School) -> Iterator[Any]:
    """Return the document, with its operations answered in this process."""
    # A request's end would close the connection that the test's data is in.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/schema", get_wsgi_application())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("role", ["admin", "teacher", "nobody"])
def test_every_answer_is_one_that_the_document_names(
    document: Any, school: School, role: str
) -> None:
    faults: dict[str, str] = {}
    operations = [found.ok() for found in document.get_all_operations()]
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            faults |= faults_of(operation, mode, school, role)
    assert len(operations) > 50
    assert not faults, "\n\n".join(faults.values())


def faults_of(
    operation: Any, mode: GenerationMode, school: School, role: str
) -> dict[str, str]:
    """Return what is wrong with an operation's answers, each kind of fault once."""
    found: dict[str, str] = {}

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any) -> None:
        try:
            ask(case, school, role)
        except FailureGroup as group:
            for fault in group.exceptions:
                name = f"{operation.label} {type(fault).__name__} {fault}"
                found.setdefault(
                    name[:120], f"{operation.label}: {fault}\n{case.as_curl_command()}"
                )

    # Nothing can be made up that an operation without any input would refuse.
    with contextlib.suppress(Unsatisfiable):
        run()
    return found


def ask(case: Any, school: School, role: str) -> None:
    """Send a made-up request; what it changed is taken back."""
    user = school["users"][role]
    if user is not None:
        token = RefreshToken.for_user(user).access_token
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
    point_at_real_rows(case, school["ids"])
    cache.clear()  # throttles have tests of their own
    with transaction.atomic():
        try:
            case.call_and_validate(checks=CHECKS)
        finally:
            transaction.set_rollback(True)


def point_at_real_rows(case: Any, ids: dict[str, Any]) -> None:
    """Put real row ids where whole numbers were made up, or all would end in a 404.

    What is no number stays: it was made up to be refused.
    """
    first = "/" + case.path.split("/")[1]
    for part in (case.path_parameters, case.query, case.body):
        if not isinstance(part, dict):
            continue
        for name, value in part.items():
            wanted = ids.get(name) or (ids.get(first) if name == "id" else None)
            if type(value) is int and wanted is not None and value % 2:
                part[name] = wanted
