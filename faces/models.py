"""Face templates: an encrypted embedding of a student's face and its quality."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from classroom.models import Student
from faces.import_models import ImportedPhoto

__all__ = ["MAX_TEMPLATES", "FaceTemplate", "ImportedPhoto", "LookAlikePair"]

MAX_TEMPLATES = 20  # a student and model: more adds time, not accuracy


class FaceTemplateQuerySet(models.QuerySet["FaceTemplate"]):
    def for_user(self, user: User) -> Self:
        """Return the templates of the students whom a user may see."""
        return self.filter(student__in=Student.objects.for_user(user))

    def of_model(self, model_id: str) -> Self:
        """Return the templates that one model made: the only ones it may compare."""
        return self.filter(model_id=model_id)

    def of_other_models(self, model_id: str) -> Self:
        return self.exclude(model_id=model_id)

    def students(self) -> models.QuerySet[Student]:
        """Return the students whom these templates are of."""
        return Student.objects.filter(pk__in=self.values("student"))


class FaceTemplate(models.Model):
    """One enrolled photo of a student, kept as numbers alone.

    Only templates of the same `model_id` are ever compared. A row is never changed
    but by a key rotation, which leaves the embedding as it is.
    """

    student = models.ForeignKey(
        Student,
        on_delete=models.CASCADE,
        related_name="templates",
        verbose_name=_("student"),
    )
    model_id = models.CharField(_("model"), max_length=128)
    dimension = models.PositiveIntegerField(_("dimension"))
    key_id = models.CharField(_("key"), max_length=16, editable=False)
    sealed_embedding = models.BinaryField(editable=False)
    quality = models.JSONField(_("quality"), default=dict)
    duplicate_reason = models.CharField(
        _("why a look-alike was accepted"), max_length=200, blank=True
    )
    created_at = models.DateTimeField(_("enrolled"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("enrolled by"),
    )

    objects: ClassVar[FaceTemplateQuerySet] = FaceTemplateQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["id"]
        verbose_name = _("face template")
        verbose_name_plural = _("face templates")
        indexes = [models.Index(fields=["model_id", "student"])]

    def __str__(self) -> str:
        return f"{self.student} · {self.model_id}"


class LookAlikePairQuerySet(models.QuerySet["LookAlikePair"]):
    def for_user(self, user: User) -> Self:
        """Return the pairs of whom a user may see both."""
        seen = Student.objects.for_user(user)
        return self.filter(first__in=seen, second__in=seen)


class LookAlikePair(models.Model):
    """Two students whom a photo confused once; the lower row id is `first`."""

    first = models.ForeignKey(
        Student,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("student"),
    )
    second = models.ForeignKey(
        Student,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("looks like"),
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("entered"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("entered by"),
    )

    objects: ClassVar[LookAlikePairQuerySet] = LookAlikePairQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["id"]
        verbose_name = _("pair of look-alikes")
        verbose_name_plural = _("look-alikes")
        constraints = [
            models.UniqueConstraint(
                fields=["first", "second"], name="one_look_alike_pair_a_two"
            ),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")), name="look_alikes_are_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first} · {self.second}"
