"""Mark several students by hand at once."""

from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from accounts.models import User
from attendance.audit_lines import tell_corrections
from attendance.models import Record, Session, Status
from attendance.services import NotInClass, locked, say
from classroom.models import Student

# What a person's word changes in a line.
SAID: Final = (
    *("status", "source", "note", "confidence_score", "runner_up", "flags"),
    *("marked_at", "marked_by"),
)


@transaction.atomic
def mark_many(
    session: Session,
    students: Iterable[Student],
    *,
    status: Status,
    note: str = "",
    by: User,
) -> list[Record]:
    """Write or correct the lines of several students, all of them or none.

    Without a note each line keeps its own. Raises NotInClass as `mark_by_hand` does.
    """
    session = locked(session)
    wanted = {student.pk: student for student in students}
    lines = Record.objects.select_for_update().filter(
        session=session, student__in=wanted
    )
    known = {line.student_id: line for line in lines}
    roster = Student.objects.in_class(session.classroom_id, on=session.date)
    sitting = set(roster.filter(pk__in=wanted).values_list("pk", flat=True))
    if set(wanted) - set(known) - sitting:
        raise NotInClass
    marked = [
        known.get(pk) or Record(session=session, student=student)
        for pk, student in wanted.items()
    ]
    new = [line for line in marked if line.pk is None]
    old = [line for line in marked if line.pk is not None]
    before = {line.pk: line.status for line in old}
    for line in marked:
        say(line, status=status, note=note or line.note, by=by)
    why: dict[str, Any] = {
        "default_user": by,
        "default_change_reason": note[:100] or None,
    }
    created = bulk_create_with_history(new, Record, **why)
    bulk_update_with_history(old, Record, SAID, **why)
    tell_corrections([*created, *old], before, by=by)
    return marked
