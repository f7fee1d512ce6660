"""Consent in the admin: recorded on the student's page, filtered for, withdrawn."""

import pytest
from django.test import Client

from accounts.models import User
from classroom.consent_models import ErasureReceipt
from classroom.consents import Answer, current_consent, give
from classroom.models import Consent, Student
from classroom.tests.factories import days
from faces.erasure import withdraw_consent
from faces.models import FaceTemplate
from faces.tests.factories import make_template

pytestmark = pytest.mark.django_db

LIST = "/admin/classroom/student/"


@pytest.fixture
def signed_in(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def page_of(student: Student) -> str:
    return f"{LIST}{student.pk}/change/"


def saved(student: Student, *answers: dict[str, object]) -> dict[str, object]:
    """Return the student's own form with new answers in the inline."""
    body: dict[str, object] = {
        "full_name": student.full_name,
        "student_id": student.student_id,
        "enrollments-TOTAL_FORMS": 0,
        "enrollments-INITIAL_FORMS": 0,
        "consents-TOTAL_FORMS": len(answers),
        "consents-INITIAL_FORMS": 0,
    }
    for number, answer in enumerate(answers):
        body |= {f"consents-{number}-{name}": value for name, value in answer.items()}
    return body


def an_answer(day: int = -9, **values: object) -> dict[str, object]:
    given = {"given_by": "Carla Castro", "relation": "parent", "given_on": days(day)}
    return given | values


def test_an_answer_is_recorded_on_the_students_page(
    signed_in: Client, admin: User, students: list[Student]
) -> None:
    answer = signed_in.post(page_of(students[0]), saved(students[0], an_answer()))
    assert answer.status_code == 302, answer.context["errors"]
    known = current_consent(students[0])
    assert known is not None
    assert (known.given_by, known.recorded_by) == ("Carla Castro", admin)


def test_a_new_answer_replaces_the_one_before(
    signed_in: Client, admin: User, students: list[Student]
) -> None:
    first = Answer(given_by="Carla Castro", given_on=days(-99))
    give(students[0], first, by=admin)
    form = saved(students[0], an_answer(-1, given_by="Carl Castro"))
    signed_in.post(page_of(students[0]), form)
    known = current_consent(students[0])
    assert known is not None and known.given_by == "Carl Castro"
    shown = signed_in.get(page_of(students[0])).content.decode()
    assert "Replaced" in shown and "Carla Castro" in shown


def test_an_answer_before_the_latest_is_said_at_its_field(
    signed_in: Client, admin: User, students: list[Student]
) -> None:
    withdraw_consent(students[0], said_by="Cleo", by=admin)
    answer = signed_in.post(page_of(students[0]), saved(students[0], an_answer()))
    assert answer.status_code == 200
    assert "There is a later answer" in answer.content.decode()
    assert Consent.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "names"),
    [
        ("given", {"Cleo Castro"}),
        ("withdrawn", {"Dan Dietz"}),
        ("none", {"Eva Evans"}),
        ("expired", set()),
    ],
)
def test_the_list_is_filtered_by_consent(
    signed_in: Client,
    admin: User,
    students: list[Student],
    state: str,
    names: set[str],
) -> None:
    given = Answer(given_by="Carla Castro", given_on=days(-9))
    give(students[0], given, by=admin)
    withdraw_consent(students[1], said_by="Dan", by=admin)
    shown = signed_in.get(LIST, {"consent": state}).context["cl"].result_list
    assert {student.full_name for student in shown} == names


def act(client: Client, students: list[Student], **more: str) -> object:
    form = {
        "action": "withdraw_action",
        "_selected_action": [student.pk for student in students],
        **more,
    }
    return client.post(LIST, form)


def test_the_action_asks_first(signed_in: Client, students: list[Student]) -> None:
    make_template(students[0], 1)
    answer: object = act(signed_in, students[:1])
    assert b"deleted at once and for good" in answer.content  # type: ignore[attr-defined]
    assert FaceTemplate.objects.exists()


def test_the_action_without_who_said_no_asks_again(
    signed_in: Client, students: list[Student]
) -> None:
    make_template(students[0], 1)
    act(signed_in, students[:1], confirmed="yes", said_by="", relation="parent")
    assert FaceTemplate.objects.exists()


def test_the_action_withdraws_and_deletes_with_receipts(
    signed_in: Client, students: list[Student]
) -> None:
    for person, student in enumerate(students, start=1):
        make_template(student, person)
    act(
        signed_in,
        students[:2],
        confirmed="yes",
        said_by="The parents",
        relation="parent",
    )
    assert {one.student for one in FaceTemplate.objects.all()} == {students[2]}
    assert ErasureReceipt.objects.count() == 2


def test_receipts_are_found_by_code_and_never_changed(
    signed_in: Client, admin: User, students: list[Student]
) -> None:
    make_template(students[0], 1)
    _, receipt = withdraw_consent(students[0], said_by="Cleo", by=admin)
    assert receipt is not None
    page = "/admin/classroom/erasurereceipt/"
    found = signed_in.get(page, {"q": students[0].student_id})
    assert receipt.number in found.content.decode()
    assert signed_in.get(f"{page}add/").status_code == 403
    assert signed_in.post(f"{page}{receipt.pk}/delete/").status_code == 403
    assert signed_in.post(f"{page}{receipt.pk}/change/", {}).status_code == 403
