"""Sessions that come from the timetable: made once for each day, then left alone."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.errors import DomainError
from attendance.clock import school_day
from attendance.models import Record, Session, SessionQuerySet
from attendance.timetable_models import Closure, Slot
from classroom.models import Classroom

# Days that a server which stood still makes up for. Older ones stay without a session:
# a machine that was off over a holiday must not call everybody absent.
CATCH_UP: Final = dt.timedelta(days=14)

CHANGED = "Timetable changed"
WEEK = 7 * 24 * 60
ONE_DAY = dt.timedelta(days=1)


class SlotOverlaps(DomainError):
    code = "slot_overlaps"
    default_detail = "The class has another lesson at that time."


def open_due(
    classes: Collection[int] | None = None, *, now: dt.datetime | None = None
) -> list[Session]:
    """Make the sessions that the timetable has up to today, and return them.

    `classes` are row ids, None for the whole school. Each slot and day is seen to
    once, by whoever asks first: a session that was deleted or moved doesn't come
    back. One query where nothing is due.
    """
    today = school_day(now)
    due = Slot.objects.due(today)
    if classes is not None:
        due = due.filter(classroom__in=classes)
    rooms = due.order_by("classroom").values_list("classroom", flat=True).distinct()
    return [made for room in rooms for made in _open_class(room, today)]


@transaction.atomic
def _open_class(room: int, today: dt.date) -> list[Session]:
    # Another machine waits here, and then finds that nothing is due any more.
    due = Slot.objects.due(today).filter(classroom=room)
    slots = list(due.select_for_update().order_by("pk"))
    if not slots:
        return []
    made = []
    if Classroom.objects.current().filter(pk=room).exists():
        off = closed_days(today - CATCH_UP, today)
        made = [
            session
            for slot in slots
            for day in _days(slot, today)
            if day not in off and (session := _open(slot, day))
        ]
    pks = [slot.pk for slot in slots]
    Slot.objects.filter(pk__in=pks).update(made_until=today)
    return made


def _days(slot: Slot, today: dt.date) -> Iterator[dt.date]:
    day = max(slot.made_until + ONE_DAY, today - CATCH_UP)
    while day <= today:
        if slot.occurs_on(day):
            yield day
        day += ONE_DAY


def _open(slot: Slot, day: dt.date) -> Session | None:
    """Save a slot's session of a day; None where the class has one at that time."""
    session, is_new = Session.objects.get_or_create(
        classroom_id=slot.classroom_id,
        date=day,
        start=slot.start,
        defaults={
            "end": slot.end,
            "room": slot.room,
            "grace_minutes": slot.grace_minutes,
            "slot": slot,
        },
    )
    return session if is_new else None


def closed_days(first: dt.date, last: dt.date) -> dict[dt.date, str]:
    """Return the days off from one day to another, both included, with their names."""
    found: dict[dt.date, str] = {}
    for closure in Closure.objects.within(first, last):
        day = max(first, closure.first_date)
        while day <= min(last, closure.last_date):
            found.setdefault(day, closure.name)
            day += ONE_DAY
    return found


@transaction.atomic
def save_slot(slot: Slot, *, now: dt.datetime | None = None) -> Slot:
    """Save a new or a changed slot; only lessons that are yet to begin follow it.

    Past sessions, and those that hold a record or were changed by a person, stay as
    they are. Raises SlotOverlaps.
    """
    now = now or timezone.now()
    today = school_day(now)
    Classroom.objects.select_for_update().get(pk=slot.classroom_id)
    refuse_overlap(slot)
    is_open_question = True
    if slot.pk is not None:
        # What the slot owed until now, it owed at its old times.
        _open_class(slot.classroom_id, today)
        old = Slot.objects.select_for_update().get(pk=slot.pk)
        withdrawn = _withdraw(Session.objects.filter(slot=old), now)
        is_open_question = bool(withdrawn) or not old.occurs_on(today)
    meeting = Session(
        classroom_id=slot.classroom_id, date=today, start=slot.start, end=slot.end
    )
    is_made = not is_open_question or meeting.is_over(now)
    slot.made_until = today if is_made else today - ONE_DAY
    slot.save()
    return slot


