"""Mark a register: which session, by a face or by hand, once and for good."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.utils import bulk_create_with_history

from accounts import audit
from accounts.audit import Event
from accounts.errors import DomainError
from accounts.models import User
from attendance import face_marks
from attendance.audit_lines import rejection, tell_corrections
from attendance.clock import school_day
from attendance.evidence import Evidence
from attendance.face_marks import Mark
from attendance.models import Record, Session, Source, Status
from attendance.rules import excuses
from attendance.timetable import open_due
from classroom.models import Classroom, Student
from faces import look_alikes

# A teacher opens the register a little before the bell.
EARLY = dt.timedelta(minutes=15)

REJECTED = "Not this person"


class SessionNotFound(DomainError):
    code = "not_found"
    status = 404
    default_detail = _("This class has no such session.")


class SessionClosed(DomainError):
    code = "session_closed"
    default_detail = _("This session is closed. Reopen it to mark by photo.")


class NotInClass(DomainError):
    code = "not_in_class"
    status = 400
    default_detail = _("This student is not in this class on that day.")


class NotAFaceMatch(DomainError):
    code = "not_a_face_match"
    default_detail = _("This line was not written by a face. Correct it instead.")


def register_session(
    classroom: Classroom, *, session_id: int | None = None, now: dt.datetime
) -> Session | None:
    """Return the session that a class's register shows now, closed ones too.

    The wanted one if given; else the class's open session now; else today's ad-hoc
    one; None where it is yet to be made. The timetable's own are made here where the
    tick hasn't done it. Raises SessionNotFound.
    """
    sessions = Session.objects.filter(classroom=classroom)
    if session_id is not None:
        session = sessions.filter(pk=session_id).first()
        if session is None:
            raise SessionNotFound
        return session
    today = school_day(now)
    open_due([classroom.pk], now=now)
    # Yesterday's too: an evening class may end after midnight.
    near = sessions.filter(date__range=(today - dt.timedelta(days=1), today))
    return running(near, now) or next(
        (s for s in near if s.date == today and s.start is None), None
    )


def current_session(
    classroom: Classroom, *, session_id: int | None = None, now: dt.datetime
) -> Session | None:
    """Return the session that a mark by photo goes to, or None: yet to be made.

    It is that of `register_session`; raises SessionNotFound, and SessionClosed.
    """
    session = register_session(classroom, session_id=session_id, now=now)
    if session is not None and not session.is_open:
        raise SessionClosed(session_id=session.pk)
    return session


def running(sessions: Iterable[Session], now: dt.datetime) -> Session | None:
    """Return the open session under way, else the one about to begin."""
    begun, soon = [], []
    for session in sessions:
        start = session.starts_at()
        if start is None or not session.is_open or session.is_over(now):
            continue
        if start <= now:
            begun.append((start, session))
        elif start <= now + EARLY:
            soon.append((start, session))
    if begun:
        return max(begun, key=lambda pair: pair[0])[1]
    return min(soon, key=lambda pair: pair[0])[1] if soon else None


def ad_hoc_session(classroom: Classroom, *, by: User, on: dt.date) -> Session:
    """Return the day's session without a start; the database lets only one in."""
    session, _ = Session.objects.get_or_create(
        classroom=classroom, date=on, start=None, defaults={"created_by": by}
    )
    return session


def mark_by_face(
    classroom: Classroom,
    similarities: Mapping[int, float],
    *,
    by: User,
    session_id: int | None = None,
    now: dt.datetime | None = None,
    evidence: Mapping[int, Evidence] | None = None,
) -> dict[int, Mark]:
    """Mark the recognised students (row id to cosine) in one short transaction.

    A line that a person or an earlier photo wrote stays as it is. `evidence` says what
    else a mark rests on. Raises SessionNotFound and SessionClosed.
    """
    if not similarities:
        return {}
    now = now or timezone.now()
    session = current_session(classroom, session_id=session_id, now=now)
    if session is None:
        session = ad_hoc_session(classroom, by=by, on=school_day(now))
    with transaction.atomic():
        session = locked(session)
        if not session.is_open:
            raise SessionClosed(session_id=session.pk)
        return face_marks.write(session, similarities, evidence or {}, by=by, now=now)


def locked(session: Session) -> Session:
    """Return a session that nobody else changes until this transaction is through."""
    # Two photos of one class at once: the second waits here and then finds the lines
    # that the first one wrote.
    return Session.objects.select_for_update().get(pk=session.pk)


@transaction.atomic
def mark_by_hand(
    session: Session, student: Student, *, status: Status, note: str = "", by: User
) -> Record:
    """Write or correct one line; a person's word holds against any later photo.

    Raises NotInClass for a student who is neither on that day's roster nor in the
    register already.
    """
    session = locked(session)
    line = Record.objects.filter(session=session, student=student).first()
    if line is not None:
        return correct(line, status=status, note=note, by=by)
    roster = Student.objects.in_class(session.classroom_id, on=session.date)
    if not roster.filter(pk=student.pk).exists():
        raise NotInClass
    line = Record(session=session, student=student)
    _write(line, status=status, note=note, by=by, why=note)
    tell_corrections([line], {}, by=by)
    return line


