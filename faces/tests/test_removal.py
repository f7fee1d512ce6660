"""A face that is removed by hand leaves a receipt, whichever door it goes through."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from classroom.consent_models import ErasureReceipt
from classroom.models import Student
from conftest import ApiFactory
from faces import look_alikes
from faces.models import FaceTemplate, LookAlikePair
from faces.tests.factories import make_template

pytestmark = pytest.mark.django_db

Remove = Callable[[User, Student], int]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def doors(api: ApiFactory, admin: User) -> dict[str, Remove]:
    def by_api(user: User, student: Student) -> int:
        return api(user).delete(f"/face/register/{student.pk}").status_code

    def on_page(user: User, student: Student) -> int:
        url = f"/app/students/{student.pk}/face/remove/"
        return signed_in(user).post(url).status_code

    def in_admin(user: User, student: Student) -> int:
        url = f"/admin/classroom/student/{student.pk}/faces/remove/"
        return signed_in(admin).post(url).status_code

    return {"api": by_api, "page": on_page, "admin": in_admin}


@pytest.mark.parametrize("door", ["api", "page", "admin"])
def test_a_whole_face_is_erased_with_a_receipt(
    doors: dict[str, Remove],
    alice: User,
    students: list[Student],
    outsider: Student,
    door: str,
) -> None:
    face, other = students[0], outsider
    for person, student in ((1, face), (1, face), (2, other)):
        make_template(student, person)
    look_alikes.remember(face, other, reason="twins", by=alice)
    assert doors[door](alice, face) in {204, 302}
    assert {template.student for template in FaceTemplate.objects.all()} == {other}
    assert not LookAlikePair.objects.exists()
    receipt = ErasureReceipt.objects.get()
    assert (receipt.student, receipt.reason) == (face, "request")
    assert receipt.counts == {"face_templates": 2, "look_alikes": 1}
    assert len(receipt.templates) == 2


def test_a_stranger_who_is_refused_gets_none(
    doors: dict[str, Remove], stranger: User, students: list[Student]
) -> None:
    make_template(students[0], 1)
    assert doors["api"](stranger, students[0]) == 404
    assert doors["page"](stranger, students[0]) == 404
    assert FaceTemplate.objects.count() == 1
    assert not ErasureReceipt.objects.exists()


def test_only_the_last_photo_that_is_removed_ends_the_face(
    alice: User, students: list[Student]
) -> None:
    first, last = make_template(students[0], 1), make_template(students[0], 1)
    url = f"/app/students/{students[0].pk}/face/remove/"
    client = signed_in(alice)
    client.post(f"{url}?template={first.pk}")
    assert not ErasureReceipt.objects.exists()
    client.post(f"{url}?template={last.pk}")
    assert ErasureReceipt.objects.get().counts == {"face_templates": 1}


def test_the_students_page_leads_to_the_receipt(
    doors: dict[str, Remove], alice: User, students: list[Student]
) -> None:
    make_template(students[0], 1)
    doors["page"](alice, students[0])
    page = signed_in(alice).get(f"/app/students/{students[0].pk}/").content.decode()
    assert f"/app/receipts/{ErasureReceipt.objects.get().pk}/" in page
