"""The register: sessions of a class and one record a student and session."""

import datetime as dt
from collections import defaultdict
from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from accounts.models import User
from attendance.clock import moment_of, school_day
from attendance.evidence_models import SentPhoto
from attendance.notice_models import Notice, NoticeSettings
from attendance.report_models import AbsenceRule
from attendance.timetable_models import LATE_AFTER, MAX_GRACE, Slot
from classroom.models import Classroom, Student

__all__ = [
    "AbsenceRule",
    "Notice",
    "NoticeSettings",
    "Record",
    "RecordQuerySet",
    "SentPhoto",
    "Session",
    "SessionQuerySet",
    "Slot",
    "Source",
    "Status",
]


class Status(models.TextChoices):
    PRESENT = "present", _("Present")
    LATE = "late", _("Late")
    ABSENT = "absent", _("Absent")
    EXCUSED = "excused", _("Excused")


class Source(models.TextChoices):
    FACE = "face", _("Face")
    MANUAL = "manual", _("By hand")
    IMPORT = "import", _("Import")
    # Written when a session closes; unlike a person's word, a face may correct it.
    RULE = "rule", _("Rule")


class SessionQuerySet(models.QuerySet["Session"]):
    def for_user(self, user: User) -> Self:
        """Return the sessions of the classes a user may see."""
        return self.filter(classroom__in=Classroom.objects.for_user(user))

    def open(self) -> Self:
        return self.filter(closed_at__isnull=True)


class Session(models.Model):
    """One meeting of a class, in the school's own time; ad hoc without a start."""

    classroom = models.ForeignKey(
        Classroom,
        # A register must not vanish with its class: archive the class instead.
        on_delete=models.PROTECT,
        related_name="sessions",
        verbose_name=_("class"),
    )
    date = models.DateField(_("date"))
    start = models.TimeField(_("start"), null=True, blank=True)
    end = models.TimeField(_("end"), null=True, blank=True)
    grace_minutes = models.PositiveSmallIntegerField(
        _("grace minutes"),
        default=LATE_AFTER,
        validators=[MaxValueValidator(MAX_GRACE)],
        help_text=_("Marked later than this after the start is late."),
    )
    room = models.CharField(_("room"), max_length=40, blank=True)
    # The slot may change or go; what it made keeps its own times.
    slot = models.ForeignKey(
        Slot,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="sessions",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)
    reopened_at = models.DateTimeField(null=True, editable=False)
    history = HistoricalRecords(
        excluded_fields=["created_at", "created_by", "slot", "reopened_at"]
    )

    objects: ClassVar[SessionQuerySet] = SessionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-date", "-start", "-id"]
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        # A page of records is read in the order of days, not sorted from all of them.
        indexes = [models.Index(fields=["date"])]
        constraints = [
            models.UniqueConstraint(
                fields=["classroom", "date", "start"],
                name="one_session_a_class_date_and_start",
            ),
            # NULLs don't collide by themselves.
            models.UniqueConstraint(
                fields=["classroom", "date"],
                condition=Q(start__isnull=True),
                name="one_ad_hoc_session_a_class_and_date",
            ),
            models.CheckConstraint(
                condition=Q(start__isnull=False) | Q(end__isnull=True),
                name="session_end_needs_a_start",
                violation_error_message=_("A session with an end needs a start."),
            ),
        ]

    def __str__(self) -> str:
        when = f"{self.date} {self.start:%H:%M}" if self.start else f"{self.date}"
        return f"{self.classroom.class_code} · {when}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    def starts_at(self) -> dt.datetime | None:
        """Return the start, a time of the school's clock, as a moment in UTC."""
        return None if self.start is None else moment_of(self.date, self.start)

    def ends_at(self) -> dt.datetime | None:
        """Return the end in UTC; an end before the start is on the next day."""
        if self.start is None or self.end is None:
            return None
        next_day = self.end <= self.start
        day = self.date + dt.timedelta(days=1) if next_day else self.date
        begin, end = moment_of(self.date, self.start), moment_of(day, self.end)
        if end > begin:
            return end
        # The clock change took the lesson's hour: it lasts as long as was planned.
        planned = dt.datetime.combine(day, self.end)
        return begin + (planned - dt.datetime.combine(self.date, self.start))

    def is_over(self, moment: dt.datetime) -> bool:
        """Say whether the session has ended; without an end it lasts until midnight."""
        end = self.ends_at()
        if end is None:
            return school_day(moment) > self.date
        return moment >= end

    def is_due(self, moment: dt.datetime) -> bool:
        """Say whether the session should be closed without anybody's asking.

        That is at its end; for one that a person reopened or entered after its end, at
        the end of the day on which they did.
        """
        by_hand = self.created_at if self.slot_id is None else None
        touched = self.reopened_at or by_hand
        if touched is not None and self.is_over(touched):
            return school_day(moment) > school_day(touched)
        return self.is_over(moment)

    def status_at(self, moment: dt.datetime) -> Status:
        """Return present, or late after the grace minutes."""
        start = self.starts_at()
        if start is None:
            return Status.PRESENT
        late = moment > start + dt.timedelta(minutes=self.grace_minutes)
        return Status.LATE if late else Status.PRESENT


class RecordQuerySet(models.QuerySet["Record"]):
    def for_user(self, user: User) -> Self:
        """Return the records of the classes a user may see."""
        return self.filter(session__in=Session.objects.for_user(user))

    def status_counts(self, per: str) -> defaultdict[int, dict[str, int]]:
        """Return how many lines have each status, by the values of the field `per`.

        One query. What has no line has no entry, and is empty where it is asked for.
        """
        counts: defaultdict[int, dict[str, int]] = defaultdict(dict)
        rows = self.order_by().values_list(per, "status")
        for key, status, number in rows.annotate(number=models.Count("pk")):
            counts[key][status] = number
        return counts


class Record(models.Model):
    """One line of the register: a student's status in a session."""

    session = models.ForeignKey(
        Session,
        on_delete=models.CASCADE,
        related_name="records",
        verbose_name=_("session"),
    )
    student = models.ForeignKey(
        Student,
        on_delete=models.CASCADE,
        related_name="records",
        verbose_name=_("student"),
    )
    status = models.CharField(_("status"), max_length=8, choices=Status)
    source = models.CharField(_("source"), max_length=8, choices=Source)
    confidence_score = models.FloatField(
        _("similarity"),
        null=True,
        blank=True,
        help_text=_("Cosine of the best template, -1 to 1; empty without a face."),
    )
    # Whom the face was nearly as close to: the one who it was, if it wasn't this one.
    runner_up = models.ForeignKey(
        Student,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    marked_at = models.DateTimeField(_("marked at"))
    marked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("marked by"),
    )
    note = models.CharField(_("note"), max_length=500, blank=True)
    # What speaks against a mark by face, see `attendance/evidence.py`; a person's word
    # ends it.
    flags = models.JSONField(_("flags"), default=list, blank=True, editable=False)
    history = HistoricalRecords()

    objects: ClassVar[RecordQuerySet] = RecordQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-session__date", "student__full_name", "id"]
        verbose_name = _("record")
        verbose_name_plural = _("records")
        constraints = [
            models.UniqueConstraint(
                fields=["session", "student"], name="one_record_a_session_and_student"
            ),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="record_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="record_source_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student} · {self.session} · {self.get_status_display()}"

    @property
    def warnings(self) -> list[str]:
        """Return the flags in words."""
        from attendance.evidence import sentence

        return [sentence(flag) for flag in self.flags]
