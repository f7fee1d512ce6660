"""Galleries: always what the database says now, decrypted once."""

import logging

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from classroom.models import Classroom, Student
from classroom.rosters import end_enrolment, enrol
from faces import gallery, runtime
from faces.models import FaceTemplate
from faces.tests.factories import make_template

pytestmark = pytest.mark.django_db


def owners(classroom: Classroom) -> list[int]:
    found = gallery.for_class(classroom.pk, model_id=runtime.active_model_id())
    return [int(owner) for owner in found.owners]


def test_a_class_has_the_templates_of_its_students_alone(
    maths: Classroom, students: list[Student], outsider: Student
) -> None:
    for person, student in enumerate([*students, outsider], start=1):
        make_template(student, person)
    assert owners(maths) == [student.pk for student in students]


def test_the_school_has_everybodys(students: list[Student], outsider: Student) -> None:
    make_template(students[0], 1)
    make_template(outsider, 2)
    school = gallery.for_school(model_id=runtime.active_model_id())
    assert set(school.owners.tolist()) == {students[0].pk, outsider.pk}


def test_templates_of_another_model_are_never_in_it(
    maths: Classroom, students: list[Student]
) -> None:
    make_template(students[0], 1, model_id="other:1")
    assert owners(maths) == []


def test_it_costs_two_queries_when_new_and_one_when_known(
    maths: Classroom,
    students: list[Student],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_template(students[0], 1)
    with django_assert_num_queries(2):  # which templates, and their sealed bytes
        owners(maths)
    with django_assert_num_queries(1):  # which templates
        owners(maths)


@pytest.mark.parametrize("change", ["enrol", "remove", "leave", "join"])
def test_a_change_is_seen_by_the_next_request(
    maths: Classroom, students: list[Student], outsider: Student, change: str
) -> None:
    make_template(students[0], 1)
    make_template(outsider, 2)
    assert owners(maths) == [students[0].pk]
    if change == "enrol":
        make_template(students[1], 3)
        expected = [students[0].pk, students[1].pk]
    elif change == "remove":
        FaceTemplate.objects.filter(student=students[0]).delete()
        expected = []
    elif change == "leave":
        end_enrolment(maths, [students[0]])
        expected = []
    else:
        enrol(maths, [outsider])
        expected = [students[0].pk, outsider.pk]
    assert sorted(owners(maths)) == sorted(expected)


def test_a_changed_byte_is_reported_and_skipped(
    maths: Classroom, students: list[Student], caplog: pytest.LogCaptureFixture
) -> None:
    broken = make_template(students[0], 1)
    make_template(students[1], 2)
    sealed = bytearray(broken.sealed_embedding)
    sealed[20] ^= 1
    FaceTemplate.objects.filter(pk=broken.pk).update(sealed_embedding=bytes(sealed))
    with caplog.at_level(logging.ERROR, logger="faces.gallery"):
        assert owners(maths) == [students[1].pk]
    assert f"face template {broken.pk} is skipped" in caplog.text


def test_without_the_key_nothing_is_recognised_and_nothing_breaks(
    maths: Classroom, students: list[Student], settings: Settings
) -> None:
    make_template(students[0], 1)
    settings.FACE_TEMPLATE_KEYS = (b"another key of thirty-two bytes!",)
    assert owners(maths) == []
