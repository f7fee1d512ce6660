"""Delete what is kept of a face, with a receipt."""

from django.db import transaction
from django.db.models import Q

from accounts import audit
from accounts.models import User
from classroom import consents, receipts
from classroom.consent_models import Consent, ErasureReason, ErasureReceipt
from classroom.models import Student
from faces import gallery
from faces.models import FaceTemplate, LookAlikePair


@transaction.atomic
def erase_face(
    student: Student, *, reason: ErasureReason, by: User | None
) -> ErasureReceipt | None:
    """Delete all templates of a student, of every model, and what was made from them.

    Returns the receipt, or None where nothing was kept. Marks in registers stay, with
    the similarity that they were made at.
    """
    receipt = _erase_face(student, reason=reason, by=by)
    if receipt is not None:
        audit.write_all([receipts.described(receipt)], by=by)
    return receipt


def _erase_face(
    student: Student, *, reason: ErasureReason, by: User | None
) -> ErasureReceipt | None:
    # An enrolment holds the same lock while it saves: it is through, or comes after.
    Student.objects.select_for_update().get(pk=student.pk)
    templates = FaceTemplate.objects.filter(student=student)
    described = [
        {"model_id": model_id, "enrolled_on": enrolled.isoformat(timespec="seconds")}
        for model_id, enrolled in templates.values_list("model_id", "created_at")
    ]
    removed = templates.delete()[0]
    pairs = LookAlikePair.objects.filter(Q(first=student) | Q(second=student))
    forgotten = pairs.delete()[0]
    if not removed and not forgotten:
        return None
    # The opened embeddings of this process go as well; another one drops its own with
    # its next question.
    transaction.on_commit(gallery.forget)
    return receipts.issue(
        student,
        reason=reason,
        counts={"face_templates": removed, "look_alikes": forgotten},
        templates=described,
        by=by,
    )


@transaction.atomic
def withdraw_consent(
    student: Student, *, said_by: str, by: User, relation: str = "", note: str = ""
) -> tuple[Consent, ErasureReceipt | None]:
    """Take a no and delete the face in the same step; raises ValidationError."""
    answer = consents.say_no(
        student, said_by=said_by, by=by, relation=relation, note=note
    )
    receipt = _erase_face(student, reason=ErasureReason.WITHDRAWAL, by=by)
    lines = [consents.described(answer)]
    if receipt is not None:
        lines.append(receipts.described(receipt))
    audit.write_all(lines, by=by)
    return answer, receipt
