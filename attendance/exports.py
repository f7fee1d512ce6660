"""The register as a file and on paper: every line, or a grid to sign."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db.models import F

from attendance.models import Record, Session
from attendance.reports import in_period
from classroom.models import Classroom, Enrollment, Student

# The first six are what an import of marks reads.
HEADINGS: Final = (
    "student_id",
    "class_code",
    "date",
    "start",
    "status",
    "note",
    "full_name",
    "source",
    "similarity",
    "marked_at",
    "marked_by",
)
ROWS_A_CHUNK: Final = 1000
# What fits across A4 on its side beside a name, and below its heading.
SESSIONS_A_PAGE: Final = 20
STUDENTS_A_PAGE: Final = 25


def rows(
    classroom: Classroom, *, start: dt.date | None, end: dt.date | None
) -> Iterator[list[object]]:
    """Yield the headings and then a class's records, the oldest first."""
    yield list(HEADINGS)
    sessions = in_period(Session.objects.filter(classroom=classroom), start, end)
    records = (
        Record.objects.filter(session__in=sessions)
        .select_related("session", "student", "marked_by")
        .order_by(
            "session__date",
            F("session__start").asc(nulls_first=True),
            "student__full_name",
            "pk",
        )
    )
    for record in records.iterator(chunk_size=ROWS_A_CHUNK):
        meeting = record.session
        yield [
            record.student.student_id,
            classroom.class_code,
            meeting.date,
            f"{meeting.start:%H:%M}" if meeting.start else None,
            record.status,
            record.note,
            record.student.full_name,
            record.source,
            record.confidence_score,
            record.marked_at,
            record.marked_by.full_name if record.marked_by else None,
        ]


@dataclass(frozen=True, slots=True)
class PaperLine:
    student: Student
    cells: list[str]  # a status, "" for none yet, "-" for not in the class that day


@dataclass(frozen=True, slots=True)
class PaperPage:
    sessions: list[Session]
    lines: list[PaperLine]


def paper(
    classroom: Classroom, *, start: dt.date | None, end: dt.date | None
) -> list[PaperPage]:
    """Return the pages of a printed register, sessions across and students down.

    Three queries, however large the class.
    """
    found = Session.objects.filter(classroom=classroom).order_by("date", "start", "pk")
    sessions = list(in_period(found, start, end))
    seats: dict[int, list[tuple[dt.date, dt.date | None]]] = {}
    people: dict[int, Student] = {}
    enrolments = Enrollment.objects.filter(classroom=classroom)
    for seat in enrolments.select_related("student"):
        people[seat.student_id] = seat.student
        seats.setdefault(seat.student_id, []).append((seat.starts_on, seat.ends_on))
    marks: dict[tuple[int, int], str] = {}
    for record in Record.objects.filter(session__in=sessions).select_related("student"):
        people[record.student_id] = record.student
        marks[record.student_id, record.session_id] = record.status

    def cell(student: Student, session: Session) -> str:
        status = marks.get((student.pk, session.pk))
        if status is not None:
            return status
        sits = any(
            first <= session.date and (left is None or session.date < left)
            for first, left in seats.get(student.pk, [])
        )
        return "" if sits else "-"

    lines = []
    for student in sorted(people.values(), key=lambda one: (one.full_name, one.pk)):
        cells = [cell(student, session) for session in sessions]
        if any(one != "-" for one in cells):
            lines.append(PaperLine(student, cells))
    return [
        PaperPage(
            sessions[across : across + SESSIONS_A_PAGE],
            [
                PaperLine(line.student, line.cells[across : across + SESSIONS_A_PAGE])
                for line in lines[down : down + STUDENTS_A_PAGE]
            ],
        )
        for across in range(0, len(sessions), SESSIONS_A_PAGE)
        for down in range(0, len(lines), STUDENTS_A_PAGE)
    ]


def empty_sheet(classroom: Classroom, *, day: dt.date) -> list[list[Student]]:
    """Return a day's roster in pages, to be filled in by hand."""
    roster = list(Student.objects.in_class(classroom.pk, on=day))
    pages = range(0, len(roster), STUDENTS_A_PAGE)
    return [roster[at : at + STUDENTS_A_PAGE] for at in pages]
