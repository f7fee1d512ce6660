"""Classes and students in the admin."""

import pytest
from django.test import Client

from accounts.models import User
from classroom.models import Classroom, Student

LISTS = ["/admin/classroom/classroom/", "/admin/classroom/student/"]


@pytest.mark.parametrize("address", LISTS)
def test_a_teacher_is_kept_out(client: Client, alice: User, address: str) -> None:
    client.force_login(alice)
    assert client.get(address).status_code == 302


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("page", ["", "add/", "?q=a"])
def test_its_pages_open(
    client: Client, admin: User, students: list[Student], address: str, page: str
) -> None:
    client.force_login(admin)
    assert client.get(address + page).status_code == 200


def test_a_class_shows_who_sits_in_it(
    client: Client, admin: User, maths: Classroom, bob: User, students: list[Student]
) -> None:
    client.force_login(admin)
    page = client.get(f"{LISTS[0]}{maths.pk}/change/").content.decode()
    assert all(student.full_name in page for student in students)
    assert bob.full_name in page


def test_a_student_is_found_by_code(
    client: Client, admin: User, students: list[Student]
) -> None:
    client.force_login(admin)
    page = client.get(LISTS[1], {"q": students[0].student_id}).content.decode()
    assert students[0].full_name in page
    assert students[1].full_name not in page
