"""A class's roster as pages show it: enrolment, rate and last seen, in one query."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from attendance.models import Record, Status
from attendance.register import HERE
from classroom.models import (
    Classroom,
    ConsentState,
    Enrollment,
    Student,
    consent_state,
)
from faces.api import enrolled_templates
from faces.consent import is_asked

# Who misses a tenth of the school days is called chronically absent (U.S. Department of
# Education); most schools act on that line.
LOW_RATE = 0.9

COUNTED = (Status.PRESENT, Status.LATE, Status.ABSENT)


class Show(TextChoices):
    """What of a roster is shown."""

    ALL = "all", _("All")
    NO_FACE = "no-face", _("Without a face")
    LOW = "low", _("Low attendance")
    NEVER = "never", _("Never seen")
    NO_CONSENT = "no-consent", _("Without a consent")


@dataclass(frozen=True, slots=True)
class Seat:
    """A student of the class today and what the register says of them."""

    student: Student
    has_face: bool
    here: int
    counted: int
    last_seen: dt.date | None
    consent: str

    @property
    def said_no(self) -> bool:
        return is_asked() and self.consent == ConsentState.WITHDRAWN

    @property
    def lacks_consent(self) -> bool:
        """Say whether the family is still to be asked, or to be asked again."""
        answered = (ConsentState.GIVEN, ConsentState.WITHDRAWN)
        return is_asked() and self.consent not in answered

    @property
    def rate(self) -> float | None:
        """Present or late among present, late and absent (0 to 1), as in reports."""
        return self.here / self.counted if self.counted else None

    @property
    def percent(self) -> int | None:
        return None if self.rate is None else int(100 * self.rate + 0.5)

    @property
    def is_low(self) -> bool:
        return self.rate is not None and self.rate < LOW_RATE

    def is_shown(self, show: str) -> bool:
        return {
            Show.NO_FACE: not self.has_face,
            Show.NO_CONSENT: self.lacks_consent,
            Show.LOW: self.is_low,
            Show.NEVER: self.counted > 0 and self.last_seen is None,
        }.get(Show(show), True)

    def matches(self, words: str) -> bool:
        """Say whether name or code holds every word; capitals don't count."""
        # Not in the database: SQLite folds the capitals of ASCII alone.
        text = f"{self.student.full_name} {self.student.student_id}".casefold()
        return all(word in text for word in words.casefold().split())


def roster(classroom: Classroom) -> list[Seat]:
    """Return who sits in a class today, by name; one query, however large it is."""
    mine = Q(records__session__classroom=classroom)
    here = mine & Q(records__status__in=HERE)
    students: QuerySet[Any] = Student.objects.in_class(classroom.pk).annotate(
        has_face=Exists(enrolled_templates().filter(student=OuterRef("pk"))),
        here=Count("records", filter=here),
        counted=Count("records", filter=mine & Q(records__status__in=COUNTED)),
        last_seen=Max("records__session__date", filter=here),
        consent=consent_state(),
    )
    return [
        Seat(one, one.has_face, one.here, one.counted, one.last_seen, one.consent)
        for one in students
    ]


def class_rate(seats: Sequence[Seat]) -> int | None:
    """Return the per cent of counted lines that were present or late."""
    counted = sum(seat.counted for seat in seats)
    if not counted:
        return None
    return int(100 * sum(seat.here for seat in seats) / counted + 0.5)


@dataclass(frozen=True, slots=True)
class ClassOfStudent:
    """A class that a student sits or sat in, with the student's rate there."""

    classroom: Classroom
    is_current: bool
    here: int
    counted: int

    @property
    def percent(self) -> int | None:
        return int(100 * self.here / self.counted + 0.5) if self.counted else None


def classes_of(student: Student, *, user: User) -> list[ClassOfStudent]:
    """Return a student's classes that the user may see, today's first; two queries."""
    day = timezone.localdate()
    seats = (
        Enrollment.objects.for_user(user)
        .filter(student=student, starts_on__lte=day)
        .select_related("classroom")
    )
    counts = {
        classroom: (here, counted)
        for classroom, here, counted in Record.objects.filter(student=student)
        .order_by()
        .values_list("session__classroom")
        .annotate(
            here=Count("pk", filter=Q(status__in=HERE)),
            counted=Count("pk", filter=Q(status__in=COUNTED)),
        )
    }
    found: dict[int, ClassOfStudent] = {}
    for seat in seats:
        is_current = seat.ends_on is None or seat.ends_on > day
        before = found.get(seat.classroom_id)
        found[seat.classroom_id] = ClassOfStudent(
            seat.classroom,
            is_current or (before is not None and before.is_current),
            *counts.get(seat.classroom_id, (0, 0)),
        )
    return sorted(found.values(), key=lambda one: not one.is_current)
