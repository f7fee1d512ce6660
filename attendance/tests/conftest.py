"""The students of maths as the engine knows them."""

import pytest

from classroom.models import Student
from faces.tests.factories import make_template


@pytest.fixture
def enrolled(students: list[Student]) -> list[Student]:
    for person, student in enumerate(students, start=1):
        make_template(student, person)
    return students
