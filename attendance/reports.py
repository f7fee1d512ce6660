"""Count a register: a class's grid over any period, and the rates that follow."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.utils import timezone

from attendance.models import Record, Session, SessionQuerySet
from classroom.models import Classroom, Enrollment, Student

# What a cell of a grid says beside a status: nothing yet, or not in the class that day.
UNMARKED: Final = ""
ELSEWHERE: Final = "-"

Seats = list[tuple[dt.date, dt.date | None]]  # first day, and the day of leaving


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each status was given, and how often a line is still missing."""

    present: int = 0
    late: int = 0
    absent: int = 0
    excused: int = 0
    unmarked: int = 0

    @property
    def here(self) -> int:
        return self.present + self.late

    @property
    def base(self) -> int:
        """The lines that a rate counts: excused and unmarked ones are left out."""
        return self.here + self.absent

    @property
    def total(self) -> int:
        return self.base + self.excused + self.unmarked

    @property
    def rate(self) -> float | None:
        """Present or late among present, late and absent (0 to 1); None without any."""
        return round(self.here / self.base, 4) if self.base else None

    @property
    def percent(self) -> int | None:
        """The rate as a whole number of 100, for people."""
        return int(100 * self.here / self.base + 0.5) if self.base else None

    def parts(self) -> list[tuple[str, float, float]]:
        """Return a bar: each status, where it begins and how long it is, in percent."""
        begin, found = 0.0, []
        for name in ("present", "late", "excused", "absent"):
            share = 100 * getattr(self, name) / self.total if self.total else 0
            if share:
                found.append((name, round(begin, 2), round(share, 2)))
            begin += share
        return found


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session with the counts of its lines."""

    session: Session
    counts: Counts


@dataclass(frozen=True, slots=True)
class StudentLine:
    student: Student
    counts: Counts
    sits_today: bool = True


@dataclass(frozen=True, slots=True)
class Summary:
    class_id: int
    sessions: int
    counts: Counts
    students: list[StudentLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class GridLine:
    """A student's cells, one a session: a status, UNMARKED or ELSEWHERE."""

    student: Student
    cells: list[str]
    sits_today: bool

    @property
    def counts(self) -> Counts:
        return count(self.cells)


@dataclass(frozen=True, slots=True)
class Grid:
    """A class's register over a period: sessions by time, students by name."""

    classroom: Classroom
    sessions: list[Session]
    lines: list[GridLine]

    def by_student(self) -> list[StudentLine]:
        return [
            StudentLine(line.student, line.counts, line.sits_today)
            for line in self.lines
        ]

    def by_session(self) -> list[SessionLine]:
        if not self.lines:
            return [SessionLine(session, Counts()) for session in self.sessions]
        columns = zip(*(line.cells for line in self.lines), strict=True)
        return [
            SessionLine(session, count(column))
            for session, column in zip(self.sessions, columns, strict=True)
        ]


def grid(
    classroom: Classroom,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> Grid:
    """Return a class's register from one day to another, both included.

    The roster of each day counts: a student has a cell in a session if they sat in
    the class on that day or were marked in it. Four queries, however large the class.
    """
    held = in_period(Session.objects.filter(classroom=classroom), start, end)
    # An ad-hoc session has no start: NULLs come first or last by the database's taste.
    sessions = sorted(
        held, key=lambda one: (one.date, one.start or dt.time.min, one.pk)
    )
    marked: dict[int, dict[int, str]] = defaultdict(dict)
    lines = Record.objects.filter(session__in=held.order_by()).order_by()
    for student, session, status in lines.values_list(
        "student__pk", "session__pk", "status"
    ):
        marked[student][session] = status
    seats = seats_in(classroom)
    today = timezone.localdate()
    found = []
    for person in Student.objects.filter(pk__in={*marked, *seats}):
        own = seats[person.pk]
        cells = cells_of(sessions, marked[person.pk], own)
        if any(cell != ELSEWHERE for cell in cells):
            found.append(GridLine(person, cells, sits_on(today, own)))
    return Grid(classroom, sessions, found)


def summarise(
    classroom: Classroom,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> Summary:
    """Count a class's records from one day to another, both included; see `grid`."""
    register = grid(classroom, start=start, end=end)
    students = register.by_student()
    total = add(line.counts for line in students)
    return Summary(classroom.pk, len(register.sessions), total, students)


def in_period(
    sessions: SessionQuerySet, start: dt.date | None, end: dt.date | None
) -> SessionQuerySet:
    """Keep the sessions from one day to another, both included; None is open."""
    if start is not None:
        sessions = sessions.filter(date__gte=start)
    if end is not None:
        sessions = sessions.filter(date__lte=end)
    return sessions


def count(cells: Iterable[str]) -> Counts:
    """Return how often each status stands in the cells of a grid."""
    found = Counter(cells)
    del found[ELSEWHERE]
    found["unmarked"] = found.pop(UNMARKED, 0)
    return Counts(**found)


def add(parts: Iterable[Counts]) -> Counts:
    """Return the sum of counts."""
    present = late = absent = excused = unmarked = 0
    for part in parts:
        present += part.present
        late += part.late
        absent += part.absent
        excused += part.excused
        unmarked += part.unmarked
    return Counts(present, late, absent, excused, unmarked)


def sits_on(day: dt.date, seats: Iterable[tuple[dt.date, dt.date | None]]) -> bool:
    return any(first <= day and (left is None or day < left) for first, left in seats)


def seats_in(classroom: Classroom) -> dict[int, Seats]:
    """Return from when to when each student sat in a class, by row id. One query."""
    seats: dict[int, Seats] = defaultdict(list)
    enrolments = Enrollment.objects.filter(classroom=classroom)
    for student, first, left in enrolments.values_list(
        "student__pk", "starts_on", "ends_on"
    ):
        seats[student].append((first, left))
    return seats


def cells_of(
    sessions: Sequence[Session], marked: dict[int, str], seats: Seats
) -> list[str]:
    """Return a student's cells, one a session; `marked` has statuses by session id."""
    return [
        marked.get(session.pk)
        or (UNMARKED if sits_on(session.date, seats) else ELSEWHERE)
        for session in sessions
    ]
