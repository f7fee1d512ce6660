"""Classes, students and who sits in which class on which day."""

import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.search import holding
from classroom.consent_models import (
    Consent,
    ConsentState,
    ErasureReceipt,
    Relation,
    consent_state,
)
from classroom.contacts import AddressesField

__all__ = [
    "ClassAccess",
    "Classroom",
    "Consent",
    "ConsentState",
    "Enrollment",
    "ErasureReceipt",
    "Relation",
    "Student",
    "consent_state",
    "current_school_year",
    "school_year_on",
]

FIRST_MONTH = 8  # A school year begins in August.


def school_year_on(day: dt.date) -> str:
    """Return the school year a day lies in, such as 2026/27."""
    first = day.year if day.month >= FIRST_MONTH else day.year - 1
    return f"{first}/{(first + 1) % 100:02}"


def current_school_year() -> str:
    return school_year_on(timezone.localdate())


class ClassroomQuerySet(models.QuerySet["Classroom"]):
    def for_user(self, user: User, *, on: dt.date | None = None) -> Self:
        """Return the classes a user may see: all for an admin, else their own.

        A class is a teacher's own as its main teacher, or through a `ClassAccess`
        that holds on the day `on` (today by default).
        """
        if not user.is_active:
            return self.none()
        if user.is_admin:
            return self
        shared = ClassAccess.objects.current(on=on).filter(user=user)
        return self.filter(Q(teacher=user) | Q(pk__in=shared.values("classroom")))

    def current(self) -> Self:
        """Return the classes that are not archived."""
        return self.filter(archived_at__isnull=True)

    def search(self, words: str) -> Self:
        """Return the classes whose name or code holds every one of the words."""
        return holding(self, words, "class_name", "class_code")


