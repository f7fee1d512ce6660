"""A photo that comes again, and a student in two rooms."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from accounts import audit
from accounts.models import User
from attendance import evidence, services
from attendance.models import Record, SentPhoto, Status
from attendance.recognition import mark_group, verify
from attendance.tests.factories import at, make_session
from attendance.tests.sent_photos import codes, sent_yesterday, verified
from attendance.undo import last_changes, undo
from classroom.models import Classroom, Student
from classroom.tests.factories import seat
from faces.tests.fakes import photo_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_engine")]

CLEO, DAN, EVA = 1, 2, 3


@pytest.fixture
def cleo(enrolled: list[Student], history: Classroom) -> Student:
    """Sits in maths and in the stranger's history."""
    seat(enrolled[0], history)
    return enrolled[0]


# --- a photo that comes again


def test_a_new_photo_is_not_flagged(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    assert codes(verified(maths, photo_of(CLEO), alice)) == []


def test_the_same_photo_in_a_later_session_is_flagged(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    photo, later = photo_of(CLEO), timezone.now() + dt.timedelta(days=6)
    first = verified(maths, photo, alice)
    second = verified(maths, photo, alice, now=later)
    assert codes(second) == ["photo_sent_before"]
    assert codes(first) == []


def test_after_a_week_the_photo_is_forgotten(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    photo, later = photo_of(CLEO), timezone.now() + dt.timedelta(days=7, minutes=1)
    verified(maths, photo, alice)
    assert codes(verified(maths, photo, alice, now=later)) == []
    SentPhoto.objects.update(sent_at=timezone.now() - dt.timedelta(days=8))
    evidence.forget()
    assert not SentPhoto.objects.exists()


@pytest.mark.parametrize("seconds", [0, 20, 60])
def test_a_second_try_within_a_minute_is_not_flagged(
    maths: Classroom, enrolled: list[Student], alice: User, seconds: int
) -> None:
    photo, now = photo_of(CLEO), at(10)
    record = verified(maths, photo, alice, now=now)
    verify(maths, photo, by=alice, now=now + dt.timedelta(seconds=seconds))
    assert codes(record) == []


def test_sending_on_does_not_prolong_the_minute(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    photo, now = photo_of(CLEO), at(10)
    record = verified(maths, photo, alice, now=now)
    for seconds in (40, 80):
        verify(maths, photo, by=alice, now=now + dt.timedelta(seconds=seconds))
    assert codes(record) == ["photo_sent_before"]


def test_another_users_same_photo_is_flagged_at_once(
    maths: Classroom, enrolled: list[Student], alice: User, admin: User
) -> None:
    photo, now = photo_of(CLEO), at(10)
    record = verified(maths, photo, alice, now=now)
    verify(maths, photo, by=admin, now=now)
    assert codes(record) == ["photo_sent_before"]


def test_a_saved_photo_is_flagged_though_the_camera_has_just_marked(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    saved, now = photo_of(CLEO), at(10)
    verified(maths, saved, alice, now=now - dt.timedelta(days=1))
    record = verified(maths, saved + b"\0", alice, now=now)
    verify(maths, saved, by=alice, now=now)
    assert codes(record) == ["photo_sent_before"]


def test_the_same_photo_an_hour_later_flags_the_line_that_is_there(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    photo, now = photo_of(CLEO), at(10)
    record = verified(maths, photo, alice, now=now)
    again = verify(maths, photo, by=alice, now=now + dt.timedelta(hours=1))
    assert codes(record) == ["photo_sent_before"]
    assert [hint.code for hint in again.hints][-1:] == ["photo_sent_before"]


def test_another_photo_of_the_same_person_is_not_flagged(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    verified(maths, photo_of(CLEO), alice)
    other = photo_of(CLEO) + b"\0"  # what follows the picture changes the bytes
    assert codes(verified(maths, other, alice)) == []


def test_of_a_group_only_the_photo_that_came_before_is_flagged(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    later = timezone.now() + dt.timedelta(days=1)
    mark_group(maths, [photo_of(CLEO)], by=alice)
    mark_group(maths, [photo_of(CLEO), photo_of(DAN, EVA)], by=alice, now=later)
    flagged = Record.objects.exclude(flags=[])
    assert [record.student for record in flagged] == [enrolled[0]]


def test_nothing_of_a_photo_is_kept_but_a_keyed_hash(
    maths: Classroom, enrolled: list[Student], alice: User, settings: Any
) -> None:
    photo = photo_of(CLEO)
    verified(maths, photo, alice)
    kept = SentPhoto.objects.get()
    assert {field.name for field in SentPhoto._meta.fields} == {"digest", "sent_at"}
    assert kept.digest == evidence.digest(photo)
    settings.SECRET_KEY = "another school's"
    assert kept.digest != evidence.digest(photo)


def test_a_photo_that_marked_nobody_leaves_nothing(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    verify(maths, photo_of(99), by=alice)
    assert not SentPhoto.objects.exists()


# --- a student in two rooms


def test_a_student_in_two_rooms_at_once_is_flagged_in_both(
    maths: Classroom,
    history: Classroom,
    cleo: Student,
    alice: User,
    stranger: User,
) -> None:
    first = verified(maths, photo_of(CLEO), alice)
    second = verified(history, photo_of(CLEO) + b"\0", stranger)
    assert codes(first) == codes(second) == ["two_rooms"]
    assert "History" not in first.warnings[0]


def test_two_classes_an_hour_apart_are_no_wonder(
    maths: Classroom,
    history: Classroom,
    cleo: Student,
    alice: User,
    stranger: User,
) -> None:
    now = at(10)
    verified(maths, photo_of(CLEO), alice, now=now)
    later = now + dt.timedelta(hours=1)
    second = verified(history, photo_of(CLEO) + b"\0", stranger, now=later)
    assert codes(second) == []


@pytest.mark.parametrize(("minute", "flags"), [(30, ["two_rooms"]), (52, []), (59, [])])
def test_a_lesson_holds_its_students_until_shortly_before_its_end(
    maths: Classroom,
    history: Classroom,
    cleo: Student,
    alice: User,
    stranger: User,
    minute: int,
    flags: list[str],
) -> None:
    make_session(maths, start=dt.time(9), end=dt.time(10))
    verified(maths, photo_of(CLEO), alice, now=at(9, 1))
    second = verified(history, photo_of(CLEO) + b"\0", stranger, now=at(9, minute))
    assert codes(second) == flags


def test_a_mark_by_hand_puts_nobody_into_a_second_room(
    maths: Classroom,
    history: Classroom,
    cleo: Student,
    alice: User,
    stranger: User,
) -> None:
    services.mark_by_hand(make_session(maths), cleo, status=Status.PRESENT, by=alice)
    assert codes(verified(history, photo_of(CLEO), stranger)) == []


@pytest.mark.django_db(transaction=True)
def test_of_two_rooms_at_the_same_instant_one_sees_the_other(
    maths: Classroom,
    history: Classroom,
    cleo: Student,
    alice: User,
    stranger: User,
) -> None:
    start = threading.Barrier(2)
    faults: list[BaseException] = []

    def mark(classroom: Classroom, by: User) -> None:
        try:
            start.wait()
            services.mark_by_face(classroom, {cleo.pk: 0.9}, by=by)
        except BaseException as error:
            faults.append(error)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=mark, args=pair)
        for pair in ((maths, alice), (history, stranger))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert [codes(record) for record in Record.objects.all()] == [["two_rooms"]] * 2
    assert list(audit.verify()) == []


# --- a person's word, and undo


def test_a_persons_word_ends_the_flags_and_undo_brings_them_back(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    photo = photo_of(CLEO)
    sent_yesterday(photo)
    record = verified(maths, photo, alice)
    services.correct(record, status=Status.PRESENT, by=alice)
    assert codes(record) == []
    session = record.session
    undo(session, last_changes(session, [enrolled[0]]), by=alice)
    assert codes(record) == ["photo_sent_before"]
