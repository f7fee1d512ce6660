"""A school of any size for trying out lists and speed: the same one every time.

Its faces are made-up vectors: nobody is recognised by them. `demo_school` without a
size has real ones.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from numpy.typing import NDArray
from simple_history.utils import bulk_create_with_history

from accounts.models import Role, User
from attendance.demo import ADMIN, TEACHERS, make_user
from attendance.models import Record, Session, Source, Status
from classroom.models import Classroom, Enrollment, Student
from faces import runtime, vault
from faces.models import FaceTemplate

Report = Callable[[str, int, int], None]  # what, how many done, of how many
ModelT = TypeVar("ModelT", bound=Model)

SEED = 20260801
BATCH = 2000
PHOTOS = 3  # a student
WITHOUT_FACE = 0.05
OLD_MODEL = "retired:000000000000"
WITH_OLD_MODEL = 0.02
FORGOTTEN = 0.01  # sessions nobody closed

STATUSES = (Status.PRESENT, Status.LATE, Status.ABSENT, Status.EXCUSED)
SHARES = (0.89, 0.04, 0.05, 0.02)
SUBJECTS = ("Mathematics", "History", "Biology", "Physics", "English", "Music")
# fmt: off
FIRST_NAMES = (
    "Ada", "Bruno", "Clara", "Daniel", "Elena", "Farid", "Grace", "Hugo", "Ines",
    "Jonas", "Kira", "Liam", "Mina", "Noah", "Olga", "Pavel", "Quinn", "Rosa", "Samir",
    "Tara", "Umar", "Vera", "Wen", "Yara",
)
LAST_NAMES = (
    "Adeyemi", "Berg", "Costa", "Dietz", "Evans", "Fischer", "Garcia", "Haddad", "Ito",
    "Jensen", "Kim", "Laurent", "Moreno", "Novak", "Okafor", "Petrova", "Rahimi",
    "Santos", "Tanaka", "Usman", "Vega", "Weber", "Yilmaz", "Zhou",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Size:
    """How many classes, students in each class, and school days."""

    classes: int
    students: int
    days: int

    @classmethod
    def parse(cls, text: str) -> "Size":
        """Read `20x40x60`; raises ValueError."""
        found = re.fullmatch(r"(\d+)[x×](\d+)[x×](\d+)", text.strip().lower())
        numbers = [int(number) for number in found.groups()] if found else []
        if not numbers or not all(numbers):
            raise ValueError(
                f"'{text}' is no size: write CLASSESxSTUDENTSxDAYS, such as 20x40x60."
            )
        return cls(*numbers)


@transaction.atomic
def build(size: Size, *, report: Report) -> None:
    """Fill an empty database; logins are those of the small demo school."""
    rng = np.random.default_rng(SEED)
    admin = make_user(ADMIN, Role.ADMIN)
    days = school_days(size.days)
    classes = _classes(size, _teachers(size.classes))
    students = _students(size)
    _enrol(classes, students, size, first=days[0])
    faces = list(_templates(students, admin, rng))
    _save(FaceTemplate, faces, "faces", report)
    sessions = _sessions(classes, days, rng)
    Session.objects.bulk_create(sessions, batch_size=BATCH)
    records = _records(sessions, classes, students, size, rng)
    total = len(sessions) * size.students
    for done, batch in _batches(records):
        bulk_create_with_history(batch, Record, batch_size=BATCH, default_user=admin)
        report("records", done, total)


def school_days(number: int) -> list[dt.date]:
    """Return so many days without weekends, the last one today, whatever day it is."""
    day = timezone.localdate()
    days = [day]
    while len(days) < number:
        day -= dt.timedelta(days=1)
        if day.weekday() < 5:
            days.append(day)
    return days[::-1]


def _teachers(classes: int) -> list[User]:
    """One a class; the first two can log in, a password takes a while to hash."""
    known = [make_user(teacher, Role.TEACHER) for teacher in TEACHERS]
    others = [
        User(
            email=f"teacher{number}@demo.school",
            teacher_id=f"T-{number:03}",
            full_name=_name(number * 7),
            password="!",  # noqa: S106  (a mark for "none", which nothing matches)
        )
        for number in range(len(known) + 1, classes + 1)
    ]
    return [*known, *User.objects.bulk_create(others)]


def _classes(size: Size, teachers: Sequence[User]) -> list[Classroom]:
    rooms = []
    for number in range(size.classes):
        subject = SUBJECTS[number % len(SUBJECTS)]
        rooms.append(
            Classroom(
                class_name=f"{subject} {grade(number)}",
                class_code=f"{subject[:4].upper()}-{grade(number)}",
                teacher=teachers[number % len(teachers)],
            )
        )
    return Classroom.objects.bulk_create(rooms)


def grade(number: int) -> str:
    """Return 5A, 5B, … for 0, 1, …: no two alike for any number."""
    return f"{5 + number // 4}{'ABCD'[number % 4]}"


def _students(size: Size) -> list[Student]:
    students = [
        Student(
            student_id=f"S-{number:05}",
            full_name=_name(number),
            email=f"s{number:05}@demo.school",
        )
        for number in range(1, size.classes * size.students + 1)
    ]
    return Student.objects.bulk_create(students, batch_size=BATCH)


def _name(number: int) -> str:
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    second = number // len(FIRST_NAMES)
    last = LAST_NAMES[second % len(LAST_NAMES)]
    generation = second // len(LAST_NAMES)
    return f"{first} {last}" + (f" {generation + 1}" if generation else "")


def _enrol(
    classes: Sequence[Classroom],
    students: Sequence[Student],
    size: Size,
    *,
    first: dt.date,
) -> None:
    seats = (
        Enrollment(
            student=student,
            classroom=classes[number // size.students],
            starts_on=first,
        )
        for number, student in enumerate(students)
    )
    Enrollment.objects.bulk_create(seats, batch_size=BATCH)


def _templates(
    students: Iterable[Student], by: User, rng: np.random.Generator
) -> Iterator[FaceTemplate]:
    active, dimension = runtime.active_model_id(), runtime.active_pack().dimension
    for student in students:
        luck = rng.random()
        if luck < WITHOUT_FACE:
            continue
        model_id = OLD_MODEL if luck < WITHOUT_FACE + WITH_OLD_MODEL else active
        centre = rng.normal(size=dimension)
        for _photo in range(PHOTOS):
            vector = centre + rng.normal(scale=0.5, size=dimension)
            yield _template(student, model_id, vector, by)


def _template(
    student: Student, model_id: str, vector: NDArray[np.float64], by: User
) -> FaceTemplate:
    embedding = (vector / np.linalg.norm(vector)).astype(np.float32)
    key_id, sealed = vault.seal(embedding, student_id=student.pk, model_id=model_id)
    return FaceTemplate(
        student=student,
        model_id=model_id,
        dimension=embedding.size,
        key_id=key_id,
        sealed_embedding=sealed,
        created_by=by,
    )


def _sessions(
    classes: Sequence[Classroom], days: Sequence[dt.date], rng: np.random.Generator
) -> list[Session]:
    today, now = days[-1], timezone.now()
    open_ones = rng.random((len(days), len(classes))) < FORGOTTEN
    return [
        Session(
            classroom=classroom,
            date=day,
            start=dt.time(8 + place % 6),
            end=dt.time(8 + place % 6, 45),
            created_by=classroom.teacher,
            closed_at=None if day == today or open_ones[row, place] else now,
        )
        for row, day in enumerate(days)
        for place, classroom in enumerate(classes)
        # Today one class in four hasn't begun yet.
        if day != today or place % 4 != 3
    ]


def _records(
    sessions: Sequence[Session],
    classes: Sequence[Classroom],
    students: Sequence[Student],
    size: Size,
    rng: np.random.Generator,
) -> Iterator[Record]:
    place = {classroom.pk: number for number, classroom in enumerate(classes)}
    for session in sessions:
        first = place[session.classroom_id] * size.students
        drawn = rng.choice(len(STATUSES), size=size.students, p=SHARES)
        similarity = rng.uniform(0.44, 0.88, size=size.students)
        by_face = rng.random(size.students) < 0.9
        marked_at = session.starts_at() or timezone.now()
        for number in range(size.students):
            status = STATUSES[drawn[number]]
            here = status in (Status.PRESENT, Status.LATE)
            face = bool(here and by_face[number])
            yield Record(
                session=session,
                student=students[first + number],
                status=status,
                source=Source.FACE if face else Source.MANUAL,
                confidence_score=round(similarity[number], 4) if face else None,
                marked_at=marked_at,
                marked_by=session.classroom.teacher,
            )


def _batches(rows: Iterable[ModelT]) -> Iterator[tuple[int, list[ModelT]]]:
    """Yield how many rows came so far, and the rows themselves in batches."""
    batch: list[ModelT] = []
    done = 0
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            done += len(batch)
            yield done, batch
            batch = []
    if batch:
        yield done + len(batch), batch


def _save(model: Any, rows: Sequence[Model], what: str, report: Report) -> None:
    for done, batch in _batches(rows):
        model.objects.bulk_create(batch)
        report(what, done, len(rows))
