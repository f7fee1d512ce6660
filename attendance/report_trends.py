"""How rates go: over days, weeks or months, and by the days of the week."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
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
        return len(self._percents()) > 1

    @property
    def lowest(self) -> int | None:
        return min(self._percents(), default=None)

    @property
    def highest(self) -> int | None:
        return max(self._percents(), default=None)

    @property
    def latest(self) -> int | None:
        return next(reversed(self._percents()), None)

    def _percents(self) -> list[int]:
        percents = [point.counts.percent for point in self.points]
        return [percent for percent in percents if percent is not None]


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
    def short(self) -> StrOrPromise:
        return WEEKDAYS_ABBR[self.number - 1]

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


def trend(dated: Iterable[Dated], *, by_day: bool = True) -> Trend:
    """Return the sums by day, week or month, whichever suits the days' extent.

    Only those with a session have a point, the oldest first. `by_day` is wrong for one
    student, whose days are all or nothing.
    """
    rows = list(dated)
    if not rows:
        return Trend(Step.DAY, [])
    days = [day for day, _counts in rows]
    step = _step((max(days) - min(days)).days + 1, by_day=by_day)
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


def worst(days: Iterable[Weekday]) -> Weekday | None:
    """Return the weekday with most absences, where one stands out at all."""
    missed = [day for day in days if day.absent_share]
    return max(missed, key=lambda day: day.absent_share or 0.0, default=None)


def _step(length: int, *, by_day: bool) -> Step:
    if by_day and length <= LONGEST_BY_DAY:
        return Step.DAY
    return Step.WEEK if length <= LONGEST_BY_WEEK else Step.MONTH


def _first_day(day: dt.date, step: Step) -> dt.date:
    if step == Step.WEEK:
        return monday_of(day)
    return day.replace(day=1) if step == Step.MONTH else day
