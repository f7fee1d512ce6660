"""/app/students/<id>/face/: enrol by upload, the coach's check, removal."""

import json
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from classroom.models import Classroom, Student
from faces import runtime
from faces.api import FaceThrottle
from faces.models import MAX_TEMPLATES, FaceTemplate
from faces.tests.factories import make_template
from faces.tests.photos import astronaut, group_photo, six_close_ups, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def url_of(student: Student, rest: str = "") -> str:
    return f"/app/students/{student.pk}/face/{rest}"


def enrol(client: Client, student: Student, *photos: bytes, **more: object) -> Any:
    form = {"photos": [upload(photo) for photo in photos], **more}
    return client.post(url_of(student), form)


def as_json(client: Client, student: Student, *photos: bytes, **more: object) -> Any:
    form = {"photos": [upload(photo) for photo in photos], **more}
    return client.post(url_of(student), form, headers={"accept": "application/json"})


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_a_plain_form_enrols_and_leads_to_the_student(
    signed_in: Client, students: list[Student]
) -> None:
    answer = enrol(signed_in, students[0], six_close_ups()[0])
    assert answer["Location"] == f"/app/students/{students[0].pk}/"
    assert "is enrolled from 1 photo." in said(answer)[0]
    assert FaceTemplate.objects.get().student == students[0]


def test_from_a_class_it_leads_to_the_next_without_a_face(
    signed_in: Client, maths: Classroom, students: list[Student]
) -> None:
    url = f"{url_of(students[0])}?class={maths.pk}"
    answer = signed_in.post(url, {"photos": [upload(six_close_ups()[0])]})
    assert answer["Location"] == f"/app/classes/{maths.pk}/?show=no-face"


@pytest.mark.parametrize("number", ["x", "0", "{history}"])
def test_a_class_that_is_not_ones_own_leads_nowhere(
    signed_in: Client, history: Classroom, students: list[Student], number: str
) -> None:
    url = f"{url_of(students[0])}?class={number.format(history=history.pk)}"
    assert history.class_name not in signed_in.get(url).content.decode()


def test_a_refusal_says_which_photo_and_what_to_do(
    signed_in: Client, students: list[Student]
) -> None:
    answer = enrol(signed_in, students[0], six_close_ups()[0], group_photo())
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Photo 2: There are 6 faces. Only one person may be on the photo." in page
    assert not FaceTemplate.objects.exists()


@pytest.mark.parametrize("photos", [(), (b"text",)], ids=["none", "text"])
def test_what_is_no_photo_is_refused(
    signed_in: Client, students: list[Student], photos: tuple[bytes, ...]
) -> None:
    assert enrol(signed_in, students[0], *photos).status_code in {400, 422}
    assert not FaceTemplate.objects.exists()


def test_six_photos_are_too_many(signed_in: Client, students: list[Student]) -> None:
    answer = enrol(signed_in, students[0], *[astronaut()] * 6)
    assert answer.status_code == 400
    assert "Choose up to 5 photos." in answer.content.decode()


def test_the_coach_gets_json(signed_in: Client, students: list[Student]) -> None:
    answer = as_json(signed_in, students[0], six_close_ups()[0])
    assert answer.status_code == 201
    assert answer.json() == {"next": f"/app/students/{students[0].pk}/"}


def test_the_coach_is_told_which_photo_to_take_again(
    signed_in: Client, students: list[Student]
) -> None:
    answer = as_json(signed_in, students[0], six_close_ups()[0], group_photo())
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["photo"]) == ("multiple_faces", 2)


def test_a_classmates_face_is_refused_by_name_and_asks_for_a_reason(
    signed_in: Client, students: list[Student]
) -> None:
    enrol(signed_in, students[0], six_close_ups()[0])
    answer = enrol(signed_in, students[1], six_close_ups()[0])
    assert answer.context["asks_for_reason"]
    assert students[0].full_name in answer.content.decode()
    assert not FaceTemplate.objects.filter(student=students[1]).exists()


def test_a_strangers_students_face_is_refused_without_a_name(
    client: Client,
    alice: User,
    stranger: User,
    students: list[Student],
    outsider: Student,
) -> None:
    client.force_login(stranger)
    enrol(client, outsider, six_close_ups()[0])
    client.force_login(alice)
    answer = as_json(client, students[0], six_close_ups()[0])
    assert answer.json()["code"] == "duplicate_face"
    assert outsider.full_name not in json.dumps(answer.json())


def test_twins_need_a_reason(signed_in: Client, students: list[Student]) -> None:
    enrol(signed_in, students[0], six_close_ups()[0])
    twin = {"allow_duplicate": "on"}
    answer = as_json(signed_in, students[1], six_close_ups()[0], **twin)
    assert (answer.status_code, answer.json()["field"]) == (400, "reason")
    answer = enrol(signed_in, students[1], six_close_ups()[0], **twin, reason="Twins")
    assert answer.status_code == 302
    kept = FaceTemplate.objects.get(student=students[1])
    assert kept.duplicate_reason == "Twins"


