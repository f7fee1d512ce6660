"""Short ways to make sessions and records; a test names only what it is about."""

import datetime as dt
from typing import Any

from django.utils import timezone

from accounts.models import User
from attendance.models import Record, Session, Source, Status
from classroom.models import Classroom, Student


def make_session(classroom: Classroom, **fields: Any) -> Session:
    values = {"date": timezone.localdate(), **fields}
    return Session.objects.create(classroom=classroom, **values)


def make_record(
    session: Session,
    student: Student,
    status: Status = Status.PRESENT,
    *,
    source: Source = Source.MANUAL,
    by: User | None = None,
) -> Record:
    return Record.objects.create(
        session=session,
        student=student,
        status=status,
        source=source,
        marked_at=timezone.now(),
        marked_by=by,
    )


def at(hour: int, minute: int = 0, *, day: dt.date | None = None) -> dt.datetime:
    """Return a moment of a day (today by default) in the school's time zone."""
    clock = dt.time(hour, minute)
    return timezone.make_aware(dt.datetime.combine(day or timezone.localdate(), clock))
