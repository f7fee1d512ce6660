"""Short ways to make classes and students; a test names only what it is about."""

import datetime as dt
import itertools
from typing import Any

from django.utils import timezone

from accounts.models import User
from classroom.models import ClassAccess, Classroom, Enrollment, Student

_numbers = itertools.count(1)


def days(number: int) -> dt.date:
    """Return the day so many days from today; negative ones are past."""
    return timezone.localdate() + dt.timedelta(days=number)


def make_class(name: str, teacher: User, **fields: Any) -> Classroom:
    values = {"class_code": f"C{next(_numbers)}", **fields}
    return Classroom.objects.create(class_name=name, teacher=teacher, **values)


def make_student(name: str = "Somebody", *classes: Classroom, **fields: Any) -> Student:
    """Save a student who has sat in the given classes for 30 days."""
    values = {"student_id": f"S{next(_numbers):04}", **fields}
    student = Student.objects.create(full_name=name, **values)
    for classroom in classes:
        seat(student, classroom)
    return student


def seat(
    student: Student,
    classroom: Classroom,
    *,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
) -> Enrollment:
    return Enrollment.objects.create(
        student=student,
        classroom=classroom,
        starts_on=starts_on or days(-30),
        ends_on=ends_on,
    )


def share(
    classroom: Classroom,
    user: User,
    *,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
) -> ClassAccess:
    return ClassAccess.objects.create(
        classroom=classroom,
        user=user,
        starts_on=starts_on or days(-7),
        ends_on=ends_on,
    )
