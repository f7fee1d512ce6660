"""A user's job: work in the background, how far it is and how it ended."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User


class JobState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


UNFINISHED = (JobState.QUEUED, JobState.RUNNING)


class JobQuerySet(models.QuerySet["Job"]):
    def for_user(self, user: "User") -> Self:
        """Return all jobs for an admin, else a user's own."""
        if not user.is_active:
            return self.none()
        return self if user.is_admin else self.filter(owner=user)

    def unfinished(self) -> Self:
        return self.filter(state__in=UNFINISHED)


class Job(models.Model):
    """The truth about a piece of background work; the queue only says "look here".

    `run` names the attempt that works on it now, and `heartbeat_at` when that attempt
    was last known to live: another one takes over only after a pause.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="jobs",
        verbose_name=_("owner"),
    )
    kind = models.CharField(_("kind"), max_length=40)
    state = models.CharField(
        _("state"), max_length=10, choices=JobState, default=JobState.QUEUED
    )
    total = models.PositiveIntegerField(_("parts"), default=0)
    done = models.PositiveIntegerField(_("parts done"), default=0)
    arguments = models.JSONField(default=dict, editable=False)
    # A sealed key that the work needs; gone as soon as the job has ended.
    secret = models.BinaryField(null=True, editable=False)
    result = models.JSONField(_("result"), default=dict)
    error = models.CharField(_("error"), max_length=40, blank=True)
    detail = models.CharField(_("what happened"), max_length=500, blank=True)
    task_id = models.CharField(max_length=64, blank=True, editable=False)
    run = models.CharField(max_length=32, blank=True, editable=False)
    # How often it was begun without a single part getting done.
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    started_at = models.DateTimeField(_("begun"), null=True, editable=False)
    heartbeat_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(_("ended"), null=True, editable=False)

    objects: ClassVar[JobQuerySet] = JobQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        app_label = "accounts"
        ordering = ["-id"]
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [models.Index(fields=["state", "heartbeat_at"])]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=JobState.values), name="job_state_is_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_finished(self) -> bool:
        return self.state not in UNFINISHED
