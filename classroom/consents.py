"""Write down what a family answered; what follows for a face is decided in `faces`."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Event
from accounts.models import User
from classroom.consent_models import Consent, Relation
from classroom.models import Student


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A consent as somebody wrote it down; `until` is its last day."""

    given_by: str
    given_on: dt.date
    relation: str = Relation.PARENT
    until: dt.date | None = None
    note: str = ""

    def is_that(self, known: Consent) -> bool:
        """Say whether this is what is on record already."""
        return not known.refused and (
            (self.given_by, self.relation, self.given_on, self.until)
            == (known.given_by, known.relation, known.given_on, known.until)
            and self.note in ("", known.note)
        )


def current_consent(student: Student) -> Consent | None:
    """Return a student's latest answer."""
    answers = Consent.objects.current().filter(student=student)
    return answers.select_related("recorded_by", "withdrawal_recorded_by").first()


def give(student: Student, answer: Answer, *, by: User) -> Consent:
    """Record a consent, which replaces the answer before.

    The same one twice in a row is one. Raises ValidationError.
    """
    return give_all([(student, answer)], by=by)[0]


@transaction.atomic
def give_all(answers: Iterable[tuple[Student, Answer]], *, by: User) -> list[Consent]:
    """Record the consents of several students, all or none; raises ValidationError."""
    given = [_give(student, answer, by) for student, answer in answers]
    audit.write_all([described(one) for one in given], by=by)
    return given


def described(answer: Consent) -> audit.Line:
    """Return what the audit log keeps of an answer."""
    details = {"consent": answer.pk, "state": answer.state().value}
    return audit.Line(Event.CONSENT, answer.student, details)


def _give(student: Student, answer: Answer, by: User) -> Consent:
    # The current answer is unique; the lock makes question and answer one step.
    Student.objects.select_for_update().get(pk=student.pk)
    known = current_consent(student)
    if known is not None and known.withdrawn_at is None and answer.is_that(known):
        return known
    return _replace(
        Consent(
            student=student,
            given_by=answer.given_by,
            relation=answer.relation,
            given_on=answer.given_on,
            until=answer.until,
            note=answer.note,
            recorded_by=by,
        )
    )


@transaction.atomic
def say_no(
    student: Student, *, said_by: str, by: User, relation: str = "", note: str = ""
) -> Consent:
    """Withdraw a student's consent, or record a refusal where there is none.

    A second no changes nothing. Raises ValidationError. The face goes in the same
    transaction, and the audit log is written last: see `faces.erasure`.
    """
    Student.objects.select_for_update().get(pk=student.pk)
    known = current_consent(student)
    now = timezone.now()
    if known is None:
        return _replace(
            Consent(
                student=student,
                given_by=said_by,
                relation=relation or Relation.PARENT,
                note=note,
                refused=True,
                recorded_by=by,
                withdrawn_at=now,
                withdrawn_by=said_by,
                withdrawal_recorded_by=by,
            )
        )
    if known.withdrawn_at is None:
        known.withdrawn_at, known.withdrawn_by = now, said_by
        known.withdrawal_recorded_by = by
        known.note = note or known.note
        known.save(
            update_fields=[
                "withdrawn_at",
                "withdrawn_by",
                "withdrawal_recorded_by",
                "note",
            ]
        )
    return known


def _replace(answer: Consent) -> Consent:
    answer.full_clean(validate_constraints=False)  # the one before is still current
    before = Consent.objects.current().filter(student=answer.student_id)
    before.update(replaced_at=timezone.now())
    answer.validate_constraints()
    answer.save()
    return answer
