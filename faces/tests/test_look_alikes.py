"""Look-alikes: kept once, in order, and found among those who are possible."""

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from classroom.models import Student
from faces.look_alikes import pairs_among, remember
from faces.models import LookAlikePair

pytestmark = pytest.mark.django_db


def test_a_pair_is_kept_once_whichever_is_named_first(
    students: list[Student], alice: User, admin: User
) -> None:
    one, other = students[:2]
    first = remember(other, one, reason="Twins", by=alice)
    again = remember(one, other, reason="Said again", by=admin)
    assert again == first
    kept = LookAlikePair.objects.get()
    assert (kept.first, kept.second) == (one, other)
    assert (kept.reason, kept.created_by) == ("Twins", alice)


def test_a_student_is_no_look_alike_of_themselves(
    students: list[Student], alice: User
) -> None:
    with pytest.raises(ValueError, match="themselves"):
        remember(students[0], students[0], reason="", by=alice)


def test_the_database_refuses_a_pair_out_of_order(students: list[Student]) -> None:
    one, other = students[:2]
    with pytest.raises(IntegrityError), transaction.atomic():
        LookAlikePair.objects.create(first=other, second=one)


def test_only_pairs_of_two_possible_students_are_found(
    students: list[Student], outsider: Student, alice: User
) -> None:
    one, other, third = students
    remember(one, other, reason="", by=alice)
    remember(one, outsider, reason="", by=alice)
    pks = [student.pk for student in students]
    assert pairs_among(pks) == frozenset({frozenset({one.pk, other.pk})})
    assert pairs_among([other.pk, third.pk]) == frozenset()


def test_a_stranger_sees_no_pair(
    students: list[Student], alice: User, stranger: User
) -> None:
    pair = remember(students[0], students[1], reason="", by=alice)
    assert list(LookAlikePair.objects.for_user(alice)) == [pair]
    assert not LookAlikePair.objects.for_user(stranger).exists()
