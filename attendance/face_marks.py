"""Write what a photo showed into a session: its lines, their flags, the audit log."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simple_history.utils import bulk_create_with_history

from accounts import audit
from accounts.audit import Event
from accounts.audit import Line as AuditLine
from accounts.models import User
from attendance.evidence import (
    Evidence,
    add_flag,
    elsewhere,
    is_same_shot,
    remember,
    room_flag,
    sent_flag,
)
from attendance.models import Record, Session, Source
from classroom.models import Student
from faces import runtime

NOTHING_MORE = Evidence()


@dataclass(frozen=True, slots=True)
class Mark:
    """A student's line after a photo, and whether it was there before."""

    record: Record
    already_marked: bool


def write(
    session: Session,
    similarities: Mapping[int, float],
    evidence: Mapping[int, Evidence],
    *,
    by: User,
    now: dt.datetime,
) -> dict[int, Mark]:
    """Mark students in a session that this transaction has locked.

    A line that a person or an earlier photo wrote stays; one of a face gets the flag
    of a photo that was sent before.
    """
    lines = Record.objects.filter(session=session, student__in=list(similarities))
    known = {line.student_id: line for line in lines}
    marks = {}
    for student in similarities:
        line = known.get(student) or Record(session=session, student_id=student)
        written = line.pk is not None and line.source != Source.RULE
        marks[student] = Mark(line, already_marked=written)
    fresh = [mark.record for mark in marks.values() if not mark.already_marked]
    for line in fresh:
        proof = evidence.get(line.student_id, NOTHING_MORE)
        line.status, line.source = session.status_at(now), Source.FACE
        line.confidence_score = round(float(similarities[line.student_id]), 4)
        line.runner_up_id = proof.runner_up
        line.marked_at, line.marked_by = now, by
    touched = _flagged_elsewhere(fresh, session, now=now) if fresh else []
    touched += _flagged_as_sent(marks, evidence, by=by, now=now)
    _save(fresh, touched, by=by)
    audit.write_all(
        [_told(line, evidence.get(line.student_id, NOTHING_MORE)) for line in fresh],
        by=by,
    )
    return marks


def _flagged_elsewhere(
    fresh: list[Record], session: Session, *, now: dt.datetime
) -> list[Record]:
    """Flag who is in another room as well; return the other rooms' changed lines."""
    others = elsewhere([line.student_id for line in fresh], session, now=now)
    touched = []
    for line in fresh:
        for other in others.get(line.student_id, []):
            add_flag(line, room_flag(other.session, other.marked_at))
            if add_flag(other, room_flag(session, now)):
                touched.append(other)
    return touched


def _flagged_as_sent(
    marks: Mapping[int, Mark],
    evidence: Mapping[int, Evidence],
    *,
    by: User,
    now: dt.datetime,
) -> list[Record]:
    """Flag the lines of photos that were sent before; return the older lines."""
    photos = {student: evidence.get(student, NOTHING_MORE).photo for student in marks}
    before = remember(photos.values(), now=now)
    touched = []
    for student, mark in marks.items():
        moment = before.get(photos[student])
        if moment is None or mark.record.source != Source.FACE:
            continue
        if mark.already_marked and is_same_shot(mark.record, moment, by=by, now=now):
            continue
        if add_flag(mark.record, sent_flag(moment)) and mark.already_marked:
            touched.append(mark.record)
    return touched


def _save(fresh: list[Record], touched: list[Record], *, by: User) -> None:
    new = [line for line in fresh if line.pk is None]
    for line in fresh:
        if line.pk is not None:
            _save_one(line, by=by, why="Recognised after the session was closed")
    bulk_create_with_history(new, Record, default_user=by)
    for line in touched:
        _save_one(line, by=by, why="Flagged")


def _save_one(line: Record, *, by: User, why: str) -> None:
    line._history_user = by  # type: ignore[attr-defined]
    line._change_reason = why  # type: ignore[attr-defined]
    line.save()


def _told(line: Record, proof: Evidence) -> AuditLine:
    """Return what answers "why was I marked?"."""
    details: dict[str, Any] = {
        "record": line.pk,
        "session": line.session_id,
        "status": line.status,
        "model": runtime.active_model_id(),
        "similarity": line.confidence_score,
        "threshold": round(runtime.threshold(), 4),
        "margin": None if proof.margin is None else round(float(proof.margin), 4),
        "margin_needed": round(runtime.margin(), 4),
        "runner_up": proof.runner_up,
        "flags": [flag["code"] for flag in line.flags],
    }
    return AuditLine(Event.MATCHED, Student(pk=line.student_id), details)
