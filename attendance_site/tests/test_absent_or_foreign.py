"""Somebody else's object and none at all: the same answer, to the last byte.

Every address of the table of permissions that names an object is called by a stranger,
once with the object's id and once with an id that there is not.
"""

import re
from dataclasses import replace
from typing import Any

import pytest

from attendance_site.tests.cast import Cast
from attendance_site.tests.cast import cast as cast  # a fixture
from attendance_site.tests.rows import Row
from attendance_site.tests.test_permissions import TABLE

pytestmark = pytest.mark.django_db

# Objects of a class; accounts are for admins alone, who see them all.
OBJECTS = re.compile(r"\{(\w+)\}")
ABSENT = 987_654_321
STRANGER = 1  # the place of the stranger among a row's statuses

ROWS = [
    row
    for row in TABLE
    if row.statuses[STRANGER] == 404 and (OBJECTS.search(row.url) or row.body)
]
# Of each answer another: an id of the request, a token against forged forms.
VARYING = {"X-Request-ID", "Set-Cookie"}


def whole(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    """Return an answer's status, body and headers."""
    body = b"".join(answer) if answer.streaming else answer.content
    kept = {name: v for name, v in answer.headers.items() if name not in VARYING}
    return answer.status_code, without_tokens(body), kept


def without_tokens(body: bytes) -> bytes:
    return re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", body)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_stranger_can_not_tell_anothers_object_from_none(
    cast: Cast, row: Row
) -> None:
    foreign = cast.call(row.method, row, "stranger")
    names = {
        name: ABSENT if name not in {"alice", "leaver", "refresh"} else value
        for name, value in cast.names.items()
    }
    absent = replace(cast, names=names).call(row.method, row, "stranger")
    assert whole(foreign) == whole(absent)
    assert foreign.status_code == 404


def test_there_are_rows_of_every_kind() -> None:
    kinds = {OBJECTS.sub("", row.url).strip("/").split("/")[0] for row in ROWS}
    assert {"app", "attendance", "classes", "face", "sessions", "students"} <= kinds
    assert len(ROWS) > 40
