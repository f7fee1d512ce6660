"""One student over all the classes that a user may see, also those they left."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from accounts.models import User
from attendance.models import Record, Session
from attendance.report_school import ClassLine
from attendance.report_trends import Dated
from attendance.reports import UNMARKED, Counts, Seats, add, count, in_period, sits_on
from classroom.models import Enrollment, Student


@dataclass(frozen=True, slots=True)
class Meeting:
    """A session that a student was expected or marked in; `record` may be missing."""

    session: Session
    record: Record | None

    @property
    def status(self) -> str:
        return self.record.status if self.record else UNMARKED

    @property
    def counts(self) -> Counts:
        return count([self.status])


@dataclass(frozen=True, slots=True)
class StudentReport:
    """A student's meetings, the latest first, and their sums by class."""

    student: Student
    meetings: list[Meeting]
    classes: list[ClassLine]

    @property
    def counts(self) -> Counts:
        return add(line.counts for line in self.classes)

    @property
    def dated(self) -> list[Dated]:
        return [(one.session.date, one.counts) for one in self.meetings]


def student_report(
    student: Student,
    *,
    user: User,
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> StudentReport:
    """Count a student's lines in the classes that a user may see; three queries.

    Whoever changed class has the sessions of each class while they sat there, and any
    other in which they were marked.
    """
    seats: dict[int, Seats] = defaultdict(list)
    enrolments = Enrollment.objects.for_user(user).filter(student=student)
    for seat in enrolments:
        seats[seat.classroom_id].append((seat.starts_on, seat.ends_on))
    visible = in_period(Session.objects.for_user(user), start, end)
    records = {
        record.session_id: record
        for record in Record.objects.filter(
            student=student, session__in=visible.order_by()
        ).select_related("session__classroom")
    }
    expected = [
        session
        for session in visible.filter(classroom__in=seats).select_related("classroom")
        if session.pk not in records
        and sits_on(session.date, seats[session.classroom_id])
    ]
    meetings = [Meeting(record.session, record) for record in records.values()]
    meetings += [Meeting(session, None) for session in expected]
    meetings.sort(key=_time, reverse=True)
    return StudentReport(student, meetings, _by_class(meetings))


def _time(meeting: Meeting) -> tuple[dt.date, dt.time, int]:
    session = meeting.session
    return session.date, session.start or dt.time.min, session.pk


def _by_class(meetings: list[Meeting]) -> list[ClassLine]:
    rooms = {one.session.classroom_id: one.session.classroom for one in meetings}
    parts: dict[int, list[Counts]] = defaultdict(list)
    for one in meetings:
        parts[one.session.classroom_id].append(one.counts)
    lines = [ClassLine(rooms[pk], len(parts[pk]), add(parts[pk])) for pk in rooms]
    return sorted(lines, key=lambda line: line.classroom.class_name)
