"""Another model starts from nothing, loses nothing, and going back works at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from classroom.models import Classroom, Student
from conftest import ApiFactory
from faces import runtime
from faces.engine import packs
from faces.engine.pipeline import FaceEngine
from faces.models import FaceTemplate
from faces.services import needs_new_photo
from faces.tests.factories import make_template
from faces.tests.insightface_pack import write_pack
from faces.tests.photos import astronaut, six_close_ups, upload

pytestmark = pytest.mark.django_db

OLD = "older:0123456789ab"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> FaceEngine:
    """An engine with a generated recogniser of 512 numbers, and YuNet's eyes."""
    folder = write_pack(tmp_path_factory.mktemp("packs") / "other")
    loaded = packs.load_pack(str(folder), device="cpu")
    embedded = packs.load_pack("sface", device="cpu")
    seeing = packs.LoadedPack(
        loaded.contract, embedded.detector, loaded.recogniser, loaded.providers
    )
    return FaceEngine(seeing)


@contextmanager
def model(engine: FaceEngine) -> Iterator[None]:
    with runtime.use_engine(engine):
        yield


def register(client: ApiFactory, user: User, student: Student, photo: bytes) -> int:
    body = {"student_id": student.pk, "file": [upload(photo)]}
    return client(user).post("/face/register", body).status_code


def verify(
    client: ApiFactory, user: User, classroom: Classroom, photo: bytes
) -> dict[str, object]:
    body = {"class_id": classroom.pk, "file": upload(photo)}
    told: dict[str, object] = client(user).post("/face/verify", body).json()
    return told


def states(client: ApiFactory, user: User) -> dict[str, tuple[bool, str]]:
    rows = client(user).get("/students").json()["results"]
    return {row["full_name"]: (row["face_enrolled"], row["face_state"]) for row in rows}


def test_a_switch_shows_who_needs_a_new_photo(
    api: ApiFactory, alice: User, students: list[Student], other: FaceEngine
) -> None:
    assert register(api, alice, students[0], six_close_ups()[0]) == 201
    assert states(api, alice)["Cleo Castro"] == (True, "enrolled")

    with model(other):
        shown = states(api, alice)

    assert shown["Cleo Castro"] == (False, "needs_new_photo")
    assert shown["Dan Dietz"] == (False, "none")


def test_a_class_with_old_templates_alone_is_told_why(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    students: list[Student],
    other: FaceEngine,
) -> None:
    register(api, alice, students[0], six_close_ups()[0])
    register(api, alice, students[1], six_close_ups()[1])

    with model(other):
        told = verify(api, alice, maths, six_close_ups()[0])

    assert (told["matched"], told["reason"]) == (False, "nobody_enrolled")
    hints = told["hints"]
    assert isinstance(hints, list)
    assert hints[0]["code"] == "needs_new_photo"
    assert "2 students of this class" in hints[0]["detail"]


def test_a_class_without_any_template_hears_of_no_switch(
    api: ApiFactory,
    alice: User,
    stranger: User,
    maths: Classroom,
    students: list[Student],
    outsider: Student,
) -> None:
    make_template(outsider, 1, model_id=OLD)

    told = verify(api, alice, maths, astronaut())

    assert told["reason"] == "nobody_enrolled"
    hints = told["hints"]
    assert isinstance(hints, list)
    assert "needs_new_photo" not in [hint["code"] for hint in hints]


def test_the_two_models_are_never_compared(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    students: list[Student],
    other: FaceEngine,
) -> None:
    register(api, alice, students[0], six_close_ups()[0])

    with model(other):
        # The same face for somebody else: for this model it is nobody's yet.
        assert register(api, alice, students[1], six_close_ups()[0]) == 201
        told = verify(api, alice, maths, six_close_ups()[0])

    assert told["matched"]
    student = told["student"]
    assert isinstance(student, dict)
    assert student["id"] == students[1].pk


def test_switching_back_works_at_once(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    students: list[Student],
    other: FaceEngine,
) -> None:
    register(api, alice, students[0], six_close_ups()[0])
    with model(other):
        verify(api, alice, maths, six_close_ups()[0])

    told = verify(api, alice, maths, six_close_ups()[0])

    student = told["student"]
    assert isinstance(student, dict)
    assert student["id"] == students[0].pk


def test_who_has_templates_of_both_needs_no_photo(students: list[Student]) -> None:
    make_template(students[0], 1)
    make_template(students[0], 1, model_id=OLD)
    make_template(students[1], 2, model_id=OLD)

    assert list(needs_new_photo()) == [students[1]]
    assert list(needs_new_photo(model_id=OLD)) == []


def prune(*arguments: str) -> str:
    said = StringIO()
    call_command("faces_prune", *arguments, stdout=said)
    return said.getvalue()


def test_the_api_counts_who_needs_a_new_photo(
    api: ApiFactory, alice: User, students: list[Student], outsider: Student
) -> None:
    make_template(students[0], 1)
    make_template(students[1], 2, model_id=OLD)
    make_template(outsider, 3, model_id=OLD)

    told = api(alice).get("/students?face_state=needs_new_photo").json()

    assert told["count"] == 1
    assert [row["id"] for row in told["results"]] == [students[1].pk]


def test_an_unknown_state_is_refused(api: ApiFactory, alice: User) -> None:
    answer = api(alice).get("/students?face_state=tired")

    assert answer.status_code == 400


def test_pruning_first_only_counts(students: list[Student]) -> None:
    make_template(students[0], 1)
    for student in students[:2]:
        make_template(student, 2, model_id=OLD)

    told = prune()

    assert f"{OLD}: 2 templates of 2 students" in told
    assert "1 students have no photo" in told
    assert FaceTemplate.objects.count() == 3


def test_pruning_removes_the_templates_of_other_models(
    students: list[Student],
) -> None:
    kept = make_template(students[0], 1)
    make_template(students[0], 1, model_id=OLD)

    told = prune("--delete")

    assert "Removed 1 templates" in told
    assert list(FaceTemplate.objects.all()) == [kept]


def test_pruning_may_be_limited_to_one_model(students: list[Student]) -> None:
    make_template(students[0], 1, model_id=OLD)
    kept = make_template(students[0], 1, model_id="another:0123456789ab")

    prune("--delete", "--model-id", OLD)

    assert list(FaceTemplate.objects.all()) == [kept]


def test_the_model_in_use_is_never_pruned(students: list[Student]) -> None:
    make_template(students[0], 1)

    with pytest.raises(CommandError, match="in use"):
        prune("--delete", "--model-id", runtime.active_model_id())

    assert FaceTemplate.objects.count() == 1


def test_with_one_model_there_is_nothing_to_prune(students: list[Student]) -> None:
    make_template(students[0], 1)

    assert "nothing to remove" in prune("--delete")


def test_what_is_wrong_with_the_model_is_one_line(
    monkeypatch: pytest.MonkeyPatch, settings: object, tmp_path: Path
) -> None:
    monkeypatch.setattr("django.conf.settings.FACE_MODEL", str(tmp_path / "gone"))
    monkeypatch.setattr(runtime, "_engine", None)

    with pytest.raises(CommandError, match="gone"):
        prune()
