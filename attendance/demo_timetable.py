"""The demo school's timetable: a lesson a day, and one that is about to begin."""

import datetime as dt
from typing import Final

from django.utils import timezone

from attendance.clock import school_day
from attendance.timetable import open_due, overlap, save_slot
from attendance.timetable_models import Slot
from classroom.models import Classroom

LESSON: Final = dt.timedelta(minutes=50)
QUARTER: Final = dt.timedelta(minutes=15)
# Somebody who tries things out takes their time.
PATIENCE: Final = 45
SCHOOL_DAYS: Final = range(1, 6)


def plan_week(first: Classroom, second: Classroom, *, since: dt.date) -> None:
    """Give both classes a lesson on each school day, and the first one another soon.

    The daily ones are held since a day of the past.

    That one begins within a quarter of an hour, so that photos go to it at once; in
    the last quarter of a day it has just begun.
    """
    now = timezone.now()
    begin = _near_quarter(now)
    soon = _slot(first, begin.isoweekday(), begin.time(), "B12", school_day(now))
    soon.grace_minutes = PATIENCE
    weekly = [
        _slot(classroom, weekday, dt.time(hour), room, since)
        for classroom, hour, room in ((first, 9, "B12"), (second, 11, "A3"))
        for weekday in SCHOOL_DAYS
    ]
    for slot in [soon, *(one for one in weekly if not _clashes(one, soon))]:
        save_slot(slot, now=now)
    open_due([first.pk, second.pk], now=now)


def _slot(
    classroom: Classroom, weekday: int, start: dt.time, room: str, since: dt.date
) -> Slot:
    end = (dt.datetime.combine(dt.date.min, start) + LESSON).time()
    return Slot(
        classroom=classroom,
        weekday=weekday,
        start=start,
        end=end,
        room=room,
        first_date=since,
    )


def _near_quarter(now: dt.datetime) -> dt.datetime:
    """Return the next quarter of an hour, the present one where that is tomorrow's.

    So the school has an open session at any time of the day.
    """
    local = now.astimezone(timezone.get_default_timezone())
    begun = local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0)
    is_today = (begun + QUARTER).date() == begun.date()
    return begun + QUARTER if is_today else begun


def _clashes(one: Slot, soon: Slot) -> bool:
    return one.classroom == soon.classroom and overlap(one, soon)
