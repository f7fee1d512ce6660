"""What is due by the clock: sessions open and close, plans excuse; nobody asks."""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from attendance import services
from attendance.clock import school_day
from attendance.models import Session
from attendance.rules import excuse_since
from attendance.timetable import CATCH_UP, open_due


@dataclass(frozen=True, slots=True)
class Ticked:
    """How many sessions were opened and closed, and how many lines excused."""

    opened: int
    closed: int
    excused: int


def tick(now: dt.datetime | None = None) -> Ticked:
    """Open the timetable's sessions up to today, close those that ended, excuse.

    Each step looks again under a lock before it acts, in a transaction of its own: a
    second run, on this machine or another, at once or days later, finds nothing left.
    """
    now = now or timezone.now()
    opened = open_due(now=now)
    closed = _close_due(now)
    excused = excuse_since(school_day(now) - CATCH_UP)
    return Ticked(len(opened), closed, excused)


def _close_due(now: dt.datetime) -> int:
    waiting = Session.objects.open().filter(date__lte=school_day(now))
    due = [session for session in waiting.order_by("pk") if session.is_due(now)]
    return sum(_close(session, now) for session in due)


def _close(session: Session, now: dt.datetime) -> bool:
    try:
        closed = services.close(session, by=None, due_at=now)
    except Session.DoesNotExist:  # deleted since the list was read
        return False
    return not closed.is_open
