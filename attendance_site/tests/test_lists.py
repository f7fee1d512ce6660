"""Lists show what is one's own: a stranger's rows are in none of them."""

from dataclasses import dataclass

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from attendance.models import Record
from attendance.tests.factories import make_record, make_session
from attendance_site.tests.timetable_rows import timetable_names
from classroom.models import Classroom, Student
from conftest import ApiFactory

pytestmark = pytest.mark.django_db

LISTS = [
    "/students",
    "/students?class_id={history}",
    "/students?search=o",
    "/classes",
    "/classes?search=i",
    "/sessions",
    "/sessions?class_id={history}",
    "/attendance/today",
    "/timetable",
    "/timetable?class_id={history}",
    "/absences",
    "/absences?class_id={history}",
]


@dataclass(frozen=True)
class TwoSchools:
    """The same things twice: some are alice's, the others the stranger's."""

    names: dict[str, int]
    hers: set[tuple[str, int]]
    theirs: set[tuple[str, int]]


@pytest.fixture
def two(
    maths: Classroom, history: Classroom, students: list[Student], outsider: Student
) -> TwoSchools:
    sides = []
    for classroom, student in ((maths, students[0]), (history, outsider)):
        record = make_record(make_session(classroom), student)
        sides.append(ids_of(record))
    return TwoSchools({"history": history.pk}, *sides)


def ids_of(record: Record) -> set[tuple[str, int]]:
    planned = timetable_names(record.session.classroom, record.student)
    return {
        ("/timetable", planned["slot"]),
        ("/absences", planned["absence"]),
        ("/students", record.student_id),
        ("/classes", record.session.classroom_id),
        ("/sessions", record.session_id),
        ("/attendance/today", record.pk),
    }


def listed(client: APIClient, url: str) -> set[tuple[str, int]]:
    answer = client.get(url)
    assert answer.status_code == 200
    path = url.split("?")[0]
    return {(path, row["id"]) for row in answer.json()["results"]}


@pytest.mark.parametrize("url", LISTS)
@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_strangers_ids_are_in_no_list(
    api: ApiFactory, two: TwoSchools, alice: User, bob: User, who: str, url: str
) -> None:
    user = {"alice": alice, "bob": bob}[who]
    assert not listed(api(user), url.format(**two.names)) & two.theirs


@pytest.mark.parametrize("url", LISTS)
def test_the_stranger_sees_own_rows_alone(
    api: ApiFactory, two: TwoSchools, stranger: User, url: str
) -> None:
    seen = listed(api(stranger), url.format(**two.names))
    assert seen & two.theirs
    assert not seen & two.hers


def test_the_list_of_teachers_is_for_admins(
    api: ApiFactory, alice: User, stranger: User, admin: User
) -> None:
    assert api(alice).get("/teachers").status_code == 403
    assert ("/teachers", stranger.pk) in listed(api(admin), "/teachers")


def test_every_list_of_the_schema_is_looked_at(client: Client) -> None:
    operations = client.get("/schema").json()["paths"]
    pages = {
        path
        for path, methods in operations.items()
        if "limit"
        in {p.get("name") for p in methods.get("get", {}).get("parameters", [])}
    }
    single_class = {"/attendance/by-class/{class_id}"}  # in the table: 404 for others
    everybodys = {"/closures", "/reports/rules"}  # the school's calendar and its rules
    own = {url.split("?")[0] for url in LISTS}
    assert pages == own | single_class | everybodys | {"/teachers"}


def test_a_page_names_no_class_of_a_stranger(
    client: Client, two: TwoSchools, alice: User
) -> None:
    client.force_login(alice)
    shown = client.get("/app/").content.decode()
    assert "Maths" in shown
    assert "History" not in shown
