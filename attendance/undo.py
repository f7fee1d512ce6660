"""Take the last change of a register back, unless somebody has changed it since."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.audit import Event, Line
from accounts.models import User
from attendance.models import Record, Session
from attendance.services import REJECTED
from classroom.models import Student
from faces import look_alikes

UNDONE = "Undone"
DELETED = "-"

# What a line says; its key, session and student stay what they are.
FIELDS = (
    "status",
    "source",
    "confidence_score",
    "runner_up_id",
    "marked_at",
    "marked_by_id",
    "note",
    "flags",
)


def last_changes(session: Session, students: Iterable[Student]) -> list[int]:
    """Return the newest line of history of each student, for `undo` to name."""
    changes = Record.history.filter(session=session, student__in=list(students))
    rows = changes.order_by("history_id").values_list("student_id", "history_id")
    return sorted(dict(rows).values())


@transaction.atomic
def undo(session: Session, changes: Collection[int], *, by: User) -> int:
    """Put the lines back that these changes altered; return how many.

    A line that was changed again since stays as it is. The history keeps both.
    """
    Session.objects.select_for_update().get(pk=session.pk)
    students = Record.history.filter(session=session, history_id__in=changes)
    lines = Record.history.filter(
        session=session, student_id__in=students.values("student_id")
    )
    by_student: dict[int, list[Any]] = defaultdict(list)
    for line in lines.order_by("history_id"):
        by_student[line.student_id].append(line)
    last = [story for story in by_student.values() if story[-1].history_id in changes]
    told = [_told(story[-1]) for story in last]
    for story in last:
        _put_back(story, by)
    audit.write_all(told, by=by)
    return len(last)


def _told(change: Any) -> Line:
    """Return what the audit log says of a change that is taken back."""
    details = {"session": change.session_id, "was": change.status, "what": "undone"}
    return Line(Event.CORRECTED, Student(pk=change.student_id), details)


def _put_back(story: list[Any], by: User) -> None:
    """Make a student's line what it was before the last of its changes."""
    change = story[-1]
    before = story[-2] if len(story) > 1 else None
    record = Record(
        pk=change.id, session_id=change.session_id, student_id=change.student_id
    )
    if change.history_type != DELETED:
        record = Record.objects.get(pk=change.id)
    if change.history_change_reason == REJECTED:
        # It was this person after all, so the two were not confused.
        look_alikes.forget(record.student, since=change.history_date, by=by)
    record._history_user = by  # type: ignore[attr-defined]
    record._change_reason = UNDONE  # type: ignore[attr-defined]
    if before is None or before.history_type == DELETED:
        record.delete()
        return
    for field in FIELDS:
        setattr(record, field, getattr(before, field))
    record.save()