@transaction.atomic
def correct(
    record: Record,
    *,
    status: Status | None = None,
    note: str | None = None,
    why: str = "",
    by: User,
) -> Record:
    """Change a line by hand; its history keeps who, when, from, to and why.

    Without `why` the note is the reason.
    """
    record = Record.objects.select_for_update().get(pk=record.pk)
    before = {record.pk: record.status}
    _write(
        record,
        status=status or Status(record.status),
        note=record.note if note is None else note,
        by=by,
        # An earlier change's reason is not this one's.
        why=why or note or "",
    )
    tell_corrections([record], before, by=by)
    return record


@transaction.atomic
def mark_rest(
    session: Session, *, status: Status, note: str = "", by: User
) -> list[Student]:
    """Give everybody on the roster who has no line yet the same status, by hand.

    Whose absence was planned is not absent but excused, for the planned reason. Returns
    the students; the session may be closed, where everybody has a line already.
    """
    session = locked(session)
    rest = list(unmarked(session))
    lines = _same_lines(session, rest, status, Source.MANUAL, by=by)
    for line in lines:
        line.note = line.note or note
    created = bulk_create_with_history(
        lines, Record, default_user=by, default_change_reason=note[:100] or None
    )
    tell_corrections(created, {}, by=by)
    return rest


def _same_lines(
    session: Session,
    students: Iterable[Student],
    status: Status,
    source: Source,
    *,
    by: User | None,
) -> list[Record]:
    now = timezone.now()
    reasons = excuses(session.date) if status == Status.ABSENT else {}
    return [
        Record(
            session=session,
            student=student,
            status=Status.EXCUSED if student.pk in reasons else status,
            note=reasons.get(student.pk, ""),
            source=source,
            marked_at=now,
            marked_by=by,
        )
        for student in students
    ]


@transaction.atomic
def reject_match(
    record: Record, *, instead: Student | None = None, by: User
) -> Record | None:
    """Take back what a face match wrote: it was not this person, but `instead`.

    The line is gone and its history stays; in a closed session the student is absent
    or excused, as closing would have said. Who it was gets the line's status by hand.
    The two (without `instead`, the student and whom the face was nearly as close to)
    are look-alikes from then on.

    Returns the line of `instead`; raises NotAFaceMatch for a line of another source,
    and NotInClass.
    """
    session = locked(record.session)
    lines = Record.objects.filter(pk=record.pk, source=Source.FACE)
    line = lines.select_related("student", "runner_up").first()
    if line is None:
        raise NotAFaceMatch
    student, status, other = (
        line.student,
        Status(line.status),
        instead or line.runner_up,
    )
    told = rejection(line, instead)
    _take_back(line, session, by=by)
    if other is not None and other != student:
        look_alikes.remember(student, other, reason=REJECTED, by=by)
    written = None
    if instead is not None:
        written = mark_by_hand(session, instead, status=status, by=by)
    audit.write_all([told], by=by)
    return written


def _take_back(line: Record, session: Session, *, by: User) -> None:
    if session.is_open:
        line._history_user = by  # type: ignore[attr-defined]
        line._change_reason = REJECTED  # type: ignore[attr-defined]
        line.delete()
        return
    (rule,) = _same_lines(session, [line.student], Status.ABSENT, Source.RULE, by=by)
    line.status, line.source, line.note = rule.status, rule.source, rule.note
    line.confidence_score, line.runner_up, line.flags = None, None, []
    line.marked_at, line.marked_by = rule.marked_at, by
    _save(line, by=by, why=REJECTED)


def _write(record: Record, *, status: Status, note: str, by: User, why: str) -> None:
    say(record, status=status, note=note, by=by)
    _save(record, by=by, why=why)


def say(record: Record, *, status: Status, note: str, by: User) -> None:
    """Put a person's word into a line; it is not saved yet."""
    if record.status != status:
        # The figure belonged to the photo's answer.
        record.confidence_score, record.runner_up = None, None
    record.status, record.note = status, note
    record.source, record.flags = Source.MANUAL, []
    record.marked_at, record.marked_by = timezone.now(), by


def _save(row: Record | Session, *, by: User | None, why: str) -> None:
    """Save a row together with the line of its history."""
    row._history_user = by  # type: ignore[union-attr]
    row._change_reason = why[:100] or None  # type: ignore[union-attr]
    row.save()


def unmarked(session: Session) -> Sequence[Student]:
    """Return the students of that day's roster who have no line yet."""
    return list(
        Student.objects.in_class(session.classroom_id, on=session.date).exclude(
            records__session=session
        )
    )


@transaction.atomic
def close(
    session: Session, *, by: User | None, due_at: dt.datetime | None = None
) -> Session:
    """Close a session: whoever has no line is absent, or excused where it was planned.

    A second close does nothing; with `due_at`, nor does one that isn't due then.
    """
    session = locked(session)
    if not session.is_open or (due_at is not None and not session.is_due(due_at)):
        return session
    rest = unmarked(session)
    lines = _same_lines(session, rest, Status.ABSENT, Source.RULE, by=by)
    bulk_create_with_history(
        lines, Record, default_user=by, default_change_reason="Session closed"
    )
    session.closed_at = timezone.now()
    _save(session, by=by, why="Closed" if due_at is None else "Closed at its end")
    audit.write(Event.CHANGED, by=by, on=session, what="closed", written=len(rest))
    return session


@transaction.atomic
def reopen(session: Session, *, by: User) -> Session:
    """Open a closed session again; its lines stay, and its history says who did it."""
    session = locked(session)
    if session.is_open:
        return session
    session.closed_at, session.reopened_at = None, timezone.now()
    _save(session, by=by, why="Reopened")
    audit.write(Event.CHANGED, by=by, on=session, what="reopened")
    return session
