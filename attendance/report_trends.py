"""How rates go: over days, weeks or months, and by the days of the week."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from attendance.reports import Counts, add
from attendance.week import monday_of

# As many points as a person reads off a line.
LONGEST_BY_DAY: Final = 31  # days
LONGEST_BY_WEEK: Final = 210  # days

Dated = tuple[dt.date, Counts]


class Step(TextChoices):
    """What a point of a trend stands for."""

    DAY = "day", _("Day")
    WEEK = "week", _("Week from")
    MONTH = "month", _("Month")


@dataclass(frozen=True, slots=True)
class Point:
    """A day, week or month of a trend; `first` is its first day."""

    first: dt.date
    counts: Counts


@dataclass(frozen=True, slots=True)
class Trend:
    step: Step
    points: list[Point]

    @property
    def is_drawn(self) -> bool:
        """Whether there is a line to draw: one point alone is a figure."""
        return sum(point.counts.rate is not None for point in self.points) > 1


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of the week: ISO 8601 counts from Monday, 1, to Sunday, 7."""

    number: int
    sessions: int
    counts: Counts

    @property
    def name(self) -> StrOrPromise:
        return WEEKDAYS[self.number - 1]

    @property
    def absent_share(self) -> float | None:
        """Absent among the lines that the rate counts (0 to 1)."""
        counts = self.counts
        return round(counts.absent / counts.base, 4) if counts.base else None

    @property
    def late_share(self) -> float | None:
        """Late among the lines that the rate counts (0 to 1)."""
        counts = self.counts
        return round(counts.late / counts.base, 4) if counts.base else None


def trend(dated: Iterable[Dated]) -> Trend:
    """Return the sums by day, week or month, whichever suits the days' extent.

    Only those with a session have a point, the oldest first.
    """
    rows = list(dated)
    if not rows:
        return Trend(Step.DAY, [])
    days = [day for day, _counts in rows]
    step = _step((max(days) - min(days)).days + 1)
    sums: dict[dt.date, list[Counts]] = defaultdict(list)
    for day, counts in rows:
        sums[_first_day(day, step)].append(counts)
    return Trend(step, [Point(first, add(sums[first])) for first in sorted(sums)])


def weekdays(dated: Iterable[Dated]) -> list[Weekday]:
    """Return the sums by weekday, those with a session alone, Monday first."""
    sums: dict[int, list[Counts]] = defaultdict(list)
    for day, counts in dated:
        sums[day.isoweekday()].append(counts)
    return [
        Weekday(number, len(parts), add(parts))
        for number, parts in sorted(sums.items())
    ]


def _step(length: int) -> Step:
    if length <= LONGEST_BY_DAY:
        return Step.DAY
    return Step.WEEK if length <= LONGEST_BY_WEEK else Step.MONTH


def _first_day(day: dt.date, step: Step) -> dt.date:
    if step == Step.WEEK:
        return monday_of(day)
    return day.replace(day=1) if step == Step.MONTH else day
