"""The demo school's past: thirty days of registers, a correction, a plan, days off."""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from typing import Final

from django.db import transaction
from simple_history.utils import bulk_create_with_history

from accounts.models import User
from attendance import services
from attendance.clock import school_day
from attendance.models import Record, Session, Source, Status
from attendance.rules import plan_absence
from attendance.timetable import ONE_DAY, save_closures
from attendance.timetable_models import Closure, PlannedAbsence, Slot
from classroom.models import Classroom, Student

DAYS: Final = 30
SEED: Final = 30
# How often somebody is absent and late. The fourth of each class needs a talk.
USUAL: Final = (0.05, 0.08)
WORRYING: Final = (0.4, 0.15)
WORRYING_ONE: Final = 3
LATE_BY: Final = dt.timedelta(minutes=14)
IN_TIME: Final = dt.timedelta(minutes=2)
SIMILARITIES: Final = (0.5, 0.85)  # what the embedded pack gives for genuine pairs


def first_day() -> dt.date:
    """Return the first of the days that the demo looks back on."""
    return school_day() - DAYS * ONE_DAY


@transaction.atomic
def write(classes: Sequence[Classroom]) -> None:
    """Fill the registers of the timetable's lessons from the first day to yesterday."""
    _days_off()
    dice = random.Random(SEED)  # noqa: S311  (the same school each time)
    off = {closure.first_date for closure in Closure.objects.all()}
    for number, classroom in enumerate(classes):
        students = list(Student.objects.in_class(classroom.pk, on=first_day()))
        _plan(students[0], by=classroom.teacher)
        sessions = [_held(slot, day) for slot, day in _lessons(classroom, off)]
        lines = [
            line
            for session in sessions
            # Nobody of the second class has given a face.
            for line in _lines(session, students, dice, by_face=number == 0)
        ]
        bulk_create_with_history(lines, Record, default_user=classroom.teacher)
        _correct(classroom, by=classroom.teacher)


def _days_off() -> None:
    today = school_day()
    closures = [
        Closure(first_date=day, last_date=day, name=name)
        for day, name in (
            (today - 12 * ONE_DAY, "Staff training"),
            (today + 9 * ONE_DAY, "Local holiday"),
        )
    ]
    save_closures(closures)


def _plan(student: Student, *, by: User) -> None:
    """Excuse a student for some days of the past, and for some to come."""
    for first, last, reason in ((-6, -4, "Flu"), (5, 7, "School trip")):
        day = school_day()
        plan = PlannedAbsence(
            student=student,
            first_date=day + first * ONE_DAY,
            last_date=day + last * ONE_DAY,
            reason=reason,
        )
        plan_absence(plan, by=by)


def _lessons(classroom: Classroom, off: set[dt.date]) -> Iterator[tuple[Slot, dt.date]]:
    slots = list(Slot.objects.filter(classroom=classroom))
    for number in range(DAYS):
        day = first_day() + number * ONE_DAY
        for slot in slots:
            if slot.occurs_on(day) and day not in off:
                yield slot, day


def _held(slot: Slot, day: dt.date) -> Session:
    session = Session(
        classroom=slot.classroom,
        date=day,
        start=slot.start,
        end=slot.end,
        room=slot.room,
        grace_minutes=slot.grace_minutes,
        slot=slot,
    )
    session.closed_at = session.ends_at()
    session.save()
    return session


def _lines(
    session: Session, students: Sequence[Student], dice: random.Random, *, by_face: bool
) -> Iterator[Record]:
    begin, end = session.starts_at(), session.ends_at()
    assert begin is not None and end is not None  # noqa: S101  (it has a slot)
    plans = PlannedAbsence.objects.within(session.date, session.date)
    excused = set(plans.values_list("student_id", flat=True))
    for number, student in enumerate(students):
        absent, late = WORRYING if number == WORRYING_ONE else USUAL
        luck = dice.random()
        line = Record(session=session, student=student, marked_at=end)
        if student.pk in excused or luck < absent:
            line.status = Status.EXCUSED if student.pk in excused else Status.ABSENT
            line.source = Source.RULE
        else:
            is_late = luck < absent + late
            line.status = Status.LATE if is_late else Status.PRESENT
            line.source = Source.FACE if by_face else Source.MANUAL
            line.marked_at = begin + (LATE_BY if is_late else IN_TIME)
            line.marked_by = session.classroom.teacher
        if line.source == Source.FACE:
            line.confidence_score = round(dice.uniform(*SIMILARITIES), 4)
        line._history_date = line.marked_at  # type: ignore[attr-defined]
        yield line


def _correct(classroom: Classroom, *, by: User) -> None:
    """Put the last late mark right, so that there is a history to look at."""
    late = Record.objects.filter(session__classroom=classroom, status=Status.LATE)
    last = late.order_by("-session__date", "pk").first()
    if last is not None:
        services.correct(last, status=Status.PRESENT, note="The bus was late", by=by)
