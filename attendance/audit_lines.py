"""How a change of the register reads in the audit log: ids and statuses, no names."""

from collections.abc import Iterable, Mapping
from typing import Any

from accounts import audit
from accounts.audit import Event, Line
from accounts.models import User
from attendance.models import Record
from classroom.models import Student


def tell_corrections(
    records: Iterable[Record],
    before: Mapping[int, str],
    *,
    by: User | None,
    what: str = "by_hand",
) -> None:
    """Write down what people entered; `before` maps row ids to earlier statuses."""
    audit.write_all(
        [
            about(record, Event.CORRECTED, was=before.get(record.pk), what=what)
            for record in records
        ],
        by=by,
    )


def rejection(record: Record, instead: Student | None) -> Line:
    """Return what is written of a match that was not this person."""
    who = None if instead is None else instead.pk
    return about(record, Event.REJECTED, was=record.status, instead=who)


def about(record: Record, event: Event, **details: Any) -> Line:
    told = {"record": record.pk, "session": record.session_id, "status": record.status}
    return Line(event, Student(pk=record.student_id), told | details)
