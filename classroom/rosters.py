"""Put students into classes and take them out, day by day."""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.audit import Event, Line
from accounts.errors import DomainError
from accounts.models import User
from classroom.models import Classroom, Enrollment, Student


class ClassArchived(DomainError):
    code = "class_archived"
    default_detail = _(
        "This class is archived. Bring it back before you enrol students."
    )


@transaction.atomic
def enrol(
    classroom: Classroom,
    students: Iterable[Student],
    *,
    on: dt.date | None = None,
    by: User | None = None,
) -> list[Enrollment]:
    """Give the students a seat from a day on (today by default); keep those who sit.

    A seat that was planned to begin later begins on that day instead. Returns the
    enrolments that were added or moved forward; raises ClassArchived. The audit log
    keeps it where a person, `by`, did it; an import writes a line of its own.
    """
    day = on or timezone.localdate()
    # The open enrolment is unique; locking the class makes the question and the
    # answer one step for two requests at once.
    locked = Classroom.objects.select_for_update().get(pk=classroom.pk)
    if locked.is_archived:
        raise ClassArchived
    wanted = {student.pk: student for student in students}
    first_seats: dict[int, Enrollment] = {}
    for seat in seats_after(classroom, wanted.values(), day=day):
        first_seats.setdefault(seat.student_id, seat)
    planned = [seat for seat in first_seats.values() if seat.starts_on > day]
    for seat in planned:
        seat.starts_on = day
    Enrollment.objects.bulk_update(planned, ["starts_on"])
    added = Enrollment.objects.bulk_create(
        Enrollment(classroom=classroom, student=student, starts_on=day)
        for student in wanted.values()
        if student.pk not in first_seats
    )
    seats = [*planned, *added]
    _tell(classroom, "enrolled", [seat.student_id for seat in seats], by=by)
    return seats


@transaction.atomic
def end_enrolment(
    classroom: Classroom,
    students: Iterable[Student],
    *,
    on: dt.date | None = None,
    by: User | None = None,
) -> list[int]:
    """End the students' seats on a day (today by default); the past stays as it was.

    A seat that had not begun yet is removed. Returns the row ids of the students who
    had a seat, in order. The audit log keeps it where a person, `by`, did it.
    """
    day = on or timezone.localdate()
    Classroom.objects.select_for_update().get(pk=classroom.pk)
    seats = seats_after(classroom, students, day=day)
    ended = sorted({seat.student_id for seat in seats})
    seats.filter(starts_on__gt=day).delete()
    seats.update(ends_on=day)
    _tell(classroom, "ended", ended, by=by)
    return ended


def _tell(
    classroom: Classroom, what: str, student_ids: Iterable[int], *, by: User | None
) -> None:
    if by is None:
        return
    audit.write_all(
        [
            Line(Event.CHANGED, Student(pk=pk), {"what": what, "class": classroom.pk})
            for pk in sorted(student_ids)
        ],
        by=by,
    )


def seats_after(
    classroom: Classroom, students: Iterable[Student], *, day: dt.date
) -> QuerySet[Enrollment]:
    """Return the seats that hold on a day or begin later, the earliest first."""
    return Enrollment.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=day),
        classroom=classroom,
        student__in=[student.pk for student in students],
    ).order_by("starts_on", "id")
