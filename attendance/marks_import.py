"""Marks from a table: a line a student and session, never over a person's word."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from accounts.imports import Importer, Line, Report
from accounts.models import User
from attendance.models import Record, Session, Source, Status
from classroom.models import Classroom, Enrollment, Student, school_year_on

IMPORTER: Final = Importer(
    kind="import_attendance",
    title=gettext_lazy("Import of marks"),
    columns={
        "student_id": ("id", "code", "student code", "matrícula"),
        "class_code": ("class", "group", "clase", "grupo"),
        "date": ("day", "fecha"),
        "start": ("time", "start time", "hora"),
        "status": ("mark", "estado"),
        "note": ("remark", "comment", "nota"),
    },
    needed=("student_id", "class_code", "date", "status"),
    apply="attendance.marks_import.apply",
    options=("overwrite",),
    example=(
        ("student_id", "class_code", "date", "start", "status", "note"),
        ("S0001", "MAT-1", "2026-09-14", "08:00", "late", "Bus"),
    ),
)
NOTE_LENGTH: Final = 500
WHY: Final = "Imported"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that was understood."""

    room: Classroom
    student: Student
    date: dt.date
    start: dt.time | None
    status: Status
    note: str


@transaction.atomic
def apply(
    lines: Sequence[Line], *, owner: User, options: Mapping[str, Any], dry: bool
) -> Report:
    """Write marks, making the sessions that are missing; nothing where a line is wrong.

    What a person has entered stays unless `overwrite` is set; a face's or a rule's
    mark gives way.
    """
    report = Report()
    entries = _understood(lines, owner, report)
    if report.faults:
        return report
    _write(entries, owner, report, overwrite=bool(options.get("overwrite")))
    if dry:
        transaction.set_rollback(True)
    return report


def _understood(lines: Sequence[Line], owner: User, report: Report) -> list[Entry]:
    rooms: dict[str, list[Classroom]] = defaultdict(list)
    for room in Classroom.objects.for_user(owner):
        rooms[room.class_code].append(room)
    codes = {values["student_id"] for _line, values in lines}
    students = Student.objects.in_bulk(codes, field_name="student_id")
    seats = _seats([room.pk for same in rooms.values() for room in same])
    entries, seen = [], dict[tuple[object, ...], int]()
    for number, values in lines:
        entry = _entry(number, values, rooms, students, seats, report)
        if entry is None:
            continue
        key = (entry.room.pk, entry.student.pk, entry.date, entry.start)
        first = seen.setdefault(key, number)
        if first != number:
            detail = _("Line %(line)s marks the same student in the same session.")
            report.fault(number, "student_id", "repeated", detail % {"line": first})
        entries.append(entry)
    return entries


Seats = Mapping[tuple[int, int], Sequence[tuple[dt.date, dt.date | None]]]


def _seats(rooms: Sequence[int]) -> Seats:
    seats: dict[tuple[int, int], list[tuple[dt.date, dt.date | None]]] = {}
    rows = Enrollment.objects.filter(classroom__in=rooms)
    for room, student, first, left in rows.values_list(
        "classroom__pk", "student__pk", "starts_on", "ends_on"
    ):
        seats.setdefault((room, student), []).append((first, left))
    return seats


def _entry(
    number: int,
    values: Mapping[str, str],
    rooms: Mapping[str, Sequence[Classroom]],
    students: Mapping[str, Student],
    seats: Seats,
    report: Report,
) -> Entry | None:
    """Return what a line means, or report what is wrong with it."""
    before = len(report.faults)
    day = _day(values["date"])
    if day is None:
        detail = _("This is no day. Write 2026-09-14.")
        report.fault(number, "date", "invalid", detail)
    elif day > timezone.localdate():
        report.fault(number, "date", "future", _("This day is yet to come."))
    start = _time(values.get("start", ""))
    if start is None and values.get("start"):
        detail = _("This is no time. Write 08:00.")
        report.fault(number, "start", "invalid", detail)
    status = _status(values["status"])
    if status is None:
        detail = _("This is no status. Write present, late, absent or excused.")
        report.fault(number, "status", "invalid", detail)
    if len(values.get("note", "")) > NOTE_LENGTH:
        report.fault(number, "note", "too_long", _("The note is too long."))
    room = _room(rooms.get(values["class_code"], []), day)
    if room is None:
        report.fault(
            number, "class_code", "unknown_class", _("You have no class of this code.")
        )
    student = students.get(values["student_id"])
    if room and day and not _sat(student, seats, room, day):
        detail = _("This student is not in this class on that day.")
        report.fault(number, "student_id", "not_in_class", detail)
    if len(report.faults) > before or not (room and student and day and status):
        return None
    return Entry(room, student, day, start, status, values.get("note", ""))


