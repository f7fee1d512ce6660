"""What became of each photo of an imported archive."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.job_models import Job
from classroom.models import Student


class PhotoState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    WORKING = "working", _("Being read")
    ENROLLED = "enrolled", _("Enrolled")
    ALREADY = "already", _("Enrolled before")
    REFUSED = "refused", _("Refused")
    UNKNOWN = "unknown", _("No such student")


UNFINISHED = (PhotoState.WAITING, PhotoState.WORKING)


class ImportedPhoto(models.Model):
    """One file of an archive. Its end is written together with its template.

    A job that runs again after a crash passes over every photo that has an end, so that
    none is enrolled twice. `digest` is keyed with the archive's own key: it finds the
    same photo within a job and tells nothing once the job has ended.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="photos")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=255)
    state = models.CharField(
        max_length=10, choices=PhotoState, default=PhotoState.WAITING
    )
    tries = models.PositiveSmallIntegerField(default=0)
    student = models.ForeignKey(
        Student, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    digest = models.CharField(max_length=64, blank=True)
    code = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=300, blank=True)

    objects: ClassVar[models.Manager["ImportedPhoto"]] = models.Manager()

    class Meta:
        app_label = "faces"
        ordering = ["number"]
        verbose_name = _("imported photo")
        verbose_name_plural = _("imported photos")
        constraints = [
            models.UniqueConstraint(
                fields=["job", "number"], name="one_line_a_job_and_photo"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.get_state_display()}"
