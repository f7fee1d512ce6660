"""Short ways to make slots, days off and planned absences."""

import datetime as dt
from typing import Any

from accounts.models import User
from attendance.rules import plan_absence
from attendance.timetable_models import Closure, PlannedAbsence, Slot
from classroom.models import Classroom, Student
from classroom.tests.factories import days


def make_slot(classroom: Classroom, day: dt.date, **fields: Any) -> Slot:
    """Save a slot on a day's weekday, from a month before that day, nothing made yet.

    It lasts from nine to ten unless `fields` say otherwise.
    """
    values = {
        "weekday": day.isoweekday(),
        "start": dt.time(9),
        "end": dt.time(10),
        "first_date": day - dt.timedelta(days=30),
        "made_until": day - dt.timedelta(days=1),
        **fields,
    }
    return Slot.objects.create(classroom=classroom, **values)


def close_school(first: dt.date, last: dt.date | None = None) -> Closure:
    return Closure.objects.create(
        first_date=first, last_date=last or first, name="Snow"
    )


def excuse(
    student: Student, *, by: User, first: int = 0, last: int = 0, reason: str = "Ill"
) -> PlannedAbsence:
    """Plan an absence from one day to another, counted from today."""
    plan = PlannedAbsence(
        student=student, first_date=days(first), last_date=days(last), reason=reason
    )
    return plan_absence(plan, by=by)