def test_a_full_student_is_told_to_make_room(
    signed_in: Client, students: list[Student]
) -> None:
    for _ in range(MAX_TEMPLATES):
        make_template(students[0], 1)
    assert "There is no room" in signed_in.get(url_of(students[0])).content.decode()
    assert enrol(signed_in, students[0], six_close_ups()[0]).status_code == 409


def test_it_takes_only_so_many_photos_a_minute(
    signed_in: Client, students: list[Student], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FaceThrottle, "THROTTLE_RATES", {"face": "1/min"})
    signed_in.post(url_of(students[0], "check/"), {"file": upload(astronaut())})
    answer = enrol(signed_in, students[0], six_close_ups()[0])
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    answer = signed_in.post(url_of(students[0], "check/"), {"file": upload(b"")})
    assert answer.status_code == 429


def test_the_page_asks_little_of_the_database(
    signed_in: Client,
    students: list[Student],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(5):  # session, user, student, templates, consent
        signed_in.get(url_of(students[0]))


# --- the coach's check ----------------------------------------------------------------


def checked(client: Client, student: Student, photo: bytes) -> dict[str, Any]:
    answer = client.post(url_of(student, "check/"), {"file": upload(photo)})
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_a_good_frame_is_good_and_nothing_of_it_is_kept(
    signed_in: Client, students: list[Student]
) -> None:
    seen = checked(signed_in, students[0], six_close_ups()[0])
    assert (seen["good"], seen["advice"]) == (True, [])
    assert set(seen["face"]) == {"box", "yaw", "pitch", "roll"}
    assert all(0 < share < 1 for share in seen["face"]["box"])
    assert not FaceTemplate.objects.exists()


@pytest.mark.parametrize(
    ("photo", "code"),
    [
        (astronaut, "come_closer"),
        (group_photo, "multiple_faces"),
        (lambda: b"not a photo", "unsupported_format"),
    ],
    ids=["far away", "a group", "text"],
)
def test_another_frame_says_what_to_do(
    signed_in: Client, students: list[Student], photo: Any, code: str
) -> None:
    seen = checked(signed_in, students[0], photo())
    assert not seen["good"]
    assert seen["advice"][0]["code"] == code
    assert seen["advice"][0]["words"]


def test_the_advice_speaks_the_users_language(
    signed_in: Client, alice: User, students: list[Student]
) -> None:
    alice.language = "es"
    alice.save()
    seen = checked(signed_in, students[0], astronaut())
    assert "Acércate" in seen["advice"][0]["words"]


def test_a_frame_from_elsewhere_is_refused(
    alice: User, students: list[Student]
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    answer = client.post(url_of(students[0], "check/"), {"file": upload(astronaut())})
    assert answer.status_code == 403


def test_the_check_stays_out_of_the_api_documents(client: Client, db: None) -> None:
    assert "/app/" not in client.get("/schema").content.decode()


# --- removal --------------------------------------------------------------------------


def test_removal_asks_first(signed_in: Client, students: list[Student]) -> None:
    make_template(students[0], 1)
    assert signed_in.get(url_of(students[0], "remove/")).status_code == 200
    assert FaceTemplate.objects.exists()


def test_removal_takes_every_template_of_every_model(
    signed_in: Client, students: list[Student]
) -> None:
    make_template(students[0], 1)
    make_template(students[0], 1, model_id="other:1")
    kept = make_template(students[1], 2)
    signed_in.post(url_of(students[0], "remove/"))
    assert list(FaceTemplate.objects.all()) == [kept]


def test_one_template_goes_and_the_others_stay(
    signed_in: Client, students: list[Student]
) -> None:
    gone, kept = make_template(students[0], 1), make_template(students[0], 1)
    answer = signed_in.post(url_of(students[0], f"remove/?template={gone.pk}"))
    assert list(FaceTemplate.objects.all()) == [kept]
    assert "The others still count." in said(answer)[0]


@pytest.mark.parametrize("which", ["another student's", "none", "words"])
def test_a_template_that_is_not_the_students_is_not_found(
    signed_in: Client, students: list[Student], outsider: Student, which: str
) -> None:
    other = make_template(outsider, 2)
    number = {"another student's": other.pk, "none": 0, "words": "x"}[which]
    url = url_of(students[0], f"remove/?template={number}")
    assert signed_in.post(url).status_code == 404
    assert FaceTemplate.objects.get() == other


def test_the_coach_helps_even_where_any_photo_is_taken(
    signed_in: Client, students: list[Student], settings: Settings
) -> None:
    settings.FACE_ENROLL_REVIEW = "off"
    assert runtime.get_engine() is not None
    assert not checked(signed_in, students[0], astronaut())["good"]
