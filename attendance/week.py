"""A week of a class's timetable: what was, what is, and what will be."""

import datetime as dt
from dataclasses import dataclass

from attendance.models import Session
from attendance.timetable import ONE_DAY, closed_days
from attendance.timetable_models import Slot
from classroom.models import Classroom


@dataclass(frozen=True, slots=True)
class Lesson:
    """A session, or one that a slot will make; then `session` is None."""

    start: dt.time | None
    end: dt.time | None
    room: str
    session: Session | None


@dataclass(frozen=True, slots=True)
class Day:
    date: dt.date
    closed: str  # the name of the closure, or ""
    lessons: list[Lesson]


def monday_of(day: dt.date) -> dt.date:
    """Return the first day of a day's week."""
    return day - dt.timedelta(days=day.weekday())


def week_of(classroom: Classroom, day: dt.date) -> list[Day]:
    """Return the seven days of a day's week, in three queries."""
    monday = monday_of(day)
    return days_of(classroom, monday, monday + 6 * ONE_DAY)


def days_of(classroom: Classroom, first: dt.date, last: dt.date) -> list[Day]:
    """Return the days of a period, both included, in three queries."""
    days = [first + number * ONE_DAY for number in range((last - first).days + 1)]
    held = Session.objects.filter(classroom=classroom, date__range=(first, last))
    sessions = list(held)
    slots = list(Slot.objects.filter(classroom=classroom).within(first, last))
    closed = closed_days(first, last)
    return [
        Day(
            date,
            closed.get(date, ""),
            _lessons(date, sessions, [] if date in closed else slots),
        )
        for date in days
    ]


def _lessons(date: dt.date, sessions: list[Session], slots: list[Slot]) -> list[Lesson]:
    lessons = [
        Lesson(session.start, session.end, session.room, session)
        for session in sessions
        if session.date == date
    ]
    lessons += [
        Lesson(slot.start, slot.end, slot.room, None)
        for slot in slots
        # What was made and is no more was called off.
        if slot.occurs_on(date) and slot.made_until < date
    ]
    return sorted(lessons, key=lambda one: one.start or dt.time.min)
