"""The school's clock: changes of the hour, midnight, and pages in another zone."""

import datetime as dt

import pytest
from django.utils import timezone
from pytest_django import Settings

from attendance.clock import moment_of, school_day
from attendance.models import Session, Status

MADRID, SAO_PAULO = "Europe/Madrid", "America/Sao_Paulo"
# In Madrid the clock goes from 2:00 to 3:00 on the first day, and from 3:00 back to
# 2:00 on the second. In São Paulo it went from 0:00 to 1:00, and from 0:00 to 23:00.
MADRID_FORWARD, MADRID_BACK = dt.date(2026, 3, 29), dt.date(2026, 10, 25)
PAULO_FORWARD, PAULO_BACK = dt.date(2018, 11, 4), dt.date(2018, 2, 18)


def utc(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=dt.UTC)


def lesson(day: dt.date, start: str, end: str | None = None) -> Session:
    return Session(
        date=day,
        start=dt.time.fromisoformat(start),
        end=dt.time.fromisoformat(end) if end else None,
    )


@pytest.mark.parametrize(
    ("zone", "day", "time", "moment"),
    [
        (MADRID, dt.date(2026, 1, 15), "09:00", utc(dt.date(2026, 1, 15), 8)),
        (MADRID, dt.date(2026, 7, 15), "09:00", utc(dt.date(2026, 7, 15), 7)),
        (MADRID, MADRID_FORWARD, "09:00", utc(MADRID_FORWARD, 7)),
        (MADRID, MADRID_FORWARD, "02:30", utc(MADRID_FORWARD, 1, 30)),
        (MADRID, MADRID_BACK, "02:30", utc(MADRID_BACK, 0, 30)),
        (SAO_PAULO, PAULO_FORWARD, "00:00", utc(PAULO_FORWARD, 3)),
        (SAO_PAULO, PAULO_FORWARD, "08:00", utc(PAULO_FORWARD, 10)),
        (SAO_PAULO, dt.date(2018, 2, 17), "23:30", utc(PAULO_BACK, 1, 30)),
    ],
    ids=[
        "winter",
        "summer",
        "the day of the change",
        "a time that is skipped",
        "a time that comes twice",
        "a midnight that is skipped",
        "the morning after it",
        "an evening hour that comes twice",
    ],
)
def test_a_time_of_the_schools_clock_is_a_moment(
    settings: Settings, zone: str, day: dt.date, time: str, moment: dt.datetime
) -> None:
    settings.TIME_ZONE = zone
    assert moment_of(day, dt.time.fromisoformat(time)) == moment


@pytest.mark.parametrize(
    ("day", "minutes"),
    [(MADRID_FORWARD, 60), (MADRID_BACK, 180), (dt.date(2026, 5, 1), 120)],
    ids=["an hour less", "an hour more", "any other day"],
)
def test_a_night_lesson_lasts_as_long_as_the_clock_says(
    settings: Settings, day: dt.date, minutes: int
) -> None:
    settings.TIME_ZONE = MADRID
    night = lesson(day, "01:30", "03:30")
    start, end = night.starts_at(), night.ends_at()
    assert start is not None and end is not None
    assert end - start == dt.timedelta(minutes=minutes)


@pytest.mark.parametrize("end", ["02:45", "03:00", "03:30"])
def test_a_lesson_whose_hour_is_skipped_lasts_as_long_as_was_planned(
    settings: Settings, end: str
) -> None:
    settings.TIME_ZONE = MADRID
    skipped = lesson(MADRID_FORWARD, "02:30", end)
    start, over = skipped.starts_at(), skipped.ends_at()
    assert start is not None and over is not None
    assert start < over
    assert not skipped.is_over(start)


def test_grace_minutes_are_real_minutes_across_the_change(settings: Settings) -> None:
    settings.TIME_ZONE = MADRID
    night = lesson(MADRID_BACK, "02:55", "03:30")  # the first 2:55
    assert night.status_at(utc(MADRID_BACK, 1, 5)) == Status.PRESENT
    assert night.status_at(utc(MADRID_BACK, 1, 6)) == Status.LATE


@pytest.mark.parametrize(
    ("end", "last_minute"), [("00:00", (22, 59)), ("01:00", (23, 59))]
)
def test_a_lesson_may_end_at_midnight_or_after_it(
    settings: Settings, end: str, last_minute: tuple[int, int]
) -> None:
    settings.TIME_ZONE = MADRID  # in winter an hour ahead of UTC
    day = dt.date(2026, 1, 15)
    evening = lesson(day, "22:00", end)
    moment = utc(day, *last_minute)
    assert not evening.is_over(moment)
    assert evening.is_over(moment + dt.timedelta(minutes=1))


def test_a_lesson_up_to_a_midnight_that_is_skipped_ends_with_the_day(
    settings: Settings,
) -> None:
    settings.TIME_ZONE = SAO_PAULO
    evening = lesson(PAULO_FORWARD - dt.timedelta(days=1), "23:00", "00:00")
    assert not evening.is_over(utc(PAULO_FORWARD, 2, 59))
    assert evening.is_over(utc(PAULO_FORWARD, 3))


@pytest.mark.parametrize(
    ("zone", "day", "midnight"),
    [
        (MADRID, dt.date(2026, 1, 15), utc(dt.date(2026, 1, 15), 23)),
        (MADRID, MADRID_BACK, utc(MADRID_BACK, 23)),
        (SAO_PAULO, dt.date(2018, 11, 3), utc(PAULO_FORWARD, 3)),
        (SAO_PAULO, dt.date(2018, 2, 17), utc(PAULO_BACK, 3)),
    ],
    ids=["winter", "a day of 25 hours", "before a skipped midnight", "23:00 twice"],
)
def test_an_ad_hoc_session_lasts_until_the_schools_midnight(
    settings: Settings, zone: str, day: dt.date, midnight: dt.datetime
) -> None:
    settings.TIME_ZONE = zone
    session = Session(date=day)
    assert not session.is_over(midnight - dt.timedelta(minutes=1))
    assert session.is_over(midnight)


def test_a_page_in_another_zone_changes_neither_day_nor_lesson(
    settings: Settings,
) -> None:
    settings.TIME_ZONE = MADRID
    day = dt.date(2026, 1, 15)
    morning = lesson(day, "09:00", "10:00")
    with timezone.override("Asia/Tokyo"):
        assert morning.starts_at() == utc(day, 8)
        assert morning.ends_at() == utc(day, 9)
        assert school_day(utc(day, 22)) == day
