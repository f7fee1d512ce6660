"""Faces that must not be kept any longer: found and deleted, each with a receipt."""

import datetime as dt
import logging
from collections import defaultdict
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from classroom.consent_models import Consent, ErasureReason, ErasureReceipt
from classroom.models import Enrollment, Student
from classroom.scrubbing import scrub
from faces.consent import is_required
from faces.erasure import erase_face
from faces.models import FaceTemplate

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """A student whose face is to go, why, and the day from which that was so."""

    student: Student
    reason: ErasureReason
    since: dt.date


def due(today: dt.date | None = None) -> list[Due]:
    """Return whose face is to be deleted now, the longest overdue first."""
    today = today or timezone.localdate()
    return _due(FaceTemplate.objects.all(), today)


def run(today: dt.date | None = None) -> list[ErasureReceipt]:
    """Delete what is due; a second run finds nothing left. Returns the receipts.

    Each student is looked at again under a lock, in a transaction of its own.
    """
    today = today or timezone.localdate()
    receipts = [_erase(one.student, today) for one in due(today)]
    return [receipt for receipt in receipts if receipt is not None]


@transaction.atomic
def _erase(student: Student, today: dt.date) -> ErasureReceipt | None:
    """Delete a face unless somebody has renewed a consent or a seat meanwhile."""
    Student.objects.select_for_update().filter(pk=student.pk).first()
    still = _due(FaceTemplate.objects.filter(student=student.pk), today)
    if not still:
        return None
    reason = still[0].reason
    logger.info("the face of student %s is deleted: %s", student.pk, reason)
    return erase_face(student, reason=reason, by=None)


def _due(templates: QuerySet[FaceTemplate], today: dt.date) -> list[Due]:
    reasons = _left(templates, today)
    kept = templates.values("student")
    if is_required():
        ended = Consent.objects.expired(on=today).filter(student__in=kept)
        for answer in ended:
            last = answer.until or today
            reasons[answer.student_id] = (
                ErasureReason.EXPIRY,
                last + dt.timedelta(days=1),
            )
    # A no is followed at once; this finds the face that came back with a backup.
    for answer in Consent.objects.withdrawn().filter(student__in=kept):
        reasons[answer.student_id] = ErasureReason.WITHDRAWAL, answer.answered_on
    students = Student.objects.in_bulk(list(reasons))
    found = [Due(students[pk], *why) for pk, why in reasons.items() if pk in students]
    return sorted(found, key=lambda one: (one.since, one.student.pk))


def hourly() -> int:
    """Delete what is due, and try again to empty a log that was in use.

    Returns how many faces were deleted.
    """
    receipts = run()
    if not receipts:
        scrub()
    return len(receipts)


def _left(
    templates: QuerySet[FaceTemplate], today: dt.date
) -> dict[int, tuple[ErasureReason, dt.date]]:
    """Return who has a face and no seat any more, for so long that it is to go."""
    seats = Enrollment.objects.filter(classroom__archived_at__isnull=True)
    # A seat that begins later counts: the next year is opened before it starts.
    sitting = seats.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=today))
    enrolled = templates.exclude(student__in=sitting.values("student"))
    days: dict[int, list[dt.date]] = defaultdict(list)
    for student, at in enrolled.values_list("student__pk", "created_at"):
        days[student].append(timezone.localdate(at))
    past = Enrollment.objects.filter(student__in=enrolled.values("student"))
    for seat in past.select_related("classroom"):
        days[seat.student_id].append(_last_day(seat, today))
    grace = dt.timedelta(days=settings.FACE_RETENTION_DAYS)
    return {
        student: (ErasureReason.LEFT, max(known) + grace)
        for student, known in days.items()
        if max(known) + grace <= today
    }


def _last_day(seat: Enrollment, today: dt.date) -> dt.date:
    archived = seat.classroom.archived_at
    ends = [seat.ends_on, timezone.localdate(archived) if archived else None]
    return min([day for day in ends if day is not None], default=today)
