"""Who was missing as often as a rule says: the lists that somebody should act on."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from attendance.models import AbsenceRule, Record, Session
from attendance.reports import in_period
from classroom.models import Classroom, ClassroomQuerySet, Student


@dataclass(frozen=True, slots=True)
class Miss:
    """A line that a rule counts."""

    day: dt.date
    status: str
    classroom_id: int


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A student who met a rule, with the lines of the last window that met it."""

    student: Student
    misses: list[Miss]
    number: int
    classes: list[Classroom] = field(default_factory=list)

    @property
    def days(self) -> list[dt.date]:
        return sorted({miss.day for miss in self.misses})

    @property
    def last(self) -> dt.date:
        return self.misses[-1].day


@dataclass(frozen=True, slots=True)
class RuleList:
    rule: AbsenceRule
    students: list[FollowUp]


def follow_ups(
    classes: ClassroomQuerySet,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    student: Student | None = None,
) -> list[RuleList]:
    """Return for each rule who met it in these classes, the latest first.

    A window may begin before the period but ends in it. Four queries: the rules, the
    lines, the students and the classes.
    """
    rules = list(AbsenceRule.objects.all())
    misses = _misses(rules, classes, start=start, end=end, student=student)
    met = {
        rule.pk: {
            person: found
            for person, lines in misses.items()
            if (found := last_window(rule, lines, start=start))
        }
        for rule in rules
    }
    people = Student.objects.in_bulk({person for one in met.values() for person in one})
    rooms = Classroom.objects.in_bulk(
        {miss.classroom_id for one in met.values() for w in one.values() for miss in w}
    )
    return [
        RuleList(
            rule,
            sorted(
                (
                    FollowUp(
                        people[person],
                        window,
                        number(rule, window),
                        _rooms(window, rooms),
                    )
                    for person, window in met[rule.pk].items()
                ),
                key=lambda one: (-one.last.toordinal(), one.student.full_name),
            ),
        )
        for rule in rules
    ]


def last_window(
    rule: AbsenceRule, misses: Sequence[Miss], *, start: dt.date | None = None
) -> list[Miss]:
    """Return the lines of the last window that meets a rule, or none.

    `misses` are a student's, in the order of days; a window that ends before `start`
    is not looked at.
    """
    lines = [miss for miss in misses if miss.status in rule.statuses()]
    for end in range(len(lines), 0, -1):
        last = lines[end - 1].day
        if start is not None and last < start:
            return []
        first = last - dt.timedelta(days=rule.days - 1)
        window = [line for line in lines[:end] if line.day >= first]
        if number(rule, window) >= rule.times:
            return window
    return []


def number(rule: AbsenceRule, misses: Iterable[Miss]) -> int:
    """Return how often these lines count for a rule: as days, or each by itself."""
    days = [miss.day for miss in misses]
    return len(set(days)) if rule.per_day else len(days)


def _misses(
    rules: Sequence[AbsenceRule],
    classes: ClassroomQuerySet,
    *,
    start: dt.date | None,
    end: dt.date | None,
    student: Student | None,
) -> dict[int, list[Miss]]:
    found: dict[int, list[Miss]] = defaultdict(list)
    if not rules:
        return found
    longest = max(rule.days for rule in rules)
    first = None if start is None else start - dt.timedelta(days=longest - 1)
    sessions = in_period(Session.objects.filter(classroom__in=classes), first, end)
    statuses = {status for rule in rules for status in rule.statuses()}
    lines = Record.objects.filter(session__in=sessions.order_by(), status__in=statuses)
    if student is not None:
        lines = lines.filter(student=student)
    for person, day, status, room in lines.order_by("session__date", "pk").values_list(
        "student__pk", "session__date", "status", "session__classroom__pk"
    ):
        found[person].append(Miss(day, status, room))
    return found


def _rooms(window: Iterable[Miss], rooms: dict[int, Classroom]) -> list[Classroom]:
    return [rooms[pk] for pk in dict.fromkeys(miss.classroom_id for miss in window)]
