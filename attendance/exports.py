"""The register as a file and on paper: every line, or a grid to sign."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.db.models import F

from attendance.models import Record, Session
from attendance.reports import (
    UNMARKED,
    GridLine,
    cells_of,
    grid,
    in_period,
    seats_in,
)
from attendance.week import days_of
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
# What fits across A4 on its side beside a name, and below its heading; a browser test
# prints a full page.
SESSIONS_A_PAGE: Final = 20
STUDENTS_A_PAGE: Final = 24
BLANK: Final = [UNMARKED] * 10  # the columns of a class without a timetable


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
    sessions: list[Session | None]  # None: a column to write a date above
    lines: list[GridLine]


def paper(
    classroom: Classroom, *, start: dt.date | None, end: dt.date | None
) -> list[PaperPage]:
    """Return the pages of a printed register, sessions across and students down.

    Four queries, however large the class.
    """
    register = grid(classroom, start=start, end=end)
    return _pages(register.sessions, register.lines)


def empty_sheet(
    classroom: Classroom, *, start: dt.date, end: dt.date
) -> list[PaperPage]:
    """Return a period's pages to be filled in by hand, both days included.

    A column for each session that was held or that the timetable has, or blank ones
    where there is none. Five queries.
    """
    days = days_of(classroom, start, end)
    meetings = [
        lesson.session
        or Session(classroom=classroom, date=day.date, start=lesson.start)
        for day in days
        for lesson in day.lessons
    ]
    every_day = [Session(classroom=classroom, date=day.date) for day in days]
    seats = seats_in(classroom)
    lines = []
    for student in Student.objects.filter(pk__in=seats):
        cells = cells_of(meetings or every_day, {}, seats[student.pk])
        if UNMARKED in cells:
            lines.append(GridLine(student, cells if meetings else BLANK, True))
    return _pages(meetings or [None] * len(BLANK), lines)


def _pages(
    sessions: Sequence[Session | None], lines: Sequence[GridLine]
) -> list[PaperPage]:
    return [
        PaperPage(
            list(sessions[at : at + SESSIONS_A_PAGE]),
            [
                replace(line, cells=line.cells[at : at + SESSIONS_A_PAGE])
                for line in lines[row : row + STUDENTS_A_PAGE]
            ],
        )
        for at in range(0, len(sessions), SESSIONS_A_PAGE)
        for row in range(0, len(lines), STUDENTS_A_PAGE)
    ]
