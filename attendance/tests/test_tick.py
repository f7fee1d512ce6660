"""The tick does what is due, once, whoever runs it and however late."""

import datetime as dt
from contextlib import AbstractContextManager
from io import StringIO
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from attendance import services
from attendance.evidence_models import SentPhoto
from attendance.models import Record, Session, Source, Status
from attendance.tests.factories import at, make_record, make_session
from attendance.tests.plans import excuse, make_slot
from attendance.tests.test_races import CLIENTS, all_at_once
from attendance.tick import tick
from classroom.consent_models import ErasureReceipt
from classroom.models import Classroom, Enrollment, Student
from classroom.tests.factories import days
from faces.models import FaceTemplate
from faces.tests.factories import make_template

pytestmark = pytest.mark.django_db

NINE, TEN, ELEVEN = dt.time(9), dt.time(10), dt.time(11)


def on_the_clock(moment: dt.datetime) -> AbstractContextManager[object]:
    """Let a person act at a moment: rows remember when they were made."""
    return patch.object(timezone, "now", return_value=moment)


def is_open(session: Session) -> bool:
    session.refresh_from_db()
    return session.is_open


# --- Opening and closing


def test_a_day_of_the_timetable_opens_and_closes_by_itself(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    make_slot(maths, days(0))
    excuse(students[1], by=alice)
    assert tick(at(8)).opened == 1
    session = Session.objects.get()
    make_record(session, students[0])
    assert tick(at(9, 59)).closed == 0
    assert tick(at(10)).closed == 1
    lines = Record.objects.filter(session=session)
    found = lines.values_list("student__pk", "status")
    assert dict(found) == {
        students[0].pk: Status.PRESENT,
        students[1].pk: Status.EXCUSED,
        students[2].pk: Status.ABSENT,
    }


def test_nobody_closed_it_and_its_history_says_why(
    maths: Classroom, students: list[Student]
) -> None:
    make_slot(maths, days(0))
    tick(at(8))
    tick(at(10))
    session = Session.objects.get()
    newest = session.history.first()
    assert newest.history_user is None
    assert newest.history_change_reason == "Closed at its end"
    line = Record.objects.filter(session=session)[0]
    assert (line.source, line.marked_by) == (Source.RULE, None)


def test_a_second_run_does_nothing(maths: Classroom, students: list[Student]) -> None:
    make_slot(maths, days(0))
    tick(at(8))
    tick(at(10))
    before = Record.history.count(), Session.history.count()
    again = tick(at(10))
    assert (again.opened, again.closed, again.excused) == (0, 0, 0)
    assert (Record.history.count(), Session.history.count()) == before


def test_after_days_off_it_catches_up(
    maths: Classroom, students: list[Student]
) -> None:
    make_slot(maths, days(-7), made_until=days(-8))
    done = tick(at(9, 30))
    assert (done.opened, done.closed) == (2, 1)
    assert Record.objects.filter(status=Status.ABSENT).count() == 3
    assert Session.objects.get(closed_at__isnull=True).date == days(0)


def test_an_ad_hoc_session_closes_at_the_end_of_its_day(
    maths: Classroom, students: list[Student]
) -> None:
    with on_the_clock(at(12)):
        session = make_session(maths)
    tick(at(23, 59))
    assert is_open(session)
    tick(at(0, 0, day=days(1)))
    assert not is_open(session)


def test_a_session_of_tomorrow_is_left_alone(maths: Classroom) -> None:
    session = make_session(maths, date=days(1), start=NINE, end=TEN)
    tick(at(23))
    assert is_open(session)


def test_a_lesson_past_midnight_stays_open_until_its_end(maths: Classroom) -> None:
    make_slot(maths, days(0), start=dt.time(22), end=dt.time(1))
    tick(at(21))
    session = Session.objects.get()
    tick(at(0, 59, day=days(1)))
    assert is_open(session)
    tick(at(1, 0, day=days(1)))
    assert not is_open(session)


# --- What a person opened


def test_a_session_that_was_reopened_after_its_end_stays_open_for_the_day(
    maths: Classroom, alice: User
) -> None:
    make_slot(maths, days(0))
    tick(at(8))
    tick(at(10))
    session = Session.objects.get()
    with on_the_clock(at(11)):
        services.reopen(session, by=alice)
    tick(at(11, 1))
    tick(at(23, 59))
    assert is_open(session)
    tick(at(0, 0, day=days(1)))
    assert not is_open(session)


def test_a_session_that_was_reopened_before_its_end_closes_at_its_end(
    maths: Classroom, alice: User
) -> None:
    make_slot(maths, days(0))
    tick(at(8))
    session = Session.objects.get()
    with on_the_clock(at(9, 10)):
        services.close(session, by=alice)
        services.reopen(session, by=alice)
    tick(at(9, 59))
    assert is_open(session)
    tick(at(10))
    assert not is_open(session)


def test_reopening_leaves_a_trace(maths: Classroom, alice: User) -> None:
    session = services.close(make_session(maths), by=alice)
    services.reopen(session, by=alice)
    told = list(
        session.history.values_list("history_change_reason", "history_user")[:2]
    )
    assert told == [("Reopened", alice.pk), ("Closed", alice.pk)]


def test_a_past_session_that_is_entered_today_waits_for_its_marks(
    maths: Classroom, alice: User
) -> None:
    with on_the_clock(at(12)):
        session = make_session(maths, date=days(-3), start=NINE, end=TEN)
    tick(at(12, 1))
    assert is_open(session)
    tick(at(0, 0, day=days(1)))
    assert not is_open(session)


# --- Two at once


@pytest.mark.django_db(transaction=True)
def test_many_machines_at_once_write_each_line_once(
    maths: Classroom, students: list[Student]
) -> None:
    make_slot(maths, days(0))
    assert len(all_at_once(lambda: tick(at(8)))) == CLIENTS  # none of them failed
    assert Session.objects.count() == 1
    assert len(all_at_once(lambda: tick(at(10)))) == CLIENTS
    assert Record.objects.count() == len(students)
    assert Record.history.count() == len(students)
    closings = Session.history.filter(history_change_reason="Closed at its end")
    assert closings.count() == 1


# --- The command


def test_the_command_says_what_it_did(
    maths: Classroom, students: list[Student]
) -> None:
    make_slot(maths, days(0), start=dt.time(0), end=dt.time(0, 1))
    said = StringIO()
    call_command("attendance_tick", stdout=said)
    assert said.getvalue() == "Opened 1, closed 1, excused 0, deleted faces 0.\n"


def test_the_command_deletes_the_face_of_a_leaver_once_and_nobody_elses(
    maths: Classroom, students: list[Student], settings: Settings
) -> None:
    settings.FACE_RETENTION_DAYS = 30
    for person, student in enumerate(students, start=1):
        make_template(student, person)
    half_a_year_ago = timezone.now() - dt.timedelta(180)
    FaceTemplate.objects.update(created_at=half_a_year_ago)
    Enrollment.objects.filter(student=students[0]).update(
        starts_on=days(-200), ends_on=days(-31)
    )
    SentPhoto.objects.create(digest="1" * 64, sent_at=half_a_year_ago)
    said = StringIO()
    for _ in range(2):
        call_command("attendance_tick", stdout=said)
    first, second = said.getvalue().splitlines()
    assert first.endswith("deleted faces 1.")
    assert second.endswith("deleted faces 0.")
    kept = {template.student for template in FaceTemplate.objects.all()}
    assert kept == set(students[1:])
    assert ErasureReceipt.objects.get().student == students[0]
    assert not SentPhoto.objects.exists()
