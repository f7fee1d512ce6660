"""manage.py faces_calibrate: the school's own templates, judged in memory."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from classroom.models import Classroom, Student
from classroom.tests.factories import make_student
from faces.models import FaceTemplate
from faces.tests.factories import make_template
from faces.tests.fakes import DIMENSION, embedding_of

pytestmark = pytest.mark.django_db


def calibrate(*options: str) -> str:
    out = StringIO()
    call_command("faces_calibrate", *options, stdout=out, verbosity=0)
    return out.getvalue()


def near(person: int, *, to: int, similarity: float) -> np.ndarray:
    """A template of ``person`` with this cosine to the plain one of ``to``."""
    rest = np.sqrt(1 - similarity**2)
    vector = similarity * embedding_of(to) + rest * embedding_of(person)
    return np.asarray(vector, np.float32)


def enrol(student: Student, person: int, photos: int = 2) -> None:
    for _ in range(photos):
        make_template(student, person)


def lines_with(report: str, words: str) -> list[str]:
    return [line for line in report.splitlines() if words in line]


def test_students_who_are_unlike_are_nobodys_look_alikes(
    students: Sequence[Student],
) -> None:
    for person, student in enumerate(students, start=1):
        enrol(student, person)

    report = calibrate()

    assert "6 templates of 3 students" in report
    assert "None: no two students are 0.44 alike." in report
    assert "unlike" not in report.split("None:")[1]


def test_look_alikes_are_named_with_their_class(students: Sequence[Student]) -> None:
    cleo, dan, eva = students
    enrol(cleo, 1)
    enrol(eva, 3)
    make_template(dan, 2, embedding=near(2, to=1, similarity=0.5))

    (line,) = lines_with(calibrate(), "Castro")

    assert f"{cleo.full_name} ({cleo.student_id}, id {cleo.pk})" in line
    assert f"{dan.full_name} ({dan.student_id}, id {dan.pk})" in line
    assert "0.50, both in Maths" in line
    assert eva.full_name not in line


def test_look_alikes_of_different_classes_are_named_too(
    students: Sequence[Student], outsider: Student
) -> None:
    enrol(students[0], 1)
    make_template(outsider, 2, embedding=near(2, to=1, similarity=0.5))

    (line,) = lines_with(calibrate(), outsider.full_name)

    assert line.endswith("no common class")


def test_a_face_enrolled_twice_is_called_so(students: Sequence[Student]) -> None:
    enrol(students[0], 1)
    make_template(students[1], 2, embedding=near(2, to=1, similarity=0.9))

    assert "perhaps one person enrolled twice" in calibrate()


def test_a_photo_unlike_the_students_others_is_named(
    students: Sequence[Student],
) -> None:
    enrol(students[0], 1)
    odd = make_template(students[0], 5)
    enrol(students[1], 2)

    (line,) = lines_with(calibrate(), "at most")

    assert students[0].full_name in line
    assert f"template {odd.pk} " in line


def test_only_templates_of_the_active_model_are_compared(
    students: Sequence[Student],
) -> None:
    for person, student in enumerate(students[:2], start=1):
        enrol(student, person)
        make_template(student, 1, model_id="older:000000000000")

    report = calibrate()

    assert "4 templates of 2 students" in report
    assert "None: no two students" in report


def test_a_template_that_cannot_be_opened_is_left_out(
    students: Sequence[Student],
) -> None:
    for person, student in enumerate(students, start=1):
        enrol(student, person)
    broken = FaceTemplate.objects.filter(student=students[2])
    broken.update(sealed_embedding=b"\0" * 540)

    assert "4 templates of 2 students" in calibrate()


@pytest.mark.parametrize("enrolled", [0, 1])
def test_fewer_than_two_students_are_too_few(
    students: Sequence[Student], enrolled: int
) -> None:
    for student in students[:enrolled]:
        enrol(student, 1)

    with pytest.raises(CommandError, match=f": {enrolled}. Enrol at least two"):
        calibrate()


def test_single_photos_say_that_there_are_too_few(students: Sequence[Student]) -> None:
    for person, student in enumerate(students, start=1):
        make_template(student, person)

    assert "too few pairs" in calibrate()


def test_a_whole_school_gets_a_sentence(maths: Classroom) -> None:
    random = np.random.default_rng(3)
    for number in range(20):
        student = make_student(f"Student {number}", maths)
        face = random.normal(size=DIMENSION)
        for _ in range(3):
            vector = face + random.normal(0, 0.6, DIMENSION)
            unit = (vector / np.linalg.norm(vector)).astype(np.float32)
            make_template(student, 0, embedding=unit)

    report = calibrate()

    assert "60 templates of 20 students" in report
    words = report.split("## In plain words")[1].split("##")[0]
    assert "At 0.44 expect" in words
    assert "sessions of 30 students" in words


def test_it_writes_charts_and_scores_without_names(
    students: Sequence[Student], tmp_path: Path
) -> None:
    for person, student in enumerate(students, start=1):
        enrol(student, person)

    calibrate("--output", str(tmp_path))

    assert {path.name for path in tmp_path.iterdir()} == {
        "report.md",
        "scores.csv",
        "scores.png",
        "det.png",
    }
    first = FaceTemplate.objects.order_by("id")[0]
    scores = (tmp_path / "scores.csv").read_text("utf-8").splitlines()
    assert len(scores) == 1 + 15
    assert scores[1].startswith(f"{first.pk},{first.pk + 1},1,")


def test_the_number_of_look_alikes_costs_no_queries(
    students: Sequence[Student], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for student in students:
        enrol(student, 1)

    # The number of templates, the templates, the students, their classes.
    with django_assert_num_queries(4):
        report = calibrate()

    assert len(lines_with(report, "perhaps one person")) == 3
