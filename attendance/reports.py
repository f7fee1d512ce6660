"""Count a register: rates per student and per class over any period."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from attendance.models import Record, Session, SessionQuerySet
from classroom.models import Classroom, Enrollment, Student


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each status was given, and how often a line is still missing."""

    present: int = 0
    late: int = 0
    absent: int = 0
    excused: int = 0
    unmarked: int = 0

    @property
    def rate(self) -> float | None:
        """Present or late among present, late and absent (0 to 1); None without any.

        Excused and unmarked lines are left out of the base.
        """
        base = self.present + self.late + self.absent
        return round((self.present + self.late) / base, 4) if base else None


@dataclass(frozen=True, slots=True)
class StudentLine:
    student: Student
    counts: Counts


@dataclass(frozen=True, slots=True)
class Summary:
    class_id: int
    sessions: int
    counts: Counts
    students: list[StudentLine] = field(default_factory=list)


def summarise(
    classroom: Classroom,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> Summary:
    """Count a class's records from one day to another, both included.

    The roster of each day counts: a student has a line in a session if they sat in
    the class on that day or were marked in it. Four queries, however large the class.
    """
    sessions = list(in_period(Session.objects.filter(classroom=classroom), start, end))
    marked: dict[int, dict[int, str]] = defaultdict(dict)
    lines = Record.objects.filter(session__in=sessions)
    for student, session, status in lines.values_list(
        "student__pk", "session__pk", "status"
    ):
        marked[student][session] = status
    seats = _seats(classroom)
    students = Student.objects.filter(pk__in={*marked, *seats})
    report = [
        StudentLine(student, _count(sessions, marked[student.pk], seats[student.pk]))
        for student in students
    ]
    report = [line for line in report if line.counts != Counts()]
    total = add(line.counts for line in report)
    return Summary(classroom.pk, len(sessions), total, report)


def in_period(
    sessions: SessionQuerySet, start: dt.date | None, end: dt.date | None
) -> SessionQuerySet:
    """Keep the sessions from one day to another, both included; None is open."""
    if start is not None:
        sessions = sessions.filter(date__gte=start)
    if end is not None:
        sessions = sessions.filter(date__lte=end)
    return sessions


def add(parts: Iterable[Counts]) -> Counts:
    """Return the sum of counts."""
    total: Counter[str] = Counter()
    for part in parts:
        for name in Counts.__dataclass_fields__:
            total[name] += getattr(part, name)
    return Counts(**total)


def _seats(classroom: Classroom) -> dict[int, list[tuple[dt.date, dt.date | None]]]:
    seats = defaultdict(list)
    enrolments = Enrollment.objects.filter(classroom=classroom)
    for student, first, left in enrolments.values_list(
        "student__pk", "starts_on", "ends_on"
    ):
        seats[student].append((first, left))
    return seats


def _count(
    sessions: Iterable[Session],
    marked: Mapping[int, str],
    seats: Iterable[tuple[dt.date, dt.date | None]],
) -> Counts:
    counter: Counter[str] = Counter()
    for session in sessions:
        status = marked.get(session.pk)
        if status is not None:
            counter[status] += 1
        elif any(
            first <= session.date and (left is None or session.date < left)
            for first, left in seats
        ):
            counter["unmarked"] += 1
    return Counts(**counter)
