"""Faces that must not be kept any longer go by themselves, in time and once."""

import datetime as dt
import io

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from accounts import queue
from accounts.models import User
from classroom.consent_models import ErasureReceipt
from classroom.consents import Answer, give, say_no
from classroom.models import Classroom, Enrollment, Student
from classroom.rosters import enrol
from classroom.tests.factories import days, seat
from faces import retention
from faces.models import FaceTemplate
from faces.tests.factories import make_template

pytestmark = pytest.mark.django_db


@pytest.fixture
def enrolled(students: list[Student]) -> list[Student]:
    """The three students of maths, each with a face of half a year ago."""
    for person, student in enumerate(students, start=1):
        make_template(student, person)
    FaceTemplate.objects.update(created_at=timezone.now() - dt.timedelta(180))
    return students


@pytest.fixture
def grace(settings: Settings) -> int:
    settings.FACE_RETENTION_DAYS = 30
    return 30


def leave(student: Student, days_ago: int) -> None:
    Enrollment.objects.filter(student=student).update(
        starts_on=days(-200), ends_on=days(-days_ago)
    )


def due() -> dict[Student, str]:
    return {one.student: one.reason.value for one in retention.due()}


def with_faces() -> set[Student]:
    return {template.student for template in FaceTemplate.objects.all()}


def consent(student: Student, by: User, until: int | None = None) -> None:
    last = None if until is None else days(until)
    give(
        student,
        Answer(given_by="Carla Castro", given_on=days(-99), until=last),
        by=by,
    )


# --- leaving --------------------------------------------------------------------------


@pytest.mark.parametrize(("days_ago", "goes"), [(29, False), (30, True), (99, True)])
def test_a_leavers_face_goes_after_the_days_of_grace(
    enrolled: list[Student], grace: int, days_ago: int, goes: bool
) -> None:
    leave(enrolled[0], days_ago)
    assert due() == ({enrolled[0]: "left"} if goes else {})


def test_a_seat_elsewhere_or_in_the_future_keeps_it(
    enrolled: list[Student], history: Classroom, grace: int
) -> None:
    for student in enrolled[:2]:
        leave(student, 99)
    seat(enrolled[0], history)
    seat(enrolled[1], history, starts_on=days(20))
    assert due() == {}


def test_an_archived_class_counts_from_the_day_it_was_archived(
    enrolled: list[Student], maths: Classroom, grace: int
) -> None:
    maths.archived_at = timezone.now() - dt.timedelta(29)
    maths.save()
    assert due() == {}
    maths.archived_at = timezone.now() - dt.timedelta(31)
    maths.save()
    assert set(due()) == set(enrolled)


def test_a_face_that_was_enrolled_after_leaving_has_its_days_too(
    enrolled: list[Student], grace: int
) -> None:
    leave(enrolled[0], 99)
    make_template(enrolled[0], 9)
    assert due() == {}


def test_who_never_had_a_class_is_counted_from_the_enrolment(
    enrolled: list[Student], grace: int
) -> None:
    Enrollment.objects.filter(student=enrolled[0]).delete()
    assert due() == {enrolled[0]: "left"}


# --- consent --------------------------------------------------------------------------


def test_an_expired_consent_deletes_only_where_consent_is_required(
    enrolled: list[Student], alice: User, settings: Settings
) -> None:
    consent(enrolled[0], alice, until=-1)
    consent(enrolled[1], alice, until=0)
    assert due() == {}
    settings.FACE_CONSENT = "require"
    assert due() == {enrolled[0]: "expiry"}


def test_who_was_never_asked_is_left_out_but_not_deleted(
    enrolled: list[Student], settings: Settings
) -> None:
    settings.FACE_CONSENT = "require"
    assert due() == {}
    assert "3 enrolled students have no consent" in said()


@pytest.mark.parametrize("mode", ["off", "warn", "require"])
def test_a_face_that_came_back_after_a_no_goes_again(
    enrolled: list[Student], alice: User, settings: Settings, mode: str
) -> None:
    settings.FACE_CONSENT = mode
    say_no(enrolled[0], said_by="Cleo", by=alice)
    assert due() == {enrolled[0]: "withdrawal"}


# --- the run --------------------------------------------------------------------------


def said(*options: str) -> str:
    out = io.StringIO()
    call_command("retention_run", *options, stdout=out)
    return out.getvalue()


def test_it_lists_first_and_deletes_only_when_told(
    enrolled: list[Student], grace: int
) -> None:
    leave(enrolled[0], 99)
    first = said()
    assert str(enrolled[0]) in first and "Nothing was deleted" in first
    assert len(with_faces()) == 3
    assert "with a receipt each: 1" in said("--delete")
    assert with_faces() == set(enrolled[1:])


def test_a_second_run_finds_nothing_left(enrolled: list[Student], grace: int) -> None:
    leave(enrolled[0], 99)
    assert len(retention.run()) == 1
    assert retention.run() == []
    (receipt,) = ErasureReceipt.objects.all()
    assert (receipt.reason, receipt.created_by) == ("left", None)
    assert receipt.student == enrolled[0]


def test_who_is_seated_again_meanwhile_keeps_the_face(
    enrolled: list[Student],
    history: Classroom,
    grace: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave(enrolled[0], 99)
    listed = retention.due()
    enrol(history, [enrolled[0]])
    monkeypatch.setattr(retention, "due", lambda today: listed)
    assert retention.run() == []
    assert len(with_faces()) == 3


def test_the_leaver_stays_in_the_register(
    enrolled: list[Student], maths: Classroom, grace: int
) -> None:
    leave(enrolled[0], 99)
    retention.run()
    assert enrolled[0] in Student.objects.in_class(maths.pk, on=days(-150))


def test_a_worker_does_it_every_hour() -> None:
    assert queue._periodic["faces.retention.hourly"] == (60, "faces.retention.hourly")
