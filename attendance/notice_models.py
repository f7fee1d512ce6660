"""Who wants to be told of what, and each mail that was to be sent, once."""

import datetime as dt
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from classroom.models import Classroom, Student


class NoticeSettings(models.Model):
    """What a class sends; nothing, unless somebody asked for it."""

    classroom = models.OneToOneField(
        Classroom,
        on_delete=models.CASCADE,
        related_name="notice_settings",
        verbose_name=_("class"),
    )
    absence = models.BooleanField(
        _("e-mail to the contact on an absence"), default=False
    )
    late = models.BooleanField(_("e-mail to the contact on a late mark"), default=False)
    digest = models.BooleanField(_("weekly digest to the teacher"), default=False)
    # Of the mails to families; teachers have their own.
    language = models.CharField(
        _("language of the mails to families"), max_length=16, blank=True
    )
    # What happened before a kind was chosen is nobody's news.
    absence_since = models.DateTimeField(null=True, editable=False)
    late_since = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[models.Manager["NoticeSettings"]] = models.Manager()

    class Meta:
        app_label = "attendance"
        verbose_name = _("notices of a class")
        verbose_name_plural = _("notices of classes")

    def __str__(self) -> str:
        return str(self.classroom)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep since when each kind is wanted; a choice that stays on keeps its own."""
        before = NoticeSettings.objects.filter(pk=self.pk).first()
        for kind in (NoticeKind.ABSENCE, NoticeKind.LATE):
            if self.wants(kind) and not (before and before.wants(kind)):
                setattr(self, f"{kind}_since", timezone.now())
        super().save(*args, **kwargs)

    def wants(self, kind: "NoticeKind") -> bool:
        return bool(getattr(self, kind.value))

    def tells_of(self, kind: "NoticeKind", moment: dt.datetime) -> bool:
        """Say whether what became certain at a moment is to be told."""
        since: dt.datetime | None = getattr(self, f"{kind.value}_since")
        return self.wants(kind) and since is not None and moment >= since


class NoticeKind(models.TextChoices):
    ABSENCE = "absence", _("Absence")
    LATE = "late", _("Late")
    DIGEST = "digest", _("Weekly digest")


class NoticeState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    DROPPED = "dropped", _("No longer true")
    FAILED = "failed", _("Failed")
    UNCLEAR = "unclear", _("Perhaps sent: the worker died meanwhile")


class Notice(models.Model):
    """One mail. `key` says what it is about, and the database lets each in once."""

    key = models.CharField(max_length=64, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=NoticeKind)
    state = models.CharField(
        _("state"), max_length=8, choices=NoticeState, default=NoticeState.WAITING
    )
    classroom = models.ForeignKey(
        Classroom,
        on_delete=models.CASCADE,
        related_name="notices",
        verbose_name=_("class"),
    )
    session = models.ForeignKey(
        "attendance.Session",
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        verbose_name=_("session"),
    )
    student = models.ForeignKey(
        Student,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        verbose_name=_("student"),
    )
    week = models.DateField(_("week from"), null=True)
    to = models.EmailField(_("to"))
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    fault = models.CharField(_("fault"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("written"), auto_now_add=True)
    tried_at = models.DateTimeField(_("tried"), null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)

    objects: ClassVar[models.Manager["Notice"]] = models.Manager()

    class Meta:
        app_label = "attendance"
        ordering = ["-id"]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        indexes = [models.Index(fields=["state", "id"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.to}"