@transaction.atomic
def delete_slot(slot: Slot, *, now: dt.datetime | None = None) -> None:
    """Delete a slot with those of its sessions that nobody needs: see `save_slot`."""
    now = now or timezone.now()
    _open_class(slot.classroom_id, school_day(now))
    _withdraw(Session.objects.filter(slot=slot), now)
    slot.delete()


def _withdraw(sessions: SessionQuerySet, now: dt.datetime) -> int:
    """Delete the sessions that are yet to begin and that nobody has touched."""
    ahead = sessions.open().filter(date__gte=school_day(now) - ONE_DAY)
    # The lock keeps a photo from marking what is being deleted.
    locked = list(ahead.select_for_update().order_by("pk"))
    pks = [session.pk for session in locked]
    kept = set(Record.objects.filter(session__in=pks).values_list("session", flat=True))
    changes = Session.history.filter(id__in=pks, history_type="~")
    kept |= set(changes.values_list("id", flat=True))
    gone = [
        session
        for session in locked
        if session.pk not in kept and (session.starts_at() or now) > now
    ]
    for session in gone:
        session._change_reason = CHANGED  # type: ignore[attr-defined]
        session.delete()
    return len(gone)


def refuse_overlap(slot: Slot) -> None:
    """Raise SlotOverlaps where the class has another slot at that time."""
    others = Slot.objects.filter(classroom=slot.classroom_id).exclude(pk=slot.pk)
    last = slot.last_date or dt.date.max
    for other in others.within(slot.first_date, last):
        if overlap(slot, other):
            raise SlotOverlaps(slot_id=other.pk)


def overlap(one: Slot, other: Slot) -> bool:
    """Say whether two slots meet in the round of a week; dates are not looked at."""
    (begin, length), (begins, lengths) = _minutes(one), _minutes(other)
    return (begins - begin) % WEEK < length or (begin - begins) % WEEK < lengths


def _minutes(slot: Slot) -> tuple[int, int]:
    """Return a slot's begin in the week and its length, in minutes."""
    start, end = (60 * time.hour + time.minute for time in (slot.start, slot.end))
    return (slot.weekday - 1) * 24 * 60 + start, (end - start - 1) % (24 * 60) + 1


@transaction.atomic
def save_closures(
    closures: Iterable[Closure], *, now: dt.datetime | None = None
) -> None:
    """Save days off; today's lessons that are yet to begin follow them."""
    now = now or timezone.now()
    was_off = Closure.objects.covers(school_day(now))
    for closure in closures:
        closure.save()
    _follow_closures(was_off, now)


@transaction.atomic
def delete_closure(closure: Closure, *, now: dt.datetime | None = None) -> None:
    """Delete a closure; where today was closed by it alone, its lessons come back."""
    now = now or timezone.now()
    was_off = Closure.objects.covers(school_day(now))
    closure.delete()
    _follow_closures(was_off, now)


def _follow_closures(was_off: bool, now: dt.datetime) -> None:
    today = school_day(now)
    is_off = Closure.objects.covers(today)
    if is_off and not was_off:
        _withdraw(Session.objects.filter(slot__isnull=False, date=today), now)
    if was_off and not is_off:
        _ask_again(today, now)


def _ask_again(today: dt.date, now: dt.datetime) -> None:
    """Let today's lessons be made that are not over and have no session."""
    slots = Slot.objects.within(today, today).filter(weekday=today.isoweekday())
    seen = slots.filter(made_until__gte=today).exclude(sessions__date=today)
    ahead = [
        slot.pk
        for slot in seen.select_for_update().order_by("pk")
        if not Session(date=today, start=slot.start, end=slot.end).is_over(now)
    ]
    Slot.objects.filter(pk__in=ahead).update(made_until=today - ONE_DAY)
