"""/app/: today's classes, how far each register is, and what is missing."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance import services
from attendance.models import Status
from attendance.tests.factories import make_record, make_session
from attendance.views import CLASSES_A_PAGE, ClassToday
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_class, make_student
from faces.tests.factories import make_template

pytestmark = pytest.mark.django_db


def lines(client: Client, user: User, **query: Any) -> list[ClassToday]:
    client.force_login(user)
    answer = client.get("/app/", query)
    assert answer.status_code == 200
    found: list[ClassToday] = answer.context["lines"]
    return found


def test_it_counts_who_is_here_and_who_is_missing(
    client: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths)
    make_record(session, students[0])
    make_record(session, students[1], Status.ABSENT)
    (line,) = lines(client, alice)
    assert (line.present, line.students, line.missing) == (1, 3, 1)
    assert line.session == session


def test_late_is_here(
    client: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    make_record(make_session(maths), students[0], Status.LATE)
    assert lines(client, alice)[0].present == 1


def test_yesterday_does_not_count(
    client: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    make_record(make_session(maths, date=days(-1)), students[0])
    (line,) = lines(client, alice)
    assert (line.present, line.session) == (0, None)


def test_of_two_lessons_the_last_one_is_shown_and_the_other_linked(
    client: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    first = make_session(maths, start=dt.time(0, 1), end=dt.time(0, 2))
    last = make_session(maths, start=dt.time(0, 3), end=dt.time(0, 4))
    make_record(first, students[0])
    (line,) = lines(client, alice)
    assert (line.session, line.earlier, line.present) == (last, [first], 0)


def test_it_says_who_has_no_face_enrolled(
    client: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    make_template(students[0], 1)
    assert lines(client, alice)[0].not_enrolled == 2


def test_a_closed_session_is_called_closed(
    client: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    services.close(make_session(maths), by=alice)
    client.force_login(alice)
    page = client.get("/app/").content.decode()
    assert "Closed" in page
    assert "Not begun" not in page


def test_a_stranger_sees_own_classes_alone(
    client: Client, stranger: User, maths: Classroom, history: Classroom
) -> None:
    assert [line.classroom for line in lines(client, stranger)] == [history]


def test_a_substitute_sees_the_class(client: Client, bob: User) -> None:
    assert [line.classroom.class_name for line in lines(client, bob)] == ["Maths"]


def test_archived_classes_are_out_of_the_way(
    client: Client, alice: User, admin: User, maths: Classroom
) -> None:
    maths.archived_at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    maths.save()
    assert lines(client, alice) == lines(client, admin) == []


def test_nobody_is_told_what_to_do_without_a_class(client: Client, bob: User) -> None:
    make_user_without = bob
    bob.accesses.all().delete()
    client.force_login(make_user_without)
    page = client.get("/app/").content.decode()
    assert "You have no classes yet" in page


def test_an_admin_finds_a_class_by_name_or_code(
    client: Client, admin: User, maths: Classroom, history: Classroom
) -> None:
    assert [x.classroom for x in lines(client, admin, q="his-1")] == [history]
    assert [x.classroom for x in lines(client, admin, q="math")] == [maths]
    assert lines(client, admin, q="chess") == []


def test_an_admin_chooses_a_school_year(
    client: Client, admin: User, alice: User, maths: Classroom
) -> None:
    old = make_class("Latin", alice, school_year="2019/20")
    assert [x.classroom for x in lines(client, admin, year="2019/20")] == [old]


def test_a_teachers_words_search_nothing(
    client: Client, alice: User, maths: Classroom
) -> None:
    assert len(lines(client, alice, q="chess")) == 1


def test_many_classes_come_in_pages_that_keep_the_search(
    client: Client, admin: User, alice: User
) -> None:
    for number in range(CLASSES_A_PAGE + 1):
        make_class("Chess", alice, class_code=f"CHE-{number:02}")
    client.force_login(admin)
    first = client.get("/app/", {"q": "chess"})
    assert len(first.context["lines"]) == CLASSES_A_PAGE
    assert "?q=chess&amp;year=&amp;page=2" in first.content.decode()
    assert len(lines(client, admin, q="chess", page=2)) == 1


@pytest.mark.parametrize("classes", [1, 5])
def test_it_costs_the_same_however_many_classes_there_are(
    client: Client,
    alice: User,
    classes: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(classes):
        room = make_class(f"Class {number}", alice)
        session = make_session(room)
        for _ in range(4):
            make_record(session, make_student("Somebody", room))
    client.force_login(alice)
    # session, user, count, classes, timetable, seats, today's sessions, records
    with django_assert_num_queries(8):
        client.get("/app/")
