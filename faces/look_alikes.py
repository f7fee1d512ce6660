"""Students whom a photo confused: remembered, so that the matcher asks for more."""

import datetime as dt
from collections.abc import Collection

from django.db.models import Q

from accounts.models import User
from classroom.models import Student
from faces.models import LookAlikePair


def remember(one: Student, other: Student, *, reason: str, by: User) -> LookAlikePair:
    """Keep two students as look-alikes; a second time changes nothing.

    Raises ValueError for a student and themselves.
    """
    if one.pk == other.pk:
        raise ValueError("a student is no look-alike of themselves")
    first, second = sorted((one.pk, other.pk))
    pair, _ = LookAlikePair.objects.get_or_create(
        first_id=first,
        second_id=second,
        defaults={"reason": reason, "created_by": by},
    )
    return pair


def forget(student: Student, *, since: dt.datetime, by: User) -> None:
    """Drop a student's pairs that somebody has entered since a moment."""
    LookAlikePair.objects.filter(
        Q(first=student) | Q(second=student), created_at__gte=since, created_by=by
    ).delete()


def pairs_among(student_ids: Collection[int]) -> frozenset[frozenset[int]]:
    """Return the pairs of look-alikes among these students, by row id. One query."""
    pairs = LookAlikePair.objects.filter(
        first__in=student_ids, second__in=student_ids
    ).values_list("first__pk", "second__pk")
    return frozenset(frozenset(pair) for pair in pairs)
