"""What is planned: weekly slots of a class, days off, and absences known before."""

import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from accounts.models import User
from classroom.models import Classroom, Student

# ISO 8601 counts the days of a week from Monday, 1, to Sunday, 7.
WEEKDAY_CHOICES = [(number + 1, name) for number, name in sorted(WEEKDAYS.items())]

LATE_AFTER = 10
MAX_GRACE = 24 * 60


def yesterday() -> dt.date:
    """Return the day before today."""
    return timezone.localdate() - dt.timedelta(days=1)


class SlotQuerySet(models.QuerySet["Slot"]):
    def for_user(self, user: User) -> Self:
        """Return the slots of the classes a user may see."""
        return self.filter(classroom__in=Classroom.objects.for_user(user))

    def within(self, first: dt.date, last: dt.date) -> Self:
        """Return the slots that hold on some day of a period, both days included."""
        return self.filter(
            Q(last_date__isnull=True) | Q(last_date__gte=first), first_date__lte=last
        )

    def due(self, today: dt.date) -> Self:
        """Return the slots whose sessions up to today were not all opened yet."""
        return self.filter(
            Q(last_date__isnull=True) | Q(last_date__gt=F("made_until")),
            made_until__lt=today,
            first_date__lte=today,
        )


class Slot(models.Model):
    """A lesson of the week: each week of its period has a session of its own."""

    classroom = models.ForeignKey(
        Classroom,
        on_delete=models.CASCADE,
        related_name="slots",
        verbose_name=_("class"),
    )
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=WEEKDAY_CHOICES)
    start = models.TimeField(_("start"))
    end = models.TimeField(
        _("end"), help_text=_("Not after the start: on the next day.")
    )
    room = models.CharField(_("room"), max_length=40, blank=True)
    grace_minutes = models.PositiveSmallIntegerField(
        _("grace minutes"),
        default=LATE_AFTER,
        validators=[MaxValueValidator(MAX_GRACE)],
        help_text=_("Marked later than this after the start is late."),
    )
    first_date = models.DateField(_("first day"), default=timezone.localdate)
    last_date = models.DateField(_("last day"), null=True, blank=True)
    # Each day's session is made once: one that was deleted or moved stays so.
    made_until = models.DateField(default=yesterday, editable=False)

    objects: ClassVar[SlotQuerySet] = SlotQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["weekday", "start", "first_date", "id"]
        verbose_name = _("timetable slot")
        verbose_name_plural = _("timetable")
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__gte=1, weekday__lte=7),
                name="slot_weekday_is_one_of_seven",
            ),
            models.CheckConstraint(
                condition=~Q(end=F("start")),
                name="slot_end_is_not_its_start",
                violation_error_message=_("The end can't be the start."),
            ),
            models.CheckConstraint(
                condition=Q(last_date__isnull=True) | Q(last_date__gte=F("first_date")),
                name="slot_ends_after_it_starts",
                violation_error_message=_("The last day is before the first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.start:%H:%M}–{self.end:%H:%M}"

    def occurs_on(self, day: dt.date) -> bool:
        """Say whether a day of the week and of the period is this slot's."""
        last = self.last_date or dt.date.max
        return day.isoweekday() == self.weekday and self.first_date <= day <= last


class ClosureQuerySet(models.QuerySet["Closure"]):
    def for_user(self, user: User) -> Self:
        """Return all: the school's calendar is everybody's who has an account."""
        return self if user.is_active else self.none()

    def within(self, first: dt.date, last: dt.date) -> Self:
        """Return the closures that touch a period, both days included."""
        return self.filter(first_date__lte=last, last_date__gte=first)

    def covers(self, day: dt.date) -> bool:
        return self.within(day, day).exists()


class Closure(models.Model):
    """Days on which the school has no lessons, both days included."""

    first_date = models.DateField(_("first day"))
    last_date = models.DateField(_("last day"))
    name = models.CharField(_("name"), max_length=200)
    # Which event of a calendar it came from, so that the file can be read again.
    source_key = models.CharField(max_length=64, blank=True, editable=False)

    objects: ClassVar[ClosureQuerySet] = ClosureQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["first_date", "last_date", "id"]
        verbose_name = _("closure")
        verbose_name_plural = _("closures")
        constraints = [
            models.CheckConstraint(
                condition=Q(last_date__gte=F("first_date")),
                name="closure_ends_after_it_starts",
                violation_error_message=_("The last day is before the first."),
            ),
            models.UniqueConstraint(
                fields=["source_key"],
                condition=~Q(source_key=""),
                name="one_closure_an_event",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PlannedAbsenceQuerySet(models.QuerySet["PlannedAbsence"]):
    def for_user(self, user: User) -> Self:
        """Return the planned absences of the students whom a user may see."""
        return self.filter(student__in=Student.objects.for_user(user))

    def within(self, first: dt.date, last: dt.date) -> Self:
        """Return those that touch a period, both days included."""
        return self.filter(first_date__lte=last, last_date__gte=first)


class PlannedAbsence(models.Model):
    """Days on which a student is excused, both days included."""

    student = models.ForeignKey(
        Student,
        on_delete=models.CASCADE,
        related_name="planned_absences",
        verbose_name=_("student"),
    )
    first_date = models.DateField(_("first day"))
    last_date = models.DateField(_("last day"))
    reason = models.CharField(_("reason"), max_length=200)
    created_at = models.DateTimeField(_("entered"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("entered by"),
    )
    history = HistoricalRecords(excluded_fields=["created_at", "created_by"])

    objects: ClassVar[PlannedAbsenceQuerySet] = PlannedAbsenceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-first_date", "-id"]
        verbose_name = _("planned absence")
        verbose_name_plural = _("planned absences")
        constraints = [
            models.CheckConstraint(
                condition=Q(last_date__gte=F("first_date")),
                name="planned_absence_ends_after_it_starts",
                violation_error_message=_("The last day is before the first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student} · {self.first_date}–{self.last_date}"
