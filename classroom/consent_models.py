"""What a family answered when it was asked about the face, and proof of erasures."""

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User


class Relation(models.TextChoices):
    """What the person who answered is to the student."""

    PARENT = "parent", _("Parent")
    GUARDIAN = "guardian", _("Guardian")
    STUDENT = "student", _("The student")
    OTHER = "other", _("Other")


class ConsentState(models.TextChoices):
    """What a student's current answer amounts to on a day."""

    GIVEN = "given", _("Given")
    EXPIRED = "expired", _("Expired")
    WITHDRAWN = "withdrawn", _("Refused or withdrawn")
    NONE = "none", _("Not recorded")


class ConsentQuerySet(models.QuerySet["Consent"]):
    def for_user(self, user: "User") -> Self:
        """Return the answers about the students whom a user may see."""
        from classroom.models import Student

        return self.filter(student__in=Student.objects.for_user(user))

    def current(self) -> Self:
        """Return each student's latest answer."""
        return self.filter(replaced_at__isnull=True)

    def in_force(self, *, on: dt.date | None = None) -> Self:
        """Return the consents that cover a day, today by default."""
        day = on or timezone.localdate()
        return self.current().filter(
            Q(until__isnull=True) | Q(until__gte=day),
            withdrawn_at__isnull=True,
            given_on__lte=day,
        )

    def withdrawn(self) -> Self:
        """Return the current answers that are a no."""
        return self.current().filter(withdrawn_at__isnull=False)

    def expired(self, *, on: dt.date | None = None) -> Self:
        """Return the current consents whose last day is before a day (today)."""
        day = on or timezone.localdate()
        return self.current().filter(withdrawn_at__isnull=True, until__lt=day)