class Classroom(models.Model):
    class_name = models.CharField(_("name"), max_length=100)
    class_code = models.CharField(_("code"), max_length=32)
    school_year = models.CharField(
        _("school year"),
        max_length=16,
        default=current_school_year,
        help_text=_("For example 2026/27; a new one begins in August."),
    )
    teacher = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="classrooms",
        verbose_name=_("teacher"),
    )
    archived_at = models.DateTimeField(
        _("archived"), null=True, blank=True, editable=False
    )

    objects: ClassVar[ClassroomQuerySet] = ClassroomQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-school_year", "class_code", "id"]
        verbose_name = _("class")
        verbose_name_plural = _("classes")
        constraints = [
            models.UniqueConstraint(
                fields=["class_code", "school_year"],
                name="one_class_a_code_and_year",
                violation_error_message=_("This code is taken in this school year."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.class_name} ({self.class_code}, {self.school_year})"

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None


class ClassAccessQuerySet(models.QuerySet["ClassAccess"]):
    def current(self, *, on: dt.date | None = None) -> Self:
        """Return the rights that hold on a day (today by default)."""
        day = on or timezone.localdate()
        return self.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day
        )

    def for_user(self, user: User) -> Self:
        """Return who else may see the classes that a user may see."""
        return self.filter(classroom__in=Classroom.objects.for_user(user))


class ClassAccess(models.Model):
    """A co-teacher's or substitute's right to a class, both days included."""

    classroom = models.ForeignKey(
        Classroom,
        on_delete=models.CASCADE,
        related_name="accesses",
        verbose_name=_("class"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="accesses",
        verbose_name=_("teacher"),
    )
    starts_on = models.DateField(_("from"), default=timezone.localdate)
    ends_on = models.DateField(_("until"), null=True, blank=True)

    objects: ClassVar[ClassAccessQuerySet] = ClassAccessQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["classroom", "starts_on", "id"]
        verbose_name = _("co-teacher or substitute")
        verbose_name_plural = _("co-teachers and substitutes")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="access_ends_after_it_starts",
                violation_error_message=_("The last day is before the first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.classroom}"


class StudentQuerySet(models.QuerySet["Student"]):
    def for_user(self, user: User) -> Self:
        """Return all students for an admin, else those who sit in an own class now."""
        if not user.is_active:
            return self.none()
        if user.is_admin:
            return self
        own = Enrollment.objects.current().filter(
            classroom__in=Classroom.objects.for_user(user)
        )
        return self.filter(pk__in=own.values("student"))

    def in_class(self, classroom_id: int, *, on: dt.date | None = None) -> Self:
        """Return the roster of a class on a day (today by default)."""
        seats = Enrollment.objects.current(on=on).filter(classroom_id=classroom_id)
        return self.filter(pk__in=seats.values("student"))

    def with_classes(self, user: User) -> Self:
        """Load, with one query more, the seats that `Student.class_ids` names.

        They are today's seats in classes that are not archived and that the user may
        see, the earliest first.
        """
        seats = Enrollment.objects.seated().for_user(user)
        return self.prefetch_related(
            models.Prefetch(
                "enrollments",
                queryset=seats.order_by("starts_on", "id"),
                to_attr="visible_seats",
            )
        )

    def search(self, words: str) -> Self:
        """Return the students whose name or code holds every one of the words."""
        return holding(self, words, "full_name", "student_id")


class Student(models.Model):
    student_id = models.CharField(
        _("student ID"), max_length=32, unique=True, help_text=_("The school's code.")
    )
    full_name = models.CharField(_("full name"), max_length=150)
    email = AddressesField(
        _("e-mail addresses"),
        max_length=500,
        blank=True,
        help_text=_("Of the family, with commas between: each gets its own mails."),
    )
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    classrooms = models.ManyToManyField(
        Classroom, through="Enrollment", related_name="students"
    )

    # Set by `StudentQuerySet.with_classes`; what a user may see differs.
    visible_seats: "list[Enrollment]"

    objects: ClassVar[StudentQuerySet] = StudentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["full_name", "id"]
        verbose_name = _("student")
        verbose_name_plural = _("students")

    def __str__(self) -> str:
        return f"{self.full_name} ({self.student_id})"

    @property
    def class_ids(self) -> list[int]:
        """Return the current classes' row ids; needs `StudentQuerySet.with_classes`."""
        return [seat.classroom_id for seat in self.visible_seats]


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def current(self, *, on: dt.date | None = None) -> Self:
        """Return the enrolments that hold on a day (today by default)."""
        day = on or timezone.localdate()
        return self.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gt=day), starts_on__lte=day
        )

    def seated(self) -> Self:
        """Return today's enrolments in classes that are not archived."""
        return self.current().filter(classroom__archived_at__isnull=True)

    def for_user(self, user: User) -> Self:
        """Return the enrolments in the classes a user may see."""
        return self.filter(classroom__in=Classroom.objects.for_user(user))


class Enrollment(models.Model):
    """A student's seat in a class, from `starts_on` until the day before `ends_on`.

    A student who leaves today is off today's roster at once, and one who was put into
    the wrong class by mistake was never there: both days are then the same.
    """

    student = models.ForeignKey(
        Student,
        on_delete=models.CASCADE,
        related_name="enrollments",
        verbose_name=_("student"),
    )
    classroom = models.ForeignKey(
        Classroom,
        on_delete=models.CASCADE,
        related_name="enrollments",
        verbose_name=_("class"),
    )
    starts_on = models.DateField(_("from"), default=timezone.localdate)
    ends_on = models.DateField(_("left on"), null=True, blank=True)

    objects: ClassVar[EnrollmentQuerySet] = EnrollmentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["starts_on", "id"]
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="enrolment_ends_after_it_starts",
                violation_error_message=_(
                    "The student can't leave before the first day."
                ),
            ),
            models.UniqueConstraint(
                fields=["student", "classroom"],
                condition=Q(ends_on__isnull=True),
                name="one_open_enrolment_a_student_and_class",
                violation_error_message=_("This student is already in this class."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.student} · {self.classroom}"
