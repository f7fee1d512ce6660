"""What speaks against a mark by face: a photo sent before, a student in two rooms.

Neither stops a mark. Both are written on the line, for a person to look at.
"""

import datetime as dt
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.models import User
from attendance.models import Record, SentPhoto, Session, Source
from classroom.models import Student

SENT_BEFORE: Final = "photo_sent_before"
TWO_ROOMS: Final = "two_rooms"

KEPT: Final = dt.timedelta(days=7)
# Without an end of the lesson, the time in which nobody is in two rooms for a reason.
AT_ONCE: Final = dt.timedelta(minutes=10)
# Of a lesson with an end, the minutes in which a class may be on its way to the next.
LEAVING: Final = dt.timedelta(minutes=10)

# A lost answer's second try, or a camera's next frame, comes within this time.
SAME_SHOT: Final = dt.timedelta(minutes=1)

Flag = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a mark by face rests on, besides its similarity.

    `margin` is the lead over the next student (None where there is no other),
    `runner_up` that student's row id where the lead is small, and `photo` the digest
    of the photo's bytes.
    """

    margin: float | None = None
    runner_up: int | None = None
    photo: str = ""


def digest(photo: bytes) -> str:
    """Return a keyed hash of a photo's bytes: 64 hexadecimal digits."""
    return hmac.new(_key(settings.SECRET_KEY), photo, "sha256").hexdigest()


@lru_cache(maxsize=1)
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"rollbook/sent-photo/1", "sha256")


def remember(digests: Iterable[str], *, now: dt.datetime) -> dict[str, dt.datetime]:
    """Note that photos were sent; return those of the last week, and when that was.

    Of two requests with one photo at once the second waits and finds the first's row.
    """
    before = {}
    for photo in sorted(set(digests) - {""}):  # in one order, so that no two deadlock
        row, made = SentPhoto.objects.select_for_update().get_or_create(
            digest=photo, defaults={"sent_at": now}
        )
        if made:
            continue
        if row.sent_at > now - KEPT:
            before[photo] = row.sent_at
        row.sent_at = now
        row.save(update_fields=["sent_at"])
    return before


def is_same_shot(
    line: Record, moment: dt.datetime, *, by: User, now: dt.datetime
) -> bool:
    """Say whether a photo sent at `moment` is the one that has just marked a line.

    Only for the line's own user, within a minute of the mark, and if the photo was not
    sent before the mark. The time runs from the mark: sending on doesn't prolong it.
    """
    return (
        line.source == Source.FACE
        and line.marked_by_id == by.pk
        and line.marked_at <= moment
        and now - line.marked_at <= SAME_SHOT
    )


def forget() -> None:
    """Delete what is older than a week; a worker does it by the clock."""
    SentPhoto.objects.filter(sent_at__lte=timezone.now() - KEPT).delete()


def elsewhere(
    students: Collection[int], session: Session, *, now: dt.datetime
) -> dict[int, list[Record]]:
    """Return the lines by which students sit in another class at this moment.

    Locks the students, so that of two rooms at once the second sees the first.
    """
    rows = Student.objects.filter(pk__in=students).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
    others = Record.objects.filter(
        student__in=students,
        source=Source.FACE,
        marked_at__range=(now - dt.timedelta(days=1), now + AT_ONCE),
    ).exclude(session__classroom=session.classroom_id)
    found: dict[int, list[Record]] = {}
    for record in others.select_related("session"):
        if is_there(record, now):
            found.setdefault(record.student_id, []).append(record)
    return found


def is_there(record: Record, now: dt.datetime) -> bool:
    """Say whether somebody whom a face marked must still be in that room."""
    end = record.session.ends_at()
    if end is not None and record.marked_at < end:
        return now < end - LEAVING
    return abs(now - record.marked_at) <= AT_ONCE


def sent_flag(moment: dt.datetime) -> Flag:
    return {"code": SENT_BEFORE, "at": moment.isoformat()}


def room_flag(other: Session, moment: dt.datetime) -> Flag:
    return {"code": TWO_ROOMS, "at": moment.isoformat(), "session_id": other.pk}


def add_flag(record: Record, flag: Flag) -> bool:
    """Put a flag on a line that hasn't one of its kind; it is not saved yet."""
    if any(known["code"] == flag["code"] for known in record.flags):
        return False
    record.flags = [*record.flags, flag]
    return True


def sentence(flag: Mapping[str, Any]) -> str:
    """Return a flag in words. Another class is not named: it may not be seen."""
    moment = parse_datetime(str(flag["at"]))
    if moment is None:
        return str(flag["code"])
    when = formats.date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
    if flag["code"] == SENT_BEFORE:
        return _("The same photo was sent before (%(when)s).") % {"when": when}
    return _("Also marked by face in another class (%(when)s).") % {"when": when}
