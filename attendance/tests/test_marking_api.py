"""POST /face/verify and /attendance/group, with real models on real photos."""

from typing import Any

import pytest

from accounts.models import User
from attendance.models import Record, Session, Source
from classroom.models import Classroom, Student
from classroom.tests.factories import make_student
from conftest import ApiFactory
from faces.services import register
from faces.tests.photos import (
    astronaut,
    group_photo,
    group_with_astronaut,
    six_close_ups,
    upload,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def six(maths: Classroom, alice: User) -> list[Student]:
    """Six students of maths, enrolled from the people of the group photo."""
    students = [make_student(f"Person {number}", maths) for number in range(6)]
    for student, photo in zip(students, six_close_ups(), strict=True):
        register(student, [photo], by=alice)
    return students


def verify_body(classroom: Classroom, photo: bytes, **more: Any) -> dict[str, Any]:
    return {"class_id": classroom.pk, "file": upload(photo), **more}


def test_verify_marks_the_person_and_answers_with_confidence(
    api: ApiFactory, alice: User, maths: Classroom, six: list[Student]
) -> None:
    body = verify_body(maths, six_close_ups()[2])
    answer = api(alice).post("/face/verify", body)
    assert answer.status_code == 200
    told = answer.json()
    assert told["matched"] is True
    assert told["student"] == {
        "id": six[2].pk,
        "student_id": six[2].student_id,
        "full_name": "Person 2",
    }
    assert told["confidence"] > 0.99 > told["threshold"]
    assert told["margin"] > 0.3
    assert [type(number) for number in told["box"]] == [int] * 4
    assert told["hints"] == []
    record = Record.objects.get()
    assert told["attendance"] == {
        "id": record.pk,
        "session_id": record.session_id,
        "status": "present",
        "marked_at": told["attendance"]["marked_at"],
        "already_marked": False,
        "flags": [],
    }
    assert (record.student, record.source) == (six[2], Source.FACE)
    assert record.confidence_score == told["confidence"]


def test_verify_again_says_already_marked(
    api: ApiFactory, alice: User, maths: Classroom, six: list[Student]
) -> None:
    client = api(alice)
    answers = [
        client.post("/face/verify", verify_body(maths, six_close_ups()[2])).json()
        for _ in range(2)
    ]
    first, second = (answer["attendance"] for answer in answers)
    assert (first["already_marked"], second["already_marked"]) == (False, True)
    assert first["id"] == second["id"]


def test_somebody_who_is_not_enrolled_is_no_match(
    api: ApiFactory, alice: User, maths: Classroom, six: list[Student]
) -> None:
    answer = api(alice).post("/face/verify", verify_body(maths, astronaut())).json()
    assert (answer["matched"], answer["reason"]) == (False, "no_match")
    assert answer["confidence"] < answer["threshold"]
    assert "student" not in answer
    assert not Session.objects.exists()


def test_a_class_without_enrolments_says_so(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    answer = api(alice).post("/face/verify", verify_body(maths, astronaut())).json()
    assert (answer["matched"], answer["reason"]) == (False, "nobody_enrolled")
    assert answer["candidates"] == []


def test_a_group_in_front_of_the_camera_is_too_many(
    api: ApiFactory, alice: User, maths: Classroom, six: list[Student]
) -> None:
    answer = api(alice).post("/face/verify", verify_body(maths, group_photo()))
    assert (answer.status_code, answer.json()["code"]) == (422, "multiple_faces")


def test_all_six_are_marked_from_the_group_photo(
    api: ApiFactory, alice: User, maths: Classroom, six: list[Student]
) -> None:
    answer = api(alice).post("/attendance/group", verify_body(maths, group_photo()))
    told = answer.json()
    assert answer.status_code == 200
    marked = {line["student"]["id"]: line["confidence"] for line in told["recognized"]}
    assert marked.keys() == {student.pk for student in six}
    kept = dict(Record.objects.values_list("student", "confidence_score"))
    assert marked == kept
    assert (told["ambiguous"], told["unknown"], told["not_seen"]) == ([], [], [])
    assert Record.objects.filter(source=Source.FACE).count() == 6


def test_a_seventh_face_comes_back_unknown_with_its_box(
    api: ApiFactory, alice: User, maths: Classroom, six: list[Student]
) -> None:
    body = verify_body(maths, group_with_astronaut())
    told = api(alice).post("/attendance/group", body).json()
    assert len(told["recognized"]) == 6
    (seventh,) = told["unknown"]
    x, y, width, height = seventh["box"]
    # The astronaut stands right of the 1280 pixels of the group; her face lies around
    # (224, 110) of her own photo.
    assert x < 1280 + 224 < x + width
    assert y < 110 < y + height
    assert seventh["photo"] == 1


def test_boxes_stand_where_the_people_are(
    api: ApiFactory, alice: User, maths: Classroom, six: list[Student]
) -> None:
    body = verify_body(maths, group_photo())
    told = api(alice).post("/attendance/group", body).json()
    # The close-ups were cut from left to right, and so are the students numbered.
    from_the_left = sorted(told["recognized"], key=lambda line: line["box"][0])
    names = [line["student"]["full_name"] for line in from_the_left]
    assert names == [f"Person {number}" for number in range(6)]


def test_who_is_not_in_the_photo_is_listed(
    api: ApiFactory, alice: User, maths: Classroom, six: list[Student]
) -> None:
    make_student("Away Today", maths)
    body = verify_body(maths, group_photo())
    told = api(alice).post("/attendance/group", body).json()
    assert [student["full_name"] for student in told["not_seen"]] == ["Away Today"]


def test_a_mark_goes_to_the_wanted_session(
    api: ApiFactory, alice: User, maths: Classroom, six: list[Student]
) -> None:
    client = api(alice)
    wanted = client.post("/sessions", {"class_id": maths.pk, "date": "2026-03-02"})
    session_id = wanted.json()["id"]
    body = verify_body(maths, six_close_ups()[0], session_id=session_id)
    told = client.post("/face/verify", body).json()
    assert told["attendance"]["session_id"] == session_id


@pytest.mark.parametrize("url", ["/face/verify", "/attendance/group"])
def test_a_closed_session_is_answered_409(
    api: ApiFactory, alice: User, maths: Classroom, six: list[Student], url: str
) -> None:
    client = api(alice)
    session = client.post("/sessions", {"class_id": maths.pk, "date": "2026-03-02"})
    session_id = session.json()["id"]
    client.post(f"/sessions/{session_id}/close")
    body = verify_body(maths, astronaut(), session_id=session_id)
    answer = client.post(url, body)
    assert (answer.status_code, answer.json()["code"]) == (409, "session_closed")


@pytest.mark.parametrize("url", ["/face/verify", "/attendance/group"])
def test_a_strangers_class_is_not_found(
    api: ApiFactory, stranger: User, maths: Classroom, url: str
) -> None:
    answer = api(stranger).post(url, verify_body(maths, astronaut()))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("url", ["/face/verify", "/attendance/group"])
def test_a_session_of_another_class_is_not_found(
    api: ApiFactory,
    alice: User,
    stranger: User,
    maths: Classroom,
    history: Classroom,
    url: str,
) -> None:
    theirs = api(stranger).post(
        "/sessions", {"class_id": history.pk, "date": "2026-03-02"}
    )
    body = verify_body(maths, astronaut(), session_id=theirs.json()["id"])
    assert api(alice).post(url, body).status_code == 404


@pytest.mark.parametrize("url", ["/face/verify", "/attendance/group"])
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"class_id": "x"}, "class_id"),
        ({"class_id": 10**30}, "class_id"),
        ({"class_id": ""}, "class_id"),
        ({"session_id": "x"}, "session_id"),
        ({"file": "text"}, "file"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    url: str,
    wrong: dict[str, object],
    field: str,
) -> None:
    answer = api(alice).post(url, verify_body(maths, astronaut()) | wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize("url", ["/face/verify", "/attendance/group"])
def test_a_photo_is_asked_for_by_name(
    api: ApiFactory, alice: User, maths: Classroom, url: str
) -> None:
    answer = api(alice).post(url, {"class_id": maths.pk})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["file"])
