"""Issue receipts of erasures."""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Event
from accounts.models import User
from classroom.consent_models import ErasureReason, ErasureReceipt
from classroom.models import Student
from classroom.scrubbing import scrub


def issue(
    student: Student,
    *,
    reason: ErasureReason,
    counts: Mapping[str, int],
    templates: Sequence[Mapping[str, str]] = (),
    everything: bool = False,
    by: User | None,
) -> ErasureReceipt:
    """Write the receipt of an erasure in whose transaction this runs.

    Once that is through, what was deleted goes from the database's log as well.
    """
    now = timezone.now()
    kept = dt.timedelta(days=settings.BACKUP_RETENTION_DAYS)
    receipt = ErasureReceipt.objects.create(
        student=None if everything else student,
        student_code=student.student_id,
        reason=reason,
        counts={name: number for name, number in counts.items() if number},
        templates=list(templates),
        everything=everything,
        created_at=now,
        created_by=by,
        backups_until=timezone.localdate(now) + kept,
    )
    transaction.on_commit(_scrub)
    return receipt


def described(receipt: ErasureReceipt, on: Student | None = None) -> audit.Line:
    """Return what the audit log keeps of an erasure; `on` is who is no longer there."""
    details = {
        "receipt": str(receipt.pk),
        "reason": receipt.reason,
        "templates": len(receipt.templates),
        "everything": receipt.everything,
    }
    return audit.Line(Event.ERASED, on or receipt.student, details)


def _scrub() -> None:
    scrub()
