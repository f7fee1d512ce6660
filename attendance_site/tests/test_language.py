"""Pages speak the user's language and show the user's time; the API stays English."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation
from django.utils.formats import date_format
from pytest_django import Settings

from accounts.models import User
from attendance.models import Record
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from conftest import ApiFactory

pytestmark = pytest.mark.django_db

SPANISH = {"accept-language": "es-PE,es;q=0.9"}


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def prefers(user: User, **fields: str) -> None:
    User.objects.filter(pk=user.pk).update(**fields)


def page(client: Client, url: str = "/app/", **extra: Any) -> str:
    return str(client.get(url, **extra).content.decode())


def test_nobodys_page_speaks_the_browsers_language(client: Client) -> None:
    answer = client.get("/accounts/login/", headers=SPANISH)
    assert '<html lang="es" dir="ltr">' in answer.content.decode()
    assert answer.headers["Content-Language"] == "es"
    assert "Accept-Language" in answer.headers["Vary"]


def test_a_language_nobody_translated_falls_back_to_english(client: Client) -> None:
    text = page(client, "/accounts/login/", headers={"accept-language": "tlh"})
    assert '<html lang="en"' in text


def test_the_users_choice_wins_over_the_browser(signed_in: Client, alice: User) -> None:
    prefers(alice, language="ar")
    assert '<html lang="ar" dir="rtl">' in page(signed_in, headers=SPANISH)


def test_a_language_that_is_gone_leaves_the_browsers(
    signed_in: Client, alice: User
) -> None:
    prefers(alice, language="xx")
    assert '<html lang="es"' in page(signed_in, headers=SPANISH)


def test_the_api_speaks_english_whatever_is_asked_for(
    alice: User, api: ApiFactory
) -> None:
    prefers(alice, language="es")
    answer = api(alice).get("/students/999", headers=SPANISH)
    assert answer.json()["detail"] == "There is nothing here."
    assert answer.headers["Content-Language"] == "en"


def test_a_page_of_a_fault_speaks_the_users_language(
    signed_in: Client, alice: User
) -> None:
    prefers(alice, language="es")
    answer = signed_in.get("/app/classes/999/")
    assert answer.status_code == 404
    assert "Aquí no hay nada." in answer.content.decode()


def test_a_request_leaves_no_language_or_time_zone_behind(
    signed_in: Client, alice: User
) -> None:
    prefers(alice, language="ar", time_zone="Asia/Tokyo")
    page(signed_in)
    assert translation.get_language() == "en"
    assert timezone.get_current_timezone_name() == "UTC"


@pytest.fixture
def record(maths: Classroom, students: list[Student]) -> Record:
    """A line of yesterday's register that was written at half past eleven at night."""
    day = timezone.localdate() - dt.timedelta(days=1)
    written = make_record(make_session(maths, date=day), students[0])
    moment = dt.datetime.combine(day, dt.time(23, 30), tzinfo=dt.UTC)
    Record.objects.update(marked_at=moment)
    return written


def student_page(record: Record) -> str:
    return f"/app/students/{record.student_id}/"


@pytest.mark.parametrize(
    ("zone", "time"),
    [("", "11:30 p.m."), ("Asia/Tokyo", "8:30 a.m."), ("Mars/Olympus", "11:30 p.m.")],
)
def test_moments_are_shown_in_the_users_time_zone(
    signed_in: Client, alice: User, record: Record, zone: str, time: str
) -> None:
    prefers(alice, time_zone=zone)
    assert time in page(signed_in, student_page(record))


def test_what_is_today_stays_the_schools_own(
    signed_in: Client, alice: User, maths: Classroom, students: list[Student]
) -> None:
    # One of the two is always on another day than the school.
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        prefers(alice, time_zone=zone)
        url = f"/app/classes/{maths.pk}/students/{students[0].pk}"
        signed_in.post(f"{url}/take-out/")
        seat = students[0].enrollments.order_by("pk").last()
        assert seat is not None
        assert seat.ends_on == timezone.localdate()
        signed_in.post(f"{url}/put-back/")


def test_dates_are_written_in_the_users_language(
    signed_in: Client, alice: User, settings: Settings
) -> None:
    prefers(alice, language="es")
    with translation.override("es"):
        month = timezone.localdate().strftime("%m")
        name = translation.gettext(dt.date(2026, int(month), 1).strftime("%B")).lower()
    assert name in page(signed_in).lower()


def test_a_moment_in_arabic_is_not_american() -> None:
    moment = dt.datetime(2026, 3, 14, 15, 45, tzinfo=dt.UTC)
    with translation.override("ar"):
        written = date_format(moment, "SHORT_DATETIME_FORMAT")
    assert written.startswith("14/03/2026 3:45")


def test_the_admin_keeps_the_schools_time(client: Client, admin: User) -> None:
    # Its forms read back what they show: another zone would shift what is saved.
    prefers(admin, time_zone="Asia/Tokyo")
    joined = dt.datetime(2026, 3, 4, 15, 45, tzinfo=dt.UTC)
    User.objects.filter(pk=admin.pk).update(date_joined=joined)
    client.force_login(admin)
    assert "3:45 p.m." in page(client, f"/admin/accounts/user/{admin.pk}/change/")
