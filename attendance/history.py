"""What was changed in a register, by whom, when and why: newest first."""

from collections.abc import Iterable
from itertools import groupby, pairwise
from typing import Any

from attendance.models import Record, Session
from classroom.models import Student


def of_record(record: Record) -> list[Any]:
    """Return a record's changes; each knows the status it changed."""
    return _told(record.history.select_related("history_user"))


def of_line(session: Session, student: Student) -> list[Any]:
    """Return all changes of a student's line, deleted ones too."""
    changes = Record.history.filter(session=session, student=student)
    return _told(changes.select_related("history_user"))


def of_lines(session: Session) -> list[Any]:
    """Return all changes of a session's lines, deleted ones too, in one query."""
    changes = Record.history.filter(session=session).select_related("history_user")
    by_student = changes.order_by("student_id", "-history_date", "-history_id")
    stories = groupby(by_student, key=lambda change: change.student_id)
    told = [change for _student, story in stories for change in _told(story)]
    return sorted(
        told, key=lambda change: (change.history_date, change.history_id), reverse=True
    )


def of_session(session: Session) -> list[Any]:
    """Return what happened to a session itself: opened, moved, closed, reopened."""
    return list(session.history.select_related("history_user"))


def _told(rows: Iterable[Any]) -> list[Any]:
    changes = list(rows)
    for change, before in pairwise(changes):
        # What was deleted is no state that a later line came from.
        if before.history_type != "-":
            change.from_status = before.status
            change.from_label = before.get_status_display()
    return changes
