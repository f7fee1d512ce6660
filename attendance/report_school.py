"""Many classes at once: the school for an admin, a teacher's own for a teacher."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from attendance.models import Record, Session, SessionQuerySet
from attendance.report_trends import Dated
from attendance.reports import Counts, add, in_period
from classroom.models import Classroom, ClassroomQuerySet, Enrollment


@dataclass(frozen=True, slots=True)
class ClassLine:
    classroom: Classroom
    sessions: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class SchoolReport:
    """The classes of a user, each with its counts, and the counts of each session."""

    classes: list[ClassLine]
    dated: list[Dated]

    @property
    def sessions(self) -> int:
        return len(self.dated)

    @property
    def counts(self) -> Counts:
        return add(line.counts for line in self.classes)


def school(
    classes: ClassroomQuerySet,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> SchoolReport:
    """Count the registers of classes from one day to another, both included.

    A class that is archived is left out where it had no session in the period. Three
    queries, however many classes and sessions.
    """
    held = in_period(Session.objects.filter(classroom__in=classes), start, end)
    counts = session_counts(held)
    dated: list[Dated] = []
    by_class: dict[int, list[Counts]] = defaultdict(list)
    for day, room, parts in counts:
        dated.append((day, parts))
        by_class[room].append(parts)
    lines = [
        ClassLine(room, len(by_class[room.pk]), add(by_class[room.pk]))
        for room in classes.select_related("teacher")
        if room.pk in by_class or not room.is_archived
    ]
    return SchoolReport(lines, dated)


def session_counts(sessions: SessionQuerySet) -> list[tuple[dt.date, int, Counts]]:
    """Return each session's day, class and counts, in two queries.

    The database counts: a school's year has more lines than should travel.
    """
    lines = Record.objects.filter(session__in=sessions.order_by())
    marked = lines.status_counts("session__pk")
    rows = sessions.order_by("date", "pk").annotate(
        unmarked=Coalesce(Subquery(_unmarked()), Value(0), output_field=IntegerField())
    )
    return [
        (day, room, Counts(**marked[session], unmarked=unmarked))
        for session, day, room, unmarked in rows.values_list(
            "pk", "date", "classroom__pk", "unmarked"
        )
    ]


def _unmarked() -> Any:
    """Count who sat in the class of an outer session on its day and has no line."""
    day = OuterRef("date")
    seats = Enrollment.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=day),
        classroom=OuterRef("classroom"),
        starts_on__lte=day,
    )
    has_line = Record.objects.filter(
        session=OuterRef(OuterRef("pk")), student=OuterRef("student")
    )
    return (
        seats.filter(~Exists(has_line))
        .order_by()
        .values("classroom")
        .annotate(number=Count("student", distinct=True))
        .values("number")
    )
