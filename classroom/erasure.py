"""Erase a student with all that is held of them, and say what it was."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_stubs_ext import StrOrPromise

from accounts import audit
from accounts.audit import Event
from accounts.models import User
from classroom import receipts
from classroom.consent_models import ErasureReason, ErasureReceipt
from classroom.holdings import all_holdings
from classroom.models import Student


@dataclass(frozen=True, slots=True)
class Held:
    """How many rows of one kind there are, and whether an erasure deletes them."""

    name: str
    title: StrOrPromise
    number: int
    goes: bool


def what_is_held(student: Student) -> list[Held]:
    """Return how much of what is held of a student: the dry run of an erasure."""
    return [
        Held(
            holding.name,
            holding.title,
            sum(1 for _row in holding.rows(student)),
            goes=not holding.stays,
        )
        for holding in all_holdings()
    ]


def export(student: Student, *, by: User | None) -> dict[str, Any]:
    """Return all that is held of a student, by kind, ready for JSON."""
    audit.write(Event.EXPORTED, by=by, on=student, what="student")
    held = {holding.name: list(holding.rows(student)) for holding in all_holdings()}
    return {
        "exported_at": timezone.localtime().isoformat(timespec="seconds"),
        "student_id": student.student_id,
        "held": held,
    }


@transaction.atomic
def erase_student(student: Student, *, by: User | None) -> ErasureReceipt:
    """Delete a student and every row about them; only the receipt's code remains."""
    Student.objects.select_for_update().get(pk=student.pk)
    counts = {held.name: held.number for held in what_is_held(student) if held.goes}
    kept = next(one for one in all_holdings() if one.name == "face_templates")
    templates = [
        {"model_id": row["model_id"], "enrolled_on": row["created_at"]}
        for row in kept.rows(student)
    ]
    # The upper floors first: what they hold points at what lies below.
    for holding in reversed(all_holdings()):
        if holding.erase is not None:
            holding.erase(student)
    receipt = receipts.issue(
        student,
        reason=ErasureReason.REQUEST,
        counts=counts,
        templates=templates,
        everything=True,
        by=by,
    )
    # A copy, because deleting takes the key from the row that a caller still shows.
    Student.objects.get(pk=student.pk).delete()
    audit.write_all([receipts.described(receipt, on=student)], by=by)
    return receipt