def _sat(student: Student | None, seats: Seats, room: Classroom, day: dt.date) -> bool:
    held = seats.get((room.pk, student.pk), ()) if student else ()
    return any(first <= day and (left is None or day < left) for first, left in held)


def _room(same: Sequence[Classroom], day: dt.date | None) -> Classroom | None:
    """Return the class of a code in the day's school year, or the only one there is."""
    if len(same) == 1:
        return same[0]
    year = school_year_on(day) if day else ""
    return next((room for room in same if room.school_year == year), None)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None


def _time(text: str) -> dt.time | None:
    try:
        return dt.time.fromisoformat(text.zfill(5)) if text else None
    except ValueError:
        return None


def _status(text: str) -> Status | None:
    return _status_words().get(text.casefold())


@cache
def _status_words() -> dict[str, Status]:
    """Return each status by its words in every language of the pages.

    Not in that of the moment alone: a worker reads the lines again, later.
    """
    words = {status.value: status for status in Status}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            words |= {str(status.label).casefold(): status for status in Status}
    return words


def _write(
    entries: Sequence[Entry], owner: User, report: Report, *, overwrite: bool
) -> None:
    meetings = _sessions(entries, owner, report)
    known = {
        (record.session_id, record.student_id): record
        for record in Record.objects.select_for_update().filter(
            session__in=list(meetings.values())
        )
    }
    now = timezone.now()
    new, changed = [], []
    for entry in entries:
        session = meetings[entry.room.pk, entry.date, entry.start]
        record = known.get((session.pk, entry.student.pk))
        if record is None:
            record = Record(session=session, student=entry.student)
            new.append(record)
        elif (record.status, record.note) == (entry.status, entry.note):
            report.count("unchanged")
            continue
        elif record.source == Source.MANUAL and not overwrite:
            report.count("kept")
            continue
        else:
            changed.append(record)
        record.status, record.note = entry.status, entry.note
        record.source = Source.IMPORT
        # Both belonged to the photo's answer.
        record.confidence_score, record.runner_up, record.flags = None, None, []
        record.marked_at, record.marked_by = now, owner
    fields = [
        *("status", "note", "source", "confidence_score", "runner_up", "flags"),
        *("marked_at", "marked_by"),
    ]
    reason = {"default_user": owner, "default_change_reason": WHY}
    bulk_create_with_history(new, Record, batch_size=500, **reason)
    bulk_update_with_history(changed, Record, fields, batch_size=500, **reason)
    report.counts |= {"added": len(new), "changed": len(changed)}


def _sessions(
    entries: Sequence[Entry], owner: User, report: Report
) -> dict[tuple[int, dt.date, dt.time | None], Session]:
    wanted = {(entry.room.pk, entry.date, entry.start) for entry in entries}
    rooms = {room for room, _day, _start in wanted}
    days = {day for _room, day, _start in wanted}
    found = {
        (session.classroom_id, session.date, session.start): session
        # Locked as for any mark: a photo of the same moment waits and then finds these.
        for session in Session.objects.select_for_update().filter(
            classroom__in=rooms, date__in=days
        )
    }
    for room, day, start in sorted(wanted, key=str):
        if (room, day, start) not in found:
            found[room, day, start] = Session.objects.create(
                classroom_id=room, date=day, start=start, created_by=owner
            )
            report.count("sessions")
    return {key: found[key] for key in wanted}
