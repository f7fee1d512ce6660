"""Read a school's days off from an iCalendar file (RFC 5545)."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import recurring_ical_events
from django.db import transaction
from django.utils.translation import gettext as _
from icalendar import Calendar
from icalendar.cal.component import Component

from accounts import audit
from accounts.audit import Event, Line
from accounts.errors import DomainError
from accounts.models import User
from attendance.clock import school_day
from attendance.timetable import save_closures
from attendance.timetable_models import Closure
from classroom.models import FIRST_MONTH

MAX_BYTES: Final = 1024 * 1024
MAX_EVENTS: Final = 2000
MAX_CLOSURES: Final = 500
# A rule that repeats within a day is no day off, and endless work to unfold.
TOO_OFTEN: Final = {"SECONDLY", "MINUTELY", "HOURLY"}
# What an event may say no more than once.
ONCE: Final = ("UID", "SUMMARY", "DTSTART", "DTEND", "DURATION", "RECURRENCE-ID")
NAME_LENGTH: Final = 200


class CalendarUnreadable(DomainError):
    code = "unreadable_calendar"
    status = 400
    default_detail = "This is no iCalendar file that can be read."


@dataclass(frozen=True, slots=True)
class Skipped:
    """An event that is no day off, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class DaysOff:
    """What a calendar file says; the closures are not saved yet."""

    closures: list[Closure]
    skipped: list[Skipped]


@dataclass(frozen=True, slots=True)
class Imported:
    added: int
    updated: int


def read_calendar(data: bytes, *, today: dt.date | None = None) -> DaysOff:
    """Return the whole-day events of this school year and the next, by date.

    Events that repeat are unfolded. Raises CalendarUnreadable, which names the event
    where one is to blame.
    """
    if len(data) > MAX_BYTES:
        raise CalendarUnreadable(_("The file is larger than 1 MB."))
    first, last = two_years(today or school_day())
    closures: dict[str, Closure] = {}
    skipped: dict[str, Skipped] = {}
    for calendar in _parsed(data):
        repeated = _repeated(calendar)
        for event in _events(calendar, first, last):
            name = _name(event)
            days = None if _is_cancelled(event) else _whole_days(event)
            if days is None:
                reason = (
                    _("cancelled") if _is_cancelled(event) else _("not a whole day")
                )
                skipped.setdefault(name, Skipped(name, reason))
                continue
            key = _key(event, is_one_of_many=_uid(event) in repeated)
            closures[key] = Closure(
                first_date=days[0], last_date=days[1], name=name, source_key=key
            )
    if len(closures) > MAX_CLOSURES:
        raise CalendarUnreadable(
            _("The file has more than %(limit)d days off.") % {"limit": MAX_CLOSURES}
        )
    found = sorted(closures.values(), key=lambda one: (one.first_date, one.name))
    return DaysOff(found, list(skipped.values()))


@transaction.atomic
def import_closures(closures: Iterable[Closure], *, by: User | None) -> Imported:
    """Save what `read_calendar` found; an event that is known already is updated.

    The audit log gets a line for each day off that is new or has changed.
    """
    wanted = {closure.source_key: closure for closure in closures}
    known = {
        closure.source_key: closure
        for closure in Closure.objects.filter(source_key__in=wanted)
    }
    changed = []
    for key, closure in known.items():
        new = wanted.pop(key)
        before = (closure.first_date, closure.last_date, closure.name)
        if before != (new.first_date, new.last_date, new.name):
            closure.first_date, closure.last_date = new.first_date, new.last_date
            closure.name = new.name
            changed.append(closure)
    save_closures([*changed, *wanted.values()])
    told = [
        *(Line(Event.CHANGED, closure, {"door": "calendar"}) for closure in changed),
        *(Line(Event.ADDED, new, {"door": "calendar"}) for new in wanted.values()),
    ]
    audit.write_all(told, by=by)
    return Imported(added=len(wanted), updated=len(changed))


def two_years(today: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first day of this school year and the last one of the next."""
    year = today.year if today.month >= FIRST_MONTH else today.year - 1
    after = dt.date(year + 2, FIRST_MONTH, 1)
    return dt.date(year, FIRST_MONTH, 1), after - dt.timedelta(days=1)


def _parsed(data: bytes) -> list[Calendar]:
    try:
        found = Calendar.from_ical(data.removeprefix(b"\xef\xbb\xbf"), multiple=True)
    except ValueError as error:
        raise CalendarUnreadable from error
    calendars = [one for one in found if one.name == "VCALENDAR"]
    if not calendars:
        raise CalendarUnreadable
    events = [event for one in calendars for event in one.walk("VEVENT")]
    if len(events) > MAX_EVENTS:
        raise CalendarUnreadable(
            _("The file has more than %(limit)d events.") % {"limit": MAX_EVENTS}
        )
    for event in events:
        _check(event)
    return calendars


def _check(event: Component) -> None:
    broken = [name or "" for name, _fault in event.errors]
    broken += [name for name in ONCE if isinstance(event.get(name), list)]
    broken += [] if "DTSTART" in event else ["DTSTART"]
    if broken:
        raise _blame(event, ", ".join(broken))
    for name in set(event) & {"DTSTART", "DTEND"}:
        if not isinstance(getattr(event[name], "dt", None), dt.date):  # a period
            raise _blame(event, name)
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if TOO_OFTEN & set(map(str, rule.get("FREQ", []))):
            raise _blame(event, "RRULE")


def _blame(event: Component, what: str) -> CalendarUnreadable:
    words = _("The event “%(name)s” can't be read: %(what)s.")
    return CalendarUnreadable(words % {"name": _name(event), "what": what})


def _events(calendar: Component, first: dt.date, last: dt.date) -> Iterator[Any]:
    after = last + dt.timedelta(days=1)
    try:
        yield from recurring_ical_events.of(calendar).between(first, after)
    except (ValueError, TypeError, OverflowError) as error:
        # Dates and rules that are well-formed one by one and don't fit together.
        raise CalendarUnreadable(str(error)) from error


def _whole_days(event: Any) -> tuple[dt.date, dt.date] | None:
    """Return an event's first and last day, or None where it takes part of a day."""
    start, end = event.start, event.end
    if isinstance(start, dt.datetime) or isinstance(end, dt.datetime):
        # Some programs write a whole day from midnight to midnight.
        if not (start < end and _is_midnight(start) and _is_midnight(end)):
            return None
        start, end = start.date(), end.date()
    return start, max(start, end - dt.timedelta(days=1))  # the end is not included


def _is_midnight(moment: dt.datetime) -> bool:
    return moment.time() == dt.time()


def _is_cancelled(event: Component) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _name(event: Component) -> str:
    text = " ".join(str(event.get("SUMMARY", "")).split())
    return text[:NAME_LENGTH] or _("Closed")


def _uid(event: Component) -> str:
    return str(event.get("UID", ""))


def _repeated(calendar: Component) -> set[str]:
    """Return the names of the events that stand for several days apart."""
    signs = {"RRULE", "RDATE", "RECURRENCE-ID"}
    return {_uid(event) for event in calendar.walk("VEVENT") if signs & set(event)}


def _key(event: Any, *, is_one_of_many: bool) -> str:
    """Return what names an event in the next version of its file as well."""
    parts = [_uid(event) or _name(event)]
    if is_one_of_many or not _uid(event):
        original = event.get("RECURRENCE-ID")
        parts.append(str(original.dt if original else event.start))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
