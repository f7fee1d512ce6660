"""The register as a file and on paper: every line, or a grid to sign."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from django.db.models import F

from attendance.models import Record, Session
from attendance.reports import GridLine, grid, in_period
from classroom.models import Classroom, Student

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
class PaperPage:
    sessions: list[Session]
    lines: list[GridLine]


def paper(
    classroom: Classroom, *, start: dt.date | None, end: dt.date | None
) -> list[PaperPage]:
    """Return the pages of a printed register, sessions across and students down.

    Four queries, however large the class.
    """
    register = grid(classroom, start=start, end=end)
    across = range(0, len(register.sessions), SESSIONS_A_PAGE)
    down = range(0, len(register.lines), STUDENTS_A_PAGE)
    return [
        PaperPage(
            register.sessions[at : at + SESSIONS_A_PAGE],
            [
                replace(line, cells=line.cells[at : at + SESSIONS_A_PAGE])
                for line in register.lines[row : row + STUDENTS_A_PAGE]
            ],
        )
        for at in across
        for row in down
    ]


def empty_sheet(classroom: Classroom, *, day: dt.date) -> list[list[Student]]:
    """Return a day's roster in pages, to be filled in by hand."""
    roster = list(Student.objects.in_class(classroom.pk, on=day))
    pages = range(0, len(roster), STUDENTS_A_PAGE)
    return [roster[at : at + STUDENTS_A_PAGE] for at in pages]
