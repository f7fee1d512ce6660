"""A photo that comes again, a student in two rooms, and why somebody was marked."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.audit_models import AuditEntry
from accounts.models import User
from attendance import evidence, services
from attendance.models import Record, SentPhoto, Session, Source, Status
from attendance.recognition import mark_group, verify
from attendance.tests.factories import at, make_session
from attendance.undo import last_changes, undo
from classroom.models import Classroom, Student
from classroom.tests.factories import seat
from conftest import ApiFactory
from faces import runtime
from faces.tests.factories import make_template
from faces.tests.fakes import photo_of
from faces.tests.photos import upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_engine")]

CLEO, DAN, EVA = 1, 2, 3


@pytest.fixture
def enrolled(students: list[Student]) -> list[Student]:
    for person, student in enumerate(students, start=1):
        make_template(student, person)
    return students


@pytest.fixture
def cleo(enrolled: list[Student], history: Classroom) -> Student:
    """Sits in maths and in the stranger's history."""
    seat(enrolled[0], history)
    return enrolled[0]


def codes(record: Record) -> list[str]:
    record.refresh_from_db()
    return [flag["code"] for flag in record.flags]


def verified(classroom: Classroom, photo: bytes, by: User, **more: Any) -> Record:
    answer = verify(classroom, photo, by=by, **more)
    assert answer.recognised is not None
    return answer.recognised.mark.record


def sent_yesterday(photo: bytes) -> None:
    yesterday = timezone.now() - dt.timedelta(days=1)
    SentPhoto.objects.create(digest=evidence.digest(photo), sent_at=yesterday)


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


# --- the audit log and "why was I marked?"


def test_the_log_has_the_figures_of_each_match(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    record = verified(maths, photo_of(CLEO), alice)
    entry = AuditEntry.objects.about(enrolled[0]).get()
    assert (entry.event, entry.actor) == ("matched", alice)
    assert entry.details == {
        "record": record.pk,
        "session": record.session_id,
        "status": "present",
        "model": runtime.active_model_id(),
        "similarity": 1,
        "threshold": round(runtime.threshold(), 4),
        "margin": 1,
        "margin_needed": round(runtime.margin(), 4),
        "runner_up": None,
        "flags": [],
    }
    assert list(audit.verify()) == []


def test_the_log_has_corrections_and_matches_that_were_taken_back(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    record = verified(maths, photo_of(CLEO), alice)
    services.correct(record, status=Status.LATE, note="Bus", by=alice)
    entry = AuditEntry.objects.filter(event="corrected").get()
    assert entry.details["was"] == "present"
    assert entry.details["status"] == "late"
    assert "Bus" not in str(entry.details)
    other = verified(maths, photo_of(DAN), alice)
    services.reject_match(other, instead=enrolled[2], by=alice)
    entry = AuditEntry.objects.filter(event="rejected").get()
    assert (entry.subject_id, entry.details["instead"]) == (
        enrolled[1].pk,
        enrolled[2].pk,
    )


def test_a_mark_that_fails_leaves_nothing_in_the_log(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    session = make_session(maths, closed_at=timezone.now())
    with pytest.raises(services.SessionClosed):
        services.mark_by_face(
            maths, {enrolled[0].pk: 0.9}, by=alice, session_id=session.pk
        )
    assert not AuditEntry.objects.exists()


def test_the_api_says_why_and_shows_flags(
    api: ApiFactory, maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    body = {"class_id": maths.pk}
    client = api(alice)
    photo = photo_of(CLEO)
    sent_yesterday(photo)
    told = client.post("/face/verify", body | {"file": upload(photo)}).json()
    assert [flag["code"] for flag in told["attendance"]["flags"]] == [
        "photo_sent_before"
    ]
    assert "photo_sent_before" in [hint["code"] for hint in told["hints"]]
    number = told["attendance"]["id"]
    record = client.get(f"/attendance/{number}").json()
    assert record["flags"] == told["attendance"]["flags"]
    why = client.get(f"/attendance/{number}/why").json()
    assert why["source"] == "face"
    assert why["why"]["similarity"] == 1
    assert why["why"]["model_id"] == runtime.active_model_id()
    assert why["flags"] == record["flags"]


def test_a_line_by_hand_has_no_why(
    api: ApiFactory, maths: Classroom, students: list[Student], alice: User
) -> None:
    line = services.mark_by_hand(
        make_session(maths), students[0], status=Status.LATE, by=alice
    )
    why = api(alice).get(f"/attendance/{line.pk}/why").json()
    assert why == {"source": "manual", "why": None, "flags": []}


def test_the_pages_show_why_and_the_flags(
    client: Client, maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    photo = photo_of(CLEO)
    sent_yesterday(photo)
    record = verified(maths, photo, alice)
    client.force_login(alice)
    said = "The same photo was sent before"
    take = client.get(reverse("take", args=[maths.pk])).content.decode()
    assert "Please check" in take
    assert said in take
    line = reverse("session", args=[record.session_id]) + f"?line={enrolled[0].pk}"
    drawer = client.get(line).content.decode()
    assert said in drawer
    assert "Why this mark?" in drawer
    assert runtime.active_model_id() in drawer
    student = reverse("student-page", args=[enrolled[0].pk])
    assert said in client.get(student).content.decode()


def test_the_admin_shows_and_finds_flagged_lines(
    client: Client, admin: User, maths: Classroom, enrolled: list[Student]
) -> None:
    photo = photo_of(CLEO)
    sent_yesterday(photo)
    record = verified(maths, photo, admin)
    verified(maths, photo_of(DAN), admin)
    client.force_login(admin)
    page = client.get(f"/admin/attendance/record/{record.pk}/change/")
    assert "The same photo was sent before" in page.content.decode()
    assert runtime.active_model_id() in page.content.decode()
    found = client.get("/admin/attendance/record/?flagged=yes")
    assert list(found.context["cl"].result_list) == [record]


def test_closing_and_reopening_are_in_the_log(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    session: Session = make_session(maths)
    services.close(session, by=alice)
    services.reopen(session, by=alice)
    entries = AuditEntry.objects.about(session).order_by("number")
    assert [entry.details["what"] for entry in entries] == ["closed", "reopened"]
    assert Record.objects.filter(source=Source.RULE).count() == len(students)
