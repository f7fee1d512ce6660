"""The reports as pages: whose they are, what they say, and how they stay small."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance import report_views
from attendance.models import AbsenceRule, Session, Status
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_class, make_student, seat

pytestmark = pytest.mark.django_db

DEFINITION = "Excused and not yet marked lines are left out"


def read(client: Client, user: User, url: str, **query: str) -> str:
    client.force_login(user)
    answer = client.get(url, query)
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode()


@pytest.fixture
def lived_in(maths: Classroom, students: list[Student]) -> Session:
    """Three days of maths: Cleo is there, Dan is absent, Eva is late."""
    for ago in (3, 2, 1):
        session = make_session(maths, date=days(-ago), start=dt.time(9))
        make_record(session, students[0])
        make_record(session, students[1], Status.ABSENT)
        make_record(session, students[2], Status.LATE)
    return session


def pages(session: Session, student: Student) -> list[str]:
    of_class = f"/app/reports/classes/{session.classroom_id}/"
    return [
        "/app/reports/",
        "/app/reports/absences/",
        of_class,
        f"{of_class}sessions/",
        f"{of_class}grid/",
        f"/app/reports/sessions/{session.pk}/",
        f"/app/reports/students/{student.pk}/",
    ]


def test_the_definition_stands_beside_each_rate(
    client: Client, alice: User, lived_in: Session, students: list[Student]
) -> None:
    for url in pages(lived_in, students[0]):
        if not url.endswith(("absences/", "grid/")):
            assert DEFINITION in read(client, alice, url), url


def test_a_class_report_names_rates_and_who_was_missing_too_often(
    client: Client, alice: User, lived_in: Session
) -> None:
    page = read(client, alice, f"/app/reports/classes/{lived_in.classroom_id}/")
    assert "67 %" in page
    assert "Absent on 3 days within 14 days" in page
    assert page.count("Dan Dietz") == 2  # on the list and in the table


def test_the_lowest_rate_comes_first_where_it_is_asked_for(
    client: Client, alice: User, lived_in: Session
) -> None:
    url = f"/app/reports/classes/{lived_in.classroom_id}/"
    by_name = read(client, alice, url).rpartition("<tbody>")[2]
    by_rate = read(client, alice, url, sort="rate").rpartition("<tbody>")[2]
    assert by_name.index("Cleo Castro") < by_name.index("Dan Dietz")
    assert by_rate.index("Dan Dietz") < by_rate.index("Cleo Castro")


def test_a_grid_has_a_letter_a_student_and_session(
    client: Client, alice: User, lived_in: Session, maths: Classroom
) -> None:
    mover = make_student("Mia Mover")
    seat(mover, maths, starts_on=days(-1))
    page = read(client, alice, f"/app/reports/classes/{maths.pk}/grid/")
    line = page.partition("Mia Mover")[2].partition("</tr>")[0]
    assert [line.count(cell) for cell in ("<td>–</td>", "<td>?</td>")] == [2, 1]
    assert page.count('<td class="p">P</td>') == 3


def test_a_list_that_is_too_long_to_read_leads_to_the_whole_one(
    client: Client,
    alice: User,
    lived_in: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    AbsenceRule.objects.update(late=True)  # so that Eva is on it, too
    monkeypatch.setattr(report_views, "SHORT_LIST", 1)
    assert "Show all 2" in read(client, alice, "/app/reports/")
    assert "the files hold all" not in read(client, alice, "/app/reports/absences/")
    monkeypatch.setattr(report_views, "WHOLE_LIST", 1)
    page = read(client, alice, "/app/reports/absences/")
    assert "The first 1 of 2 are shown; the files hold all." in page


def test_a_long_grid_begins_with_its_latest_sessions(
    client: Client,
    alice: User,
    lived_in: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report_views, "GRID_SESSIONS", 2)
    url = f"/app/reports/classes/{lived_in.classroom_id}/grid/"
    latest, older = read(client, alice, url), read(client, alice, url, part="2")
    for page, ago in ((latest, (2, 1)), (older, (3,))):
        heads = [days(-number).strftime("%d.%m.") for number in ago]
        assert page.count('<th scope="col"><a') == len(heads)
        assert all(head in page for head in heads)


def test_a_session_report_groups_by_status(
    client: Client, alice: User, lived_in: Session, maths: Classroom
) -> None:
    make_student("Nic New", maths)
    page = read(client, alice, f"/app/reports/sessions/{lived_in.pk}/")
    order = [page.index(name) for name in ("Dan Dietz", "Eva Evans", "Cleo Castro")]
    assert order == sorted(order)
    assert page.partition("s-unmarked")[2].count("Nic New") == 1


def test_a_student_report_lists_what_was_missed_and_warns(
    client: Client, alice: User, lived_in: Session, students: list[Student]
) -> None:
    page = read(client, alice, f"/app/reports/students/{students[1].pk}/")
    assert page.count("badge--absent") == 3
    assert "Absent on 3 days within 14 days:" in page
    praised = read(client, alice, f"/app/reports/students/{students[0].pk}/")
    assert "Present every time." in praised


def test_an_admin_reads_the_school_and_a_teacher_the_own_classes(
    client: Client, admin: User, alice: User, lived_in: Session, history: Classroom
) -> None:
    assert "History" in read(client, admin, "/app/reports/")
    assert "History" not in read(client, alice, "/app/reports/")


def test_a_stranger_reads_no_name_of_another_class(
    client: Client,
    stranger: User,
    lived_in: Session,
    outsider: Student,
    students: list[Student],
) -> None:
    names = [student.full_name for student in students]
    for url in ("/app/reports/", "/app/reports/absences/"):
        page = read(client, stranger, url)
        assert not [name for name in ("Maths", *names) if name in page]
    for url in pages(lived_in, students[1])[2:]:
        assert client.get(url).status_code == 404


def test_whoever_left_is_named_and_not_linked_to(
    client: Client, alice: User, admin: User, maths: Classroom
) -> None:
    left = make_student("Leo Left")
    seat(left, maths, ends_on=days(-1))
    for ago in (4, 3, 2):
        make_record(make_session(maths, date=days(-ago)), left, Status.ABSENT)
    link = f"/app/reports/students/{left.pk}/"
    for url in (f"/app/reports/classes/{maths.pk}/", "/app/reports/absences/"):
        page = read(client, alice, url)
        assert "Leo Left" in page
        assert link not in page
        assert link in read(client, admin, url)


def test_the_last_thirty_days_are_shown_where_nobody_asked(
    client: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    seat(students[0], make_class("Physics", alice), starts_on=days(-90))
    make_session(maths, date=days(-30))
    url = f"/app/reports/classes/{maths.pk}/"
    assert "no sessions in this period" in read(client, alice, url)
    assert DEFINITION in read(client, alice, url, start="", end="")
    assert DEFINITION in read(client, alice, url, start=f"{days(-30)}")


def test_a_period_that_ends_before_it_begins_is_said(
    client: Client, alice: User, maths: Classroom
) -> None:
    client.force_login(alice)
    url = f"/app/reports/classes/{maths.pk}/"
    answer = client.get(url, {"start": "2026-03-02", "end": "2026-03-01"})
    assert answer.status_code == 400
    assert "The last day is before the first." in answer.content.decode()


def test_a_teacher_without_classes_and_a_school_without_are_told_so(
    client: Client, admin: User
) -> None:
    assert "There are no classes yet." in read(client, admin, "/app/reports/")
    assert "Absence rules" in read(client, admin, "/app/reports/rules/")


def test_an_admin_adds_changes_and_removes_a_rule(client: Client, admin: User) -> None:
    client.force_login(admin)
    AbsenceRule.objects.all().delete()
    assert "no rule" in read(client, admin, "/app/reports/absences/")
    form = {"times": "5", "days": "7", "late": "on"}
    client.post("/app/reports/rules/", form)
    rule = AbsenceRule.objects.get()
    assert str(rule) == "Late 5 times within 7 days"
    url = f"/app/reports/rules/{rule.pk}/"
    client.post(url, {**form, "times": "1", "absent": "on"})
    rule.refresh_from_db()
    assert str(rule) == "Absent or late 1 time within 7 days"
    client.post(f"{url}remove/")
    assert not AbsenceRule.objects.exists()


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"times": "3", "days": "7"}, "Choose at least one status that counts."),
        (
            {"times": "9", "days": "7", "absent": "on", "per_day": "on"},
            "That many days don&#x27;t fit",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_a_word(
    client: Client, admin: User, form: dict[str, str], fault: str
) -> None:
    client.force_login(admin)
    answer = client.post("/app/reports/rules/", form)
    assert answer.status_code == 400
    assert fault in answer.content.decode()
    assert AbsenceRule.objects.count() == 1


# The login takes two queries: the session and the user. `followed` takes five: the
# rules, their lines, the students, the classes, and whose page the user may open.
QUERIES = {
    # The counts take three: the lines by session, the sessions, the classes.
    "school": 2 + 3 + 5,
    "absences": 2 + 5,
    # The class, then a grid in four: sessions, records, seats, students.
    "class": 2 + 1 + 4 + 5,
    "sessions": 2 + 1 + 4,
    "grid": 2 + 1 + 4,
    # The session with its class, then the register: roster, records, plans.
    "session": 2 + 1 + 3,
    # The student, the report in three, the lists without the question whose they are.
    "student": 2 + 1 + 3 + 4,
}


@pytest.mark.parametrize("size", [1, 8])
@pytest.mark.parametrize("place", range(len(QUERIES)), ids=QUERIES)
def test_a_report_takes_as_many_queries_for_one_row_as_for_many(
    client: Client,
    alice: User,
    maths: Classroom,
    size: int,
    place: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(size):
        student = make_student(f"Student {number}", maths)
        other = make_class(f"Class {number}", alice)
        seat(student, other)
        for ago in (3, 2, 1):
            session, _new = Session.objects.get_or_create(
                classroom=maths, date=days(-ago)
            )
            make_record(session, student, Status.ABSENT)
            make_session(other, date=days(-ago))
    client.force_login(alice)
    url = pages(session, student)[place]
    client.get(url)
    with django_assert_num_queries(list(QUERIES.values())[place]):
        answer: Any = client.get(url)
    assert answer.status_code == 200
