"""Ten people, ten photos each: nobody is taken for somebody else.

The photos come from Labeled Faces in the Wild. They are not part of this project; the
tests run where they lie beside it, in a folder a person.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from accounts.tests.factories import make_user
from classroom.models import Student
from classroom.tests.factories import make_class, make_student
from faces.tests.beside import LFW
from faces.tests.photos import upload

ENROLLED = 3  # photos of each person

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not LFW.is_dir(), reason=f"the photos of LFW are not in {LFW}"),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What /face/verify said of one photo; `outcome` names right and wrong matches."""

    photo: str
    outcome: str
    confidence: float | None
    margin: float | None


class School:
    """One class behind the API, and the people who are enrolled in it."""

    def __init__(self) -> None:
        teacher = make_user("Lena Lehmann")
        self.classroom = make_class("People", teacher)
        self.client = APIClient()
        token = AccessToken.for_user(teacher)
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        self.students: dict[str, Student] = {}

    def enrol(self, person: Path) -> list[Path]:
        """Enrol the first photos that are accepted; return all that are left."""
        student = make_student(person.name, self.classroom)
        self.students[person.name] = student
        accepted: list[Path] = []
        for photo in photos_of(person):
            if len(accepted) < ENROLLED and self.register(student, photo):
                accepted.append(photo)
        assert len(accepted) == ENROLLED, person.name
        return [photo for photo in photos_of(person) if photo not in accepted]

    def register(self, student: Student, photo: Path) -> bool:
        body = {"student_id": student.pk, "file": upload(photo.read_bytes())}
        return self.client.post("/face/register", body).status_code == 201

    def verify(self, photo: Path) -> Answer:
        body = {"class_id": self.classroom.pk, "file": upload(photo.read_bytes())}
        told = self.client.post("/face/verify", body).json()
        return Answer(
            photo.stem,
            self.outcome(told, photo.parent.name),
            told.get("confidence"),
            told.get("margin"),
        )

    def outcome(self, told: dict[str, Any], person: str) -> str:
        if "code" in told:
            return str(told["code"])
        if not told["matched"]:
            return str(told["reason"])
        student = self.students.get(person)
        right = student is not None and told["student"]["id"] == student.pk
        return "right" if right else "wrong"


def photos_of(person: Path) -> list[Path]:
    return sorted(person.glob("*.jpg"))


def people() -> list[Path]:
    found = sorted(folder for folder in LFW.iterdir() if folder.is_dir())
    assert len(found) == 10
    assert {len(photos_of(person)) for person in found} == {10}
    return found


@contextmanager
def school(blocker: DjangoDbBlocker) -> Iterator[School]:
    """Yield a school that is gone afterwards, for results that several tests share."""
    with blocker.unblock(), transaction.atomic():
        yield School()
        transaction.set_rollback(True)


def named(answers: Sequence[Answer], *outcomes: str) -> list[Answer]:
    return [answer for answer in answers if answer.outcome in outcomes]


@pytest.fixture(scope="module")
def answers(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> list[Answer]:
    """Enrol all ten people and verify all the photos that were not enrolled."""
    with school(django_db_blocker) as ten:
        left = [photo for person in people() for photo in ten.enrol(person)]
        return [ten.verify(photo) for photo in left]


@pytest.fixture(scope="module")
def strangers(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> list[Answer]:
    """Enrol five people and verify all the photos of the other five."""
    with school(django_db_blocker) as five:
        for person in people()[:5]:
            five.enrol(person)
        shown = [photo for person in people()[5:] for photo in photos_of(person)]
        return [five.verify(photo) for photo in shown]


def test_nobody_is_marked_as_another_person(answers: list[Answer]) -> None:
    assert len(answers) == 70
    assert named(answers, "wrong") == []


def test_nearly_everybody_is_recognised(answers: list[Answer]) -> None:
    # A second person in front of the camera is an answer, not a miss.
    good = named(answers, "right", "multiple_faces")
    assert len(good) >= 0.99 * len(answers), [a for a in answers if a not in good]


def test_a_second_face_is_a_rare_reason_to_try_again(answers: list[Answer]) -> None:
    several = named(answers, "multiple_faces")
    assert len(several) <= 0.08 * len(answers), several


def test_no_stranger_is_marked(strangers: list[Answer]) -> None:
    assert len(strangers) == 50
    outcomes = Counter(answer.outcome for answer in strangers)
    assert set(outcomes) <= {"no_match", "ambiguous", "multiple_faces"}, outcomes
    assert outcomes["no_match"] >= 40, outcomes  # they were looked at
