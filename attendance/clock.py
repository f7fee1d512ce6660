"""The school's own time: its days, and a clock's time as a moment of a day."""

import datetime as dt

from django.utils import timezone


def school_day(moment: dt.datetime | None = None) -> dt.date:
    """Return the day it is at the school, whatever zone a page is drawn in."""
    zone = timezone.get_default_timezone()
    return timezone.localdate(moment, timezone=zone)


def moment_of(day: dt.date, time: dt.time) -> dt.datetime:
    """Return when the school's clock shows a time, as a moment in UTC.

    A time that a clock change skips is as long after the change as it would have been
    (PEP 495); of one that comes twice the first is meant. In UTC, so that a sum or
    comparison counts real minutes and not those of the clock.
    """
    zone = timezone.get_default_timezone()
    local = dt.datetime.combine(day, time.replace(fold=0), tzinfo=zone)
    return local.astimezone(dt.UTC)
