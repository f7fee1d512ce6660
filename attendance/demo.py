"""A small school to try things on, enrolled from a photo that a package ships."""

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Role, User
from attendance import demo_history
from attendance.demo_timetable import plan_week
from classroom.consents import Answer, give_all
from classroom.models import Classroom, Student
from classroom.rosters import enrol
from faces import runtime
from faces.engine.samples import close_ups
from faces.services import register

ADMIN = ("admin@demo.school", "admin001", "Dana Admin")
TEACHERS = [
    ("ana@demo.school", "T-001", "Ana Ruiz"),
    ("ben@demo.school", "T-002", "Ben Okafor"),
]
ENROLLED = [
    "Amira Haddad",
    "Bruno Costa",
    "Clara Jensen",
    "Daniel Kim",
    "Elena Petrova",
    "Farid Rahimi",
]
NOT_ENROLLED = ["Grace Mensah", "Hugo Laurent", "Ines Moreno", "Jonas Weber"]


@dataclass(frozen=True, slots=True)
class School:
    admin: User
    teachers: list[User]
    enrolled: Classroom
    not_enrolled: Classroom
    students: list[Student]


def password_of(email: str) -> str:
    """Return a demo account's password: another one on every installation.

    It follows from SECRET_KEY, so that it can be shown again without being stored.
    """
    seed = hmac.new(settings.SECRET_KEY.encode(), email.encode(), hashlib.sha256)
    return "demo-" + seed.hexdigest()[:10]


@transaction.atomic
def build() -> School:
    """Add an admin, two teachers and two classes; faces are enrolled separately."""
    admin = make_user(ADMIN, Role.ADMIN)
    teachers = [make_user(teacher, Role.TEACHER) for teacher in TEACHERS]
    first, second = (
        Classroom.objects.create(class_name=name, class_code=code, teacher=teacher)
        for name, code, teacher in zip(
            ("Mathematics", "History"), ("MATH-7A", "HIST-7B"), teachers, strict=True
        )
    )
    students = _students(ENROLLED, first=1)
    begin = demo_history.first_day()
    enrol(first, students, on=begin)
    enrol(second, _students(NOT_ENROLLED, first=len(ENROLLED) + 1), on=begin)
    _ask_for_consent(students, by=admin)
    plan_week(first, second, since=begin)
    return School(admin, teachers, first, second, students)


def _ask_for_consent(students: list[Student], *, by: User) -> None:
    """Record what most families said; the last one was not asked yet."""
    day = timezone.localdate()
    answers = [
        (
            student,
            Answer(
                given_by=f"{student.full_name.split()[-1]} family",
                given_on=day - dt.timedelta(days=45),
                until=day + dt.timedelta(days=320),
            ),
        )
        for student in students[:-1]
    ]
    give_all(answers, by=by)


def look_back(school: School) -> None:
    """Fill the registers of the last thirty days."""
    demo_history.write([school.enrolled, school.not_enrolled])


def photos() -> list[bytes]:
    """Return a close-up of each student of the first class; raises EngineError.

    Made before the school, so that an engine that can't start leaves none behind.
    """
    return close_ups(runtime.get_engine())


def enrol_faces(school: School, photos: list[bytes]) -> None:
    """Enrol each student of the first class from one close-up."""
    for student, photo in zip(school.students, photos, strict=True):
        register(student, [photo], by=school.admin)


def make_user(person: tuple[str, str, str], role: Role) -> User:
    """Save one of the demo's people, with the password that is printed for them."""
    email, teacher_id, full_name = person
    return User.objects.create_user(
        email,
        password_of(email),
        teacher_id=teacher_id,
        full_name=full_name,
        role=role,
    )


def _students(names: list[str], *, first: int) -> list[Student]:
    return [
        Student.objects.create(student_id=f"S-{number:03}", full_name=name)
        for number, name in enumerate(names, start=first)
    ]
