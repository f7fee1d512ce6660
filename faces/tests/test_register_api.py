"""POST and DELETE /face/register, with real models on real photos."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from accounts.models import User
from classroom.models import Classroom, Student
from classroom.rosters import enrol
from conftest import ApiFactory
from faces import runtime
from faces.models import MAX_TEMPLATES, FaceTemplate
from faces.tests.factories import make_template
from faces.tests.photos import (
    astronaut,
    group_photo,
    six_close_ups,
    upload,
)

pytestmark = pytest.mark.django_db

URL = "/face/register"


@pytest.fixture(autouse=True)
def nobody_asks_for_consent(settings: Settings) -> None:
    """Keep its warning away from the others; `test_consent` is about it."""
    settings.FACE_CONSENT = "off"


def body(student: Student, *photos: bytes, **more: object) -> dict[str, object]:
    files: list[SimpleUploadedFile] = [upload(photo) for photo in photos]
    return {"student_id": student.pk, "file": files, **more}


def test_a_photo_with_one_face_enrols_the_student(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    answer = api(alice).post(URL, body(students[0], six_close_ups()[0]))
    assert answer.status_code == 201, answer.json()
    told = answer.json()
    assert (told["student_id"], told["face_enrolled"]) == (students[0].pk, True)
    assert told["warnings"] == []
    (template,) = told["templates"]
    assert template["model_id"] == runtime.active_model_id()
    assert template["quality"]["eye_distance"] > 24
    stored = FaceTemplate.objects.get()
    assert (stored.student, stored.created_by) == (students[0], alice)


def test_the_answer_holds_no_embedding(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    answer = api(alice).post(URL, body(students[0], six_close_ups()[0]))
    assert set(answer.json()["templates"][0]) == {"id", "model_id", "quality"}
    assert "embedding" not in json.dumps(answer.json())


def test_enrolment_shows_on_the_student_and_goes_with_the_templates(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    client = api(alice)
    client.post(URL, body(students[0], six_close_ups()[0]))
    shown = client.get("/students").json()["results"]
    assert [line["face_enrolled"] for line in shown] == [True, False, False]
    assert client.delete(f"{URL}/{students[0].pk}").status_code == 204
    shown = client.get(f"/students/{students[0].pk}").json()
    assert shown["face_enrolled"] is False
    assert not FaceTemplate.objects.exists()


def test_a_template_of_another_model_is_no_enrolment(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    make_template(students[0], 1, model_id="other:1")
    shown = api(alice).get(f"/students/{students[0].pk}").json()
    assert shown["face_enrolled"] is False


@pytest.mark.parametrize(
    ("photo", "code"),
    [(group_photo, "multiple_faces"), (lambda: b"not a photo", "unsupported_format")],
    ids=["group", "text"],
)
def test_a_photo_that_is_refused_leaves_nothing(
    api: ApiFactory, alice: User, students: list[Student], photo: object, code: str
) -> None:
    bad = photo()  # type: ignore[operator]
    answer = api(alice).post(URL, body(students[0], six_close_ups()[0], bad))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["photo"] == 2
    assert not FaceTemplate.objects.exists()


def test_several_photos_of_one_person_are_all_kept(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    photo = six_close_ups()[0]
    answer = api(alice).post(URL, body(students[0], photo, photo, photo))
    assert len(answer.json()["templates"]) == FaceTemplate.objects.count() == 3
    assert answer.json()["warnings"] == []


def test_photos_of_two_people_are_doubted(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    answer = api(alice).post(URL, body(students[0], *six_close_ups()[:2]))
    assert answer.status_code == 201
    assert [w["code"] for w in answer.json()["warnings"]] == ["photos_differ"]


def test_a_photo_unlike_the_earlier_ones_is_doubted(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    client = api(alice)
    client.post(URL, body(students[0], six_close_ups()[0]))
    answer = client.post(URL, body(students[0], astronaut()))
    codes = [warning["code"] for warning in answer.json()["warnings"]]
    assert codes == ["unlike_earlier_photos"]


def test_a_face_of_a_classmate_is_refused_by_name(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    client = api(alice)
    client.post(URL, body(students[0], six_close_ups()[0]))
    answer = client.post(URL, body(students[1], six_close_ups()[0]))
    assert (answer.status_code, answer.json()["code"]) == (422, "duplicate_face")
    assert answer.json()["student"]["full_name"] == students[0].full_name
    assert FaceTemplate.objects.count() == 1


def test_a_face_of_another_class_is_refused_without_a_name(
    api: ApiFactory,
    alice: User,
    stranger: User,
    students: list[Student],
    outsider: Student,
) -> None:
    api(stranger).post(URL, body(outsider, six_close_ups()[0]))
    answer = api(alice).post(URL, body(students[0], six_close_ups()[0]))
    assert answer.json()["code"] == "duplicate_face"
    told = json.dumps(answer.json())
    assert outsider.full_name not in told
    assert outsider.student_id not in told


def test_twins_are_enrolled_with_a_reason_that_is_kept(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    client = api(alice)
    client.post(URL, body(students[0], six_close_ups()[0]))
    twin = body(students[1], six_close_ups()[0], allow_duplicate="true")
    refused = client.post(URL, twin)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["reason"])
    twin = body(students[1], six_close_ups()[0], allow_duplicate="true", reason="Twins")
    answer = client.post(URL, twin)
    assert answer.status_code == 201
    assert [w["code"] for w in answer.json()["warnings"]] == ["look_alike"]
    kept = FaceTemplate.objects.get(student=students[1])
    assert kept.duplicate_reason == "Twins"


def test_a_student_has_a_limit_of_templates(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    for _ in range(MAX_TEMPLATES):
        make_template(students[0], 1)
    answer = api(alice).post(URL, body(students[0], astronaut()))
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_templates")


@pytest.mark.parametrize("photos", [0, 6])
def test_one_to_five_photos_are_wanted(
    api: ApiFactory, alice: User, students: list[Student], photos: int
) -> None:
    answer = api(alice).post(URL, body(students[0], *[astronaut()] * photos))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["file"])


def test_a_photo_over_the_limit_is_answered_413(
    api: ApiFactory, alice: User, students: list[Student], settings: Settings
) -> None:
    settings.FACE_MAX_UPLOAD_MB = 1
    answer = api(alice).post(URL, body(students[0], b"\xff\xd8\xff" + bytes(2 << 20)))
    assert (answer.status_code, answer.json()["code"]) == (413, "image_too_large")


def test_a_strangers_student_is_not_found(
    api: ApiFactory, stranger: User, students: list[Student]
) -> None:
    client = api(stranger)
    assert client.post(URL, body(students[0], astronaut())).status_code == 404
    make_template(students[0], 1)
    assert client.delete(f"{URL}/{students[0].pk}").status_code == 404
    assert FaceTemplate.objects.count() == 1


def test_without_a_login_nothing_is_read(
    api: ApiFactory, students: list[Student]
) -> None:
    answer = api(None).post(URL, body(students[0], astronaut()))
    assert answer.status_code == 401


def test_a_student_who_changed_class_keeps_the_face(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    outsider: Student,
) -> None:
    make_template(outsider, 1)
    enrol(maths, [outsider])
    shown = api(alice).get(f"/students/{outsider.pk}").json()
    assert shown["face_enrolled"] is True
