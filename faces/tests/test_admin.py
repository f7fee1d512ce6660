"""Faces in the admin: enrolled by photo, shown without numbers, removed."""

import math
from typing import Any, cast

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from classroom.models import Classroom, Student
from classroom.tests.factories import make_class, make_student
from faces import diagnosis, runtime
from faces.engine.errors import EngineUnavailable
from faces.engine.pipeline import FaceEngine
from faces.engine.types import Face, Image
from faces.models import FaceTemplate
from faces.status import face_state, photo_word
from faces.tests.factories import make_template
from faces.tests.fakes import FakeEngine, embedding_of, photo_of
from faces.tests.photos import astronaut, upload

STUDENTS = "/admin/classroom/student/"
CLASSES = "/admin/classroom/classroom/"
TEMPLATES = "/admin/faces/facetemplate/"
ENGINE = "/admin/engine/"
OLD = "retired:000000000000"


@pytest.fixture
def admin_client(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


@pytest.fixture
def cleo(students: list[Student]) -> Student:
    return students[0]


def enrol(client: Client, student: Student, *photos: bytes, **fields: Any) -> Any:
    files = [upload(photo, f"{number}.png") for number, photo in enumerate(photos)]
    return client.post(f"{STUDENTS}{student.pk}/enrol/", {"photos": files, **fields})


def said(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def names(page: Any) -> set[str]:
    return {str(row.full_name) for row in page.context["cl"].result_list}


def test_a_face_is_enrolled_on_the_students_page(
    admin_client: Client, admin: User, cleo: Student, fake_engine: FakeEngine
) -> None:
    response = enrol(admin_client, cleo, photo_of(1), photo_of(1))
    assert response.headers["Location"] == f"{STUDENTS}{cleo.pk}/change/#faces"
    templates = FaceTemplate.objects.filter(student=cleo)
    assert [template.created_by for template in templates] == [admin, admin]
    entry = LogEntry.objects.latest("pk")
    assert (entry.user, entry.object_id) == (admin, str(cleo.pk))
    assert "2" in entry.get_change_message()


def test_a_real_photo_is_enrolled(admin_client: Client, cleo: Student) -> None:
    assert enrol(admin_client, cleo, astronaut()).status_code == 302
    page = admin_client.get(f"{STUDENTS}{cleo.pk}/change/").content.decode()
    assert "eyes" in page and runtime.active_model_id() in page


def test_a_photo_without_a_face_is_said_on_the_page(
    admin_client: Client, cleo: Student, fake_engine: FakeEngine
) -> None:
    page = enrol(admin_client, cleo, photo_of(1), photo_of())
    assert page.status_code == 400
    text = page.content.decode()
    assert "Photo 2: No face was found" in text
    assert cleo.full_name in text
    assert not FaceTemplate.objects.exists()


def test_something_that_is_no_photo_is_said_on_the_page(
    admin_client: Client, cleo: Student, fake_engine: FakeEngine
) -> None:
    page = enrol(admin_client, cleo, b"hello")
    assert page.status_code == 400
    assert "JPEG, PNG" in page.content.decode()


def test_a_sixth_photo_is_refused(
    admin_client: Client, cleo: Student, fake_engine: FakeEngine
) -> None:
    page = enrol(admin_client, cleo, *[photo_of(1)] * 6)
    assert "up to 5 photos" in page.content.decode()
    assert not FaceTemplate.objects.exists()


def test_a_twin_needs_a_word_and_a_reason(
    admin_client: Client,
    cleo: Student,
    students: list[Student],
    fake_engine: FakeEngine,
) -> None:
    make_template(students[1], 1)
    page = enrol(admin_client, cleo, photo_of(1))
    assert students[1].full_name in page.content.decode()
    page = enrol(admin_client, cleo, photo_of(1), allow_duplicate="on")
    assert "Say why" in page.content.decode()
    assert not FaceTemplate.objects.filter(student=cleo).exists()
    response = enrol(
        admin_client, cleo, photo_of(1), allow_duplicate="on", reason="twins"
    )
    assert "looks like" in said(response)
    assert FaceTemplate.objects.get(student=cleo).duplicate_reason == "twins"


def test_an_engine_that_fails_is_said_on_the_page(
    admin_client: Client, cleo: Student
) -> None:
    class Broken(FakeEngine):
        def analyse(self, image: Image, *, detection_size: int = 640) -> list[Face]:
            raise EngineUnavailable("The engine is resting.")

    with runtime.use_engine(cast(FaceEngine, Broken(runtime.active_pack()))):
        page = enrol(admin_client, cleo, photo_of(1))
    assert "The engine is resting." in page.content.decode()


def test_no_inference_runs_inside_a_transaction(
    admin_client: Client, cleo: Student
) -> None:
    depth = len(connection.savepoint_ids)  # the test's own transaction
    seen: list[int] = []

    class Watching(FakeEngine):
        def analyse(self, image: Image, *, detection_size: int = 640) -> list[Face]:
            seen.append(len(connection.savepoint_ids))
            return []

    with runtime.use_engine(cast(FaceEngine, Watching(runtime.active_pack()))):
        enrol(admin_client, cleo, photo_of(1))
    assert seen == [depth]


def test_a_teacher_enrols_nobody_here(
    client: Client, alice: User, cleo: Student, fake_engine: FakeEngine
) -> None:
    client.force_login(alice)
    response = enrol(client, cleo, photo_of(1))
    assert response.headers["Location"].startswith("/admin/login/")
    assert not FaceTemplate.objects.exists()


def test_nobody_is_enrolled_for_a_student_who_is_gone(
    admin_client: Client, fake_engine: FakeEngine
) -> None:
    nobody = Student(pk=999_999)
    assert enrol(admin_client, nobody, photo_of(1)).status_code == 404


def test_one_photo_is_removed_after_a_question(
    admin_client: Client, cleo: Student
) -> None:
    first, second = make_template(cleo, 1), make_template(cleo, 1)
    address = f"{STUDENTS}{cleo.pk}/faces/{first.pk}/remove/"
    assert "Remove 1 enrolled photo" in admin_client.get(address).content.decode()
    assert FaceTemplate.objects.count() == 2
    admin_client.post(address)
    assert list(FaceTemplate.objects.all()) == [second]


def test_all_photos_are_removed_but_nobody_elses(
    admin_client: Client, cleo: Student, outsider: Student
) -> None:
    make_template(cleo, 1)
    make_template(cleo, 1, model_id=OLD)
    kept = make_template(outsider, 2)
    admin_client.post(f"{STUDENTS}{cleo.pk}/faces/remove/")
    assert list(FaceTemplate.objects.all()) == [kept]


def test_another_students_photo_is_not_removed_by_its_number(
    admin_client: Client, cleo: Student, outsider: Student
) -> None:
    other = make_template(outsider, 2)
    address = f"{STUDENTS}{cleo.pk}/faces/{other.pk}/remove/"
    assert admin_client.post(address).status_code == 404
    assert FaceTemplate.objects.filter(pk=other.pk).exists()


def test_students_are_filtered_by_their_face(
    admin_client: Client, students: list[Student]
) -> None:
    enrolled, renew, none = students
    make_template(enrolled, 1)
    make_template(renew, 2, model_id=OLD)
    states = {"enrolled": enrolled, "needs_new_photo": renew, "none": none}
    for state, student in states.items():
        page = admin_client.get(STUDENTS, {"face": state})
        assert names(page) == {student.full_name}


def test_the_list_of_classes_counts_students_and_faces(
    admin_client: Client, maths: Classroom, students: list[Student], outsider: Student
) -> None:
    make_template(students[0], 1)
    make_template(students[0], 1)
    make_template(students[1], 2, model_id=OLD)
    page = admin_client.get(CLASSES)
    counts = {
        room.class_code: (room.seats, room.faces)
        for room in page.context["cl"].result_list
    }
    assert counts == {"MAT-1": (3, 1), "HIS-1": (1, 0)}


def test_no_page_shows_an_embedding(admin_client: Client, cleo: Student) -> None:
    template = make_template(cleo, 1)
    sealed = bytes(template.sealed_embedding)
    addresses = [
        STUDENTS,
        f"{STUDENTS}{cleo.pk}/change/",
        TEMPLATES,
        f"{TEMPLATES}{template.pk}/change/",
        f"{TEMPLATES}{template.pk}/delete/",
        ENGINE,
    ]
    for address in addresses:
        answer = admin_client.get(address).content
        assert sealed not in answer
        assert sealed.hex().encode() not in answer
        assert repr(sealed).encode() not in answer
        assert b"sealed_embedding" not in answer
    assert embedding_of(1).any()


def test_a_template_can_be_seen_and_deleted_but_not_changed(
    admin_client: Client, cleo: Student
) -> None:
    template = make_template(cleo, 1)
    address = f"{TEMPLATES}{template.pk}/change/"
    assert admin_client.post(address, {"model_id": "x"}).status_code == 403
    assert admin_client.get(f"{TEMPLATES}add/").status_code == 403
    admin_client.post(f"{TEMPLATES}{template.pk}/delete/", {"post": "yes"})
    assert not FaceTemplate.objects.exists()


def test_the_engine_page_names_what_runs(admin_client: Client, cleo: Student) -> None:
    make_template(cleo, 1)
    make_template(cleo, 1, model_id=OLD)
    runtime.get_engine()
    page = admin_client.get(ENGINE).content.decode()
    pack = runtime.active_pack()
    expected = [
        pack.model_id,
        pack.detector.sha256,
        pack.recogniser.sha256,
        "CPUExecutionProvider",
        "onnxruntime",
        OLD,
    ]
    assert [word for word in expected if word not in page] == []


def test_the_engine_is_examined_only_when_asked(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "SLOW", math.inf)  # this machine may be busy
    assert admin_client.get(ENGINE).context["diagnosis"] is None
    page = admin_client.post(ENGINE)
    timing = page.context["diagnosis"].timing
    assert timing.faces == 6
    assert timing.detection > 0 and timing.embedding > 0
    assert "nothing needs to be changed" in page.content.decode()


def test_the_engine_page_says_what_to_change(
    admin_client: Client, cleo: Student, settings: Settings
) -> None:
    make_template(cleo, 1, model_id=OLD)
    settings.FACE_THREADS = 200
    page = admin_client.post(ENGINE).content.decode()
    assert "FACE_THREADS=200" in page
    assert "1 student was enrolled with another model" in page


def test_the_engine_page_counts_who_needs_a_new_photo(
    admin_client: Client, cleo: Student, outsider: Student
) -> None:
    make_template(cleo, 1, model_id=OLD)
    make_template(outsider, 2)
    page = admin_client.get(ENGINE)
    assert page.context["renew"] == 1
    assert "1 student needs a new photo" in page.content.decode()
    listed = admin_client.get(f"{STUDENTS}?face=needs_new_photo").content.decode()
    assert cleo.full_name in listed
    assert outsider.full_name not in listed


def test_a_template_that_can_not_be_opened_is_reported(
    admin_client: Client, cleo: Student
) -> None:
    template = make_template(cleo, 1)
    assert admin_client.get(ENGINE).context["broken"] == 0
    FaceTemplate.objects.filter(pk=template.pk).delete()
    broken = make_template(cleo, 1)
    FaceTemplate.objects.filter(pk=broken.pk).update(sealed_embedding=b"x" * 540)
    assert admin_client.get(ENGINE).context["broken"] == 1


def test_a_photo_gets_a_plain_word() -> None:
    good = {
        "eye_distance": 60,
        "sharpness": 300,
        "brightness": 130,
        "contrast": 40,
        "yaw": 3,
        "pitch": 2,
        "roll": 1,
        "cut_off": 0,
        "detection_score": 0.95,
    }
    assert photo_word(good) == "good"
    assert photo_word(good | {"sharpness": 60}) == "fair"
    assert photo_word(good | {"cut_off": 0.08}) == "fair"
    assert photo_word({}) == ""


def test_the_state_of_a_face_follows_the_active_model(
    cleo: Student, outsider: Student
) -> None:
    make_template(cleo, 1)
    states = Student.objects.annotate(state=face_state()).values_list("pk", "state")
    assert dict(states)[cleo.pk] == "enrolled"
    assert dict(states)[outsider.pk] == "none"


@pytest.mark.parametrize(
    ("address", "number"),
    [
        # session, user, classes of the filter, count, page of rows, their seats
        (STUDENTS, 6),
        # session, user, teachers of the filter, count, page of rows, years
        (CLASSES, 6),
        # session, user, models of the filter, count, page of rows, first and last day
        (TEMPLATES, 7),
    ],
)
def test_a_list_of_500_students_costs_what_a_list_of_one_does(
    admin_client: Client, alice: User, address: str, number: int
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as found:
            assert admin_client.get(address).status_code == 200
        return len(found)

    make_template(make_student("First", make_class("One", alice)), 1)
    few = cost()
    for room in range(10):
        classroom = make_class(f"Class {room}", alice)
        for pupil in range(50):
            student = make_student(f"Pupil {pupil}", classroom)
            if pupil % 2:
                make_template(student, pupil + 1)
    assert (few, cost()) == (number, number)
