"""Strict review: a new photo is closer to the student's own than to anybody else's."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_django import Settings

from accounts.models import User
from classroom.models import Student
from faces import services
from faces.engine.types import Face, Quality
from faces.models import FaceTemplate
from faces.services import CloserToAnother, DuplicateFace
from faces.tests.factories import make_template
from faces.tests.fakes import DIMENSION

pytestmark = pytest.mark.django_db


def towards(first: float, second: float = 0.0, *, rest: int = 2) -> np.ndarray:
    """A unit vector with these cosines to two axes; what is left lies on ``rest``."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[:2] = first, second
    vector[rest] = np.sqrt(1 - first**2 - second**2)
    return vector


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[np.ndarray]:
    """Faces that the photos show, in order; photos themselves are not looked at."""
    settings.FACE_ENROLL_REVIEW = "strict"
    faces: list[np.ndarray] = []

    def face_of(photo: bytes, number: int) -> Face:
        quality = Quality(60, 500, 128, 50, 0, 0, 0, 0, 0.9)
        points = np.zeros((5, 2), np.float32)
        return Face((0, 0, 99, 99), points, 0.9, quality, faces[number - 1])

    monkeypatch.setattr(services, "_face_of", face_of)
    return faces


def register(student: Student, photos: int, by: User, **options: object) -> None:
    services.register(student, [b""] * photos, by=by, **options)  # type: ignore[arg-type]


def test_a_photo_closer_to_another_student_is_refused(
    seen: list[np.ndarray], students: list[Student], alice: User
) -> None:
    make_template(students[0], 0, embedding=towards(1.0))
    make_template(students[1], 1, embedding=towards(0.0, 1.0))
    seen.append(towards(0.3, 0.4))

    with pytest.raises(CloserToAnother) as caught:
        register(students[0], 1, alice)

    assert (caught.value.code, caught.value.status) == ("closer_to_another", 422)
    assert caught.value.extra == {"photo": 1, "own": 0.3, "another": 0.4}
    assert FaceTemplate.objects.count() == 2


def test_it_names_nobody(
    seen: list[np.ndarray], students: list[Student], alice: User
) -> None:
    make_template(students[0], 0, embedding=towards(1.0))
    make_template(students[1], 1, embedding=towards(0.0, 1.0))
    seen.append(towards(0.3, 0.4))

    with pytest.raises(CloserToAnother) as caught:
        register(students[0], 1, alice)

    assert students[1].full_name not in caught.value.detail


def test_a_photo_closest_to_its_own_is_enrolled(
    seen: list[np.ndarray], students: list[Student], alice: User
) -> None:
    make_template(students[0], 0, embedding=towards(1.0))
    make_template(students[1], 1, embedding=towards(0.0, 1.0))
    seen.append(towards(0.4, 0.3))

    register(students[0], 1, alice)

    assert FaceTemplate.objects.filter(student=students[0]).count() == 2


def test_photos_that_come_together_count_as_own(
    seen: list[np.ndarray], students: list[Student], alice: User
) -> None:
    make_template(students[1], 1, embedding=towards(0.0, 1.0))
    seen.extend([towards(0.9, 0.2), towards(0.8, 0.3)])

    register(students[0], 2, alice)

    assert FaceTemplate.objects.filter(student=students[0]).count() == 2


def test_the_photo_to_blame_is_named(
    seen: list[np.ndarray], students: list[Student], alice: User
) -> None:
    make_template(students[1], 1, embedding=towards(0.0, 1.0))
    seen.extend([towards(0.9), towards(0.9), towards(0.1, 0.44, rest=3)])

    with pytest.raises(CloserToAnother) as caught:
        register(students[0], 3, alice)

    assert caught.value.extra["photo"] == 3


def test_a_first_and_only_photo_has_nothing_to_be_compared_with(
    seen: list[np.ndarray], students: list[Student], alice: User
) -> None:
    make_template(students[1], 1, embedding=towards(0.0, 1.0))
    seen.append(towards(0.2, 0.4))

    register(students[0], 1, alice)

    assert FaceTemplate.objects.filter(student=students[0]).count() == 1


def test_in_an_empty_school_nobody_is_closer(
    seen: list[np.ndarray], students: list[Student], alice: User
) -> None:
    seen.append(towards(1.0))

    register(students[0], 1, alice)

    assert FaceTemplate.objects.count() == 1


def test_a_duplicate_is_still_a_duplicate(
    seen: list[np.ndarray], students: list[Student], alice: User
) -> None:
    make_template(students[1], 1, embedding=towards(0.0, 1.0))
    seen.append(towards(0.0, 0.9))

    with pytest.raises(DuplicateFace):
        register(students[0], 1, alice)


def test_twins_are_enrolled_with_a_reason(
    seen: list[np.ndarray], students: list[Student], alice: User
) -> None:
    make_template(students[0], 0, embedding=towards(1.0))
    make_template(students[1], 1, embedding=towards(0.0, 1.0))
    seen.append(towards(0.3, 0.4))

    register(students[0], 1, alice, allow_duplicate=True, reason="Twins")

    assert FaceTemplate.objects.filter(student=students[0]).count() == 2


def test_standard_review_does_not_ask(
    seen: list[np.ndarray],
    students: list[Student],
    alice: User,
    settings: Settings,
) -> None:
    settings.FACE_ENROLL_REVIEW = "standard"
    make_template(students[0], 0, embedding=towards(1.0))
    make_template(students[1], 1, embedding=towards(0.0, 1.0))
    seen.append(towards(0.3, 0.4))

    register(students[0], 1, alice)

    assert FaceTemplate.objects.filter(student=students[0]).count() == 2