class Consent(models.Model):
    """One answer: a consent, later perhaps withdrawn, or a refusal.

    A newer answer replaces an older one, which stays on record. The database lets in
    one current answer a student.
    """

    student = models.ForeignKey(
        "classroom.Student",
        on_delete=models.CASCADE,
        related_name="consents",
        verbose_name=_("student"),
    )
    given_by = models.CharField(
        _("who answered"), max_length=150, help_text=_("The name on the form.")
    )
    relation = models.CharField(
        _("relation to the student"),
        max_length=10,
        choices=Relation,
        default=Relation.PARENT,
    )
    given_on = models.DateField(
        _("date"), default=timezone.localdate, help_text=_("The day of the signature.")
    )
    until = models.DateField(
        _("valid until"),
        null=True,
        blank=True,
        help_text=_("The last day; empty: until it is withdrawn."),
    )
    note = models.CharField(
        _("note"),
        max_length=200,
        blank=True,
        help_text=_("For example where the signed form is kept."),
    )
    refused = models.BooleanField(_("refused"), default=False, editable=False)
    recorded_at = models.DateTimeField(_("recorded"), auto_now_add=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("recorded by"),
    )
    withdrawn_at = models.DateTimeField(
        _("withdrawn"), null=True, blank=True, editable=False
    )
    withdrawn_by = models.CharField(
        _("who withdrew it"), max_length=150, blank=True, editable=False
    )
    withdrawal_recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("withdrawal recorded by"),
    )
    replaced_at = models.DateTimeField(_("replaced"), null=True, editable=False)

    objects: ClassVar[ConsentQuerySet] = ConsentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        app_label = "classroom"
        ordering = ["-id"]
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(
                fields=["student"],
                condition=Q(replaced_at__isnull=True),
                name="one_current_answer_a_student",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("given_on")),
                name="consent_ends_after_it_starts",
                violation_error_message=_("The last day is before the first."),
            ),
            models.CheckConstraint(
                condition=Q(refused=False) | Q(withdrawn_at__isnull=False),
                name="a_refusal_is_no_consent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.given_by}, {self.given_on}"

    def clean(self) -> None:
        """Refuse a day that is yet to come, and one before the latest answer.

        An old form that turns up after a withdrawal must not undo it.
        """
        if self.given_on is None:
            return
        if self.given_on > timezone.localdate():
            raise ValidationError(
                {"given_on": ValidationError(_("This day is yet to come."), "future")}
            )
        if self.until is not None and self.until < self.given_on:
            text = _("The last day is before the first.")
            raise ValidationError({"until": ValidationError(text, "too_early")})
        if self.pk is None and self.student_id:
            self._require_newest()

    def _require_newest(self) -> None:
        known = Consent.objects.current().filter(student=self.student_id).first()
        if known is None or self.given_on >= known.answered_on:
            return
        text = _("There is a later answer, of %(day)s.") % {
            "day": known.answered_on.isoformat()
        }
        raise ValidationError({"given_on": ValidationError(text, "not_the_latest")})

    @property
    def answered_on(self) -> dt.date:
        """Return the day of the last word: of the withdrawal, if there was one."""
        if self.withdrawn_at is None:
            return self.given_on
        return timezone.localdate(self.withdrawn_at)

    def state(self, *, on: dt.date | None = None) -> ConsentState:
        """Return what this answer amounts to on a day (today by default)."""
        if self.withdrawn_at is not None:
            return ConsentState.WITHDRAWN
        day = on or timezone.localdate()
        is_over = self.until is not None and self.until < day
        return ConsentState.EXPIRED if is_over else ConsentState.GIVEN


def consent_state(student: str = "pk") -> Case:
    """Return an expression for a row's ConsentState; `student` names its student."""
    mine: dict[str, Any] = {"student": OuterRef(student)}
    answers = Consent.objects
    return Case(
        When(Exists(answers.in_force().filter(**mine)), then=Value(ConsentState.GIVEN)),
        When(
            Exists(answers.withdrawn().filter(**mine)),
            then=Value(ConsentState.WITHDRAWN),
        ),
        When(
            Exists(answers.expired().filter(**mine)), then=Value(ConsentState.EXPIRED)
        ),
        default=Value(ConsentState.NONE),
        output_field=CharField(),
    )


class ErasureReason(models.TextChoices):
    """Why something was deleted."""

    WITHDRAWAL = "withdrawal", _("Consent was refused or withdrawn")
    EXPIRY = "expiry", _("Consent has expired")
    LEFT = "left", _("The student has left the school")
    REQUEST = "request", _("Erasure was asked for")


class ErasureReceiptQuerySet(models.QuerySet["ErasureReceipt"]):
    def for_user(self, user: "User") -> Self:
        """Return all for an admin, else those of the students whom a user may see."""
        from classroom.models import Student

        if user.is_active and user.is_admin:
            return self
        return self.filter(student__in=Student.objects.for_user(user))


class ErasureReceipt(models.Model):
    """Proof of an erasure: what was deleted, when, why, and until when backups hold it.

    It outlives the student with the school's code alone, and is never changed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    student = models.ForeignKey(
        "classroom.Student",
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="erasure_receipts",
        verbose_name=_("student"),
    )
    student_code = models.CharField(_("student ID"), max_length=32, editable=False)
    reason = models.CharField(_("reason"), max_length=10, choices=ErasureReason)
    # {"what": number of rows}, by the names of classroom.holdings.
    counts = models.JSONField(_("deleted"), default=dict, editable=False)
    # [{"model_id", "enrolled_on"}], one a face template.
    templates = models.JSONField(_("face templates"), default=list, editable=False)
    everything = models.BooleanField(
        _("everything was deleted"), default=False, editable=False
    )
    created_at = models.DateTimeField(_("deleted at"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("deleted by"),
    )
    backups_until = models.DateField(_("backups hold it until"), editable=False)

    objects: ClassVar[ErasureReceiptQuerySet] = ErasureReceiptQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        app_label = "classroom"
        ordering = ["-created_at"]
        verbose_name = _("receipt of an erasure")
        verbose_name_plural = _("receipts of erasures")

    def __str__(self) -> str:
        return f"{self.student_code} · {timezone.localtime(self.created_at):%Y-%m-%d}"

    @property
    def number(self) -> str:
        """Return what people read to each other: the first part of the id."""
        return str(self.id).split("-", maxsplit=1)[0].upper()
