"""/students/{id}/consent and the pages that do the same."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from classroom.consent_models import ErasureReceipt
from classroom.consents import current_consent
from classroom.models import Classroom, Consent, ConsentState, Student
from classroom.tests.factories import days
from conftest import ApiFactory
from faces.erasure import withdraw_consent
from faces.models import FaceTemplate
from faces.tests.factories import make_template
from faces.tests.fakes import FakeEngine, photo_of
from faces.tests.photos import upload

pytestmark = pytest.mark.django_db

FORM = {"given_by": "Carla Castro", "relation": "guardian", "given_on": "2026-09-01"}


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def api_of(student: Student) -> str:
    return f"/students/{student.pk}/consent"


def page_of(student: Student, more: str = "") -> str:
    return f"/app/students/{student.pk}/consent/{more}"


def state(student: Student) -> str:
    known = current_consent(student)
    return known.state() if known else ConsentState.NONE


# --- the API --------------------------------------------------------------------------


def test_nothing_is_on_record_at_first(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    told = api(alice).get(api_of(students[0])).json()
    assert told == {
        "mode": "warn",
        "state": "none",
        "consent": None,
        "history": [],
        "receipts": [],
    }


def test_a_consent_is_recorded_with_who_gave_it_and_who_wrote_it_down(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    answer = api(alice).post(api_of(students[0]), FORM | {"until": "2099-07-31"})
    assert answer.status_code == 201
    told = answer.json()
    assert told["state"] == "given"
    assert told["consent"]["given_by"] == "Carla Castro"
    assert told["consent"]["until"] == "2099-07-31"
    assert told["consent"]["recorded_by"] == "Alice Archer"
    assert told["consent"]["state"] == "given"


def test_the_day_is_today_where_none_is_named(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    answer = api(alice).post(api_of(students[0]), {"given_by": "Carla Castro"})
    assert answer.json()["consent"]["given_on"] == days(0).isoformat()


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"given_by": ""}, "given_by", "blank"),
        ({"relation": "neighbour"}, "relation", "invalid_choice"),
        ({"given_on": "2999-01-01"}, "given_on", "future"),
        ({"until": "2026-08-31"}, "until", "too_early"),
    ],
)
def test_a_fault_names_its_field(
    api: ApiFactory,
    alice: User,
    students: list[Student],
    change: dict[str, str],
    field: str,
    code: str,
) -> None:
    answer = api(alice).post(api_of(students[0]), FORM | change)
    assert answer.status_code == 400
    assert [one["code"] for one in answer.json()["errors"][field]] == [code]
    assert not Consent.objects.exists()


@pytest.mark.parametrize("in_the_body", [True, False])
def test_a_withdrawal_answers_with_the_receipt(
    api: ApiFactory, alice: User, students: list[Student], in_the_body: bool
) -> None:
    client = api(alice)
    client.post(api_of(students[0]), FORM)
    make_template(students[0], 1)
    said = {"withdrawn_by": "Cleo"}
    if in_the_body:
        answer = client.delete(api_of(students[0]), said, format="json")
    else:
        answer = client.delete(api_of(students[0]) + "?withdrawn_by=Cleo")
    assert answer.status_code == 200
    told = answer.json()
    assert told["consent"]["withdrawn_by"] == "Cleo"
    assert told["receipt"]["counts"] == {"face_templates": 1}
    assert not FaceTemplate.objects.exists()
    assert len(client.get(api_of(students[0])).json()["receipts"]) == 1


def test_a_strangers_withdrawal_deletes_nothing(
    api: ApiFactory, stranger: User, students: list[Student]
) -> None:
    make_template(students[0], 1)
    assert api(stranger).delete(api_of(students[0])).status_code == 404
    assert FaceTemplate.objects.exists()


def test_a_student_shows_the_state(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    client = api(alice)
    client.post(api_of(students[0]), FORM)
    states = {
        row["id"]: row["consent_state"]
        for row in client.get("/students").json()["results"]
    }
    assert states[students[0].pk] == "given"
    assert states[students[1].pk] == "none"


# --- the pages ------------------------------------------------------------------------


def test_a_consent_is_recorded_on_its_page(
    signed_in: Client, students: list[Student]
) -> None:
    answer = signed_in.post(page_of(students[0]), FORM, follow=True)
    assert answer.redirect_chain[-1][0] == f"/app/students/{students[0].pk}/"
    assert state(students[0]) == "given"
    assert "Carla Castro (Guardian) said yes" in answer.content.decode()


def test_it_leads_on_to_the_enrolment(
    signed_in: Client, maths: Classroom, students: list[Student]
) -> None:
    here = page_of(students[0], f"?next=face&class={maths.pk}")
    answer = signed_in.post(here, FORM)
    face = f"/app/students/{students[0].pk}/face/?class={maths.pk}"
    assert answer.headers["Location"] == face


def test_a_wrong_day_is_said_at_its_field(
    signed_in: Client, students: list[Student]
) -> None:
    answer = signed_in.post(page_of(students[0]), FORM | {"given_on": "2999-01-01"})
    assert answer.status_code == 400
    assert "given_on" in answer.context["form"].errors


def test_the_page_asks_before_it_deletes_and_then_leads_to_the_receipt(
    signed_in: Client, students: list[Student]
) -> None:
    make_template(students[0], 1)
    asked = signed_in.get(page_of(students[0], "withdraw/")).content.decode()
    assert "deleted at once and for good" in asked
    assert FaceTemplate.objects.exists()
    form = {"said_by": "Cleo", "relation": "student"}
    answer = signed_in.post(page_of(students[0], "withdraw/"), form, follow=True)
    receipt = ErasureReceipt.objects.get()
    assert answer.redirect_chain[-1][0] == f"/app/receipts/{receipt.pk}/"
    assert receipt.number in answer.content.decode()
    assert not FaceTemplate.objects.exists()


def test_a_refusal_without_a_face_leads_back_to_the_student(
    signed_in: Client, students: list[Student]
) -> None:
    form = {"said_by": "Carla Castro", "relation": "parent"}
    answer = signed_in.post(page_of(students[0], "withdraw/"), form)
    assert answer.headers["Location"] == f"/app/students/{students[0].pk}/"
    assert state(students[0]) == "withdrawn"


def test_the_receipt_can_be_taken_home_as_a_file(
    signed_in: Client, students: list[Student], alice: User
) -> None:
    make_template(students[0], 1, model_id="sface:abc")
    _, receipt = withdraw_consent(students[0], said_by="Cleo", by=alice)
    assert receipt is not None
    answer = signed_in.get(f"/app/receipts/{receipt.pk}/?download")
    assert "attachment" in answer.headers["Content-Disposition"]
    text = answer.content.decode()
    assert "sface:abc" in text and students[0].student_id in text
    assert receipt.backups_until.isoformat() in text


def test_the_enrol_page_asks_for_consent_first_where_it_is_required(
    signed_in: Client,
    students: list[Student],
    fake_engine: FakeEngine,
    settings: Settings,
) -> None:
    settings.FACE_CONSENT = "require"
    page = f"/app/students/{students[0].pk}/face/"
    shown = signed_in.get(page).content.decode()
    assert page_of(students[0]) + "?next=face" in shown
    assert "data-enrol" not in shown
    answer = signed_in.post(page, {"photos": upload(photo_of(7))})
    assert answer.status_code == 422
    assert not FaceTemplate.objects.exists()


def test_the_enrol_page_warns_and_lets_go_on(
    signed_in: Client, students: list[Student]
) -> None:
    page = f"/app/students/{students[0].pk}/face/"
    shown = signed_in.get(page).content.decode()
    assert "There is no consent on record" in shown and "data-enrol" in shown
    signed_in.post(page_of(students[0]), FORM)
    shown = signed_in.get(page).content.decode()
    assert "There is no consent" not in shown and "Carla Castro" in shown


def test_the_class_page_says_who_is_still_to_be_asked(
    signed_in: Client, maths: Classroom, students: list[Student], alice: User
) -> None:
    signed_in.post(page_of(students[0]), FORM)
    withdraw_consent(students[1], said_by="Dan", by=alice)
    page = signed_in.get(f"/app/classes/{maths.pk}/?show=no-consent")
    assert [seat.student for seat in page.context["page"]] == [students[2]]
    assert page_of(students[2]) in page.content.decode()
    everybody = signed_in.get(f"/app/classes/{maths.pk}/").content.decode()
    assert f"/app/students/{students[1].pk}/face/" not in everybody


def test_where_consent_is_off_the_pages_are_silent(
    signed_in: Client, maths: Classroom, students: list[Student], settings: Settings
) -> None:
    settings.FACE_CONSENT = "off"
    for page in (
        f"/app/classes/{maths.pk}/",
        f"/app/students/{students[0].pk}/",
        f"/app/students/{students[0].pk}/face/",
    ):
        assert "onsent" not in signed_in.get(page).content.decode()


def test_the_consent_page_asks_little_of_the_database(
    signed_in: Client,
    students: list[Student],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    # Session, user, student, answer (for the form and the page), templates.
    with django_assert_num_queries(6):
        signed_in.get(page_of(students[0]))
