"""From photos to marks, with an engine for which a colour is a person."""

import numpy as np
import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from attendance import services
from attendance.models import Record, Session, Status
from attendance.recognition import mark_group, verify
from attendance.tests.factories import make_session
from classroom.models import Classroom, Student
from faces.engine.errors import MultipleFaces, NoFace, UnreadableImage
from faces.tests.factories import make_template
from faces.tests.fakes import embedding_of, photo_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_engine")]

CLEO, DAN, EVA, NOBODY = 1, 2, 3, 99


# --- One person


def test_the_person_at_the_camera_is_marked(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    answer = verify(maths, photo_of(DAN), by=alice)
    assert answer.recognised is not None
    assert answer.recognised.student == enrolled[1]
    record = Record.objects.get()
    assert (record.student, record.status) == (enrolled[1], Status.PRESENT)
    assert (record.confidence_score, record.marked_by) == (1.0, alice)


def test_the_second_look_says_already_marked(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    answers = [verify(maths, photo_of(DAN), by=alice).recognised for _ in range(2)]
    assert [a.mark.already_marked for a in answers if a] == [False, True]
    assert Record.objects.count() == Session.objects.count() == 1


def test_a_stranger_marks_nobody_and_makes_no_session(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    answer = verify(maths, photo_of(NOBODY), by=alice)
    assert (answer.recognised, answer.reason) == (None, "no_match")
    assert not Session.objects.exists()


def test_a_student_of_another_class_is_no_match(
    maths: Classroom, enrolled: list[Student], outsider: Student, alice: User
) -> None:
    make_template(outsider, NOBODY)
    assert verify(maths, photo_of(NOBODY), by=alice).reason == "no_match"


def test_without_any_enrolment_it_says_so(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    assert verify(maths, photo_of(DAN), by=alice).reason == "nobody_enrolled"


def test_templates_of_another_model_are_no_enrolment(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    make_template(students[0], CLEO, model_id="other:1")
    assert verify(maths, photo_of(CLEO), by=alice).reason == "nobody_enrolled"


def test_twins_are_ambiguous_and_both_are_named(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    make_template(enrolled[0], 0, embedding=embedding_of(DAN))
    answer = verify(maths, photo_of(DAN), by=alice)
    assert (answer.recognised, answer.reason) == (None, "ambiguous")
    assert {student for student, _ in answer.candidates} == set(enrolled[:2])
    assert not Record.objects.exists()


def test_two_people_at_the_camera_are_too_many(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    with pytest.raises(MultipleFaces):
        verify(maths, photo_of(CLEO, DAN), by=alice)


def test_nobody_at_the_camera_is_said(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    with pytest.raises(NoFace):
        verify(maths, photo_of(), by=alice)


def test_a_closed_session_costs_no_inference(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    services.close(make_session(maths), by=alice)
    with pytest.raises(services.SessionClosed):
        verify(maths, b"not looked at", by=alice)


def test_inference_runs_outside_any_transaction(
    maths: Classroom,
    enrolled: list[Student],
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    depth = len(connection.atomic_blocks)  # pytest-django's own
    seen: list[int] = []

    def embed(person: int) -> np.ndarray:
        seen.append(len(connection.atomic_blocks))
        return embedding_of(person)

    monkeypatch.setattr("faces.tests.fakes.embedding_of", embed)
    verify(maths, photo_of(DAN), by=alice)
    assert seen == [depth]


def test_the_setting_wins_over_the_packs_threshold(
    maths: Classroom, students: list[Student], alice: User, settings: Settings
) -> None:
    half = (embedding_of(CLEO) + embedding_of(50)) / 2**0.5  # a cosine of 0.71
    make_template(students[0], 0, embedding=half)
    settings.FACE_SIMILARITY_THRESHOLD = 0.8
    assert verify(maths, photo_of(CLEO), by=alice).reason == "no_match"
    settings.FACE_SIMILARITY_THRESHOLD = 0.7
    assert verify(maths, photo_of(CLEO), by=alice).recognised is not None


# --- A room


def test_everybody_seen_is_marked_and_the_rest_is_listed(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    result = mark_group(maths, [photo_of(EVA, NOBODY, CLEO)], by=alice)
    assert {line.student for line in result.recognised} == {enrolled[0], enrolled[2]}
    assert [seen.face.box[0] for seen in result.unknown] == [240]
    assert result.not_seen == [enrolled[1]]
    assert Record.objects.count() == 2


def test_several_photos_merge_and_nobody_is_marked_twice(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    result = mark_group(maths, [photo_of(CLEO, DAN), photo_of(DAN, EVA)], by=alice)
    assert sorted(line.student.pk for line in result.recognised) == [
        student.pk for student in enrolled
    ]
    assert (result.unknown, result.ambiguous, result.not_seen) == ([], [], [])


def test_of_two_faces_of_one_student_one_is_unknown(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    result = mark_group(maths, [photo_of(DAN, DAN)], by=alice)
    assert [line.student for line in result.recognised] == [enrolled[1]]
    assert len(result.unknown) == 1


def test_a_bad_photo_among_good_ones_marks_nobody_and_is_named(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    with pytest.raises(UnreadableImage) as refused:
        mark_group(maths, [photo_of(CLEO), photo_of(DAN)[:400]], by=alice)
    assert refused.value.extra["photo"] == 2
    assert not Session.objects.exists()


def test_an_empty_room_is_an_answer_and_not_a_fault(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    result = mark_group(maths, [photo_of()], by=alice)
    assert (result.recognised, result.not_seen) == ([], enrolled)
    assert not Session.objects.exists()


def test_a_group_photo_says_who_was_marked_before(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    verify(maths, photo_of(CLEO), by=alice)
    result = mark_group(maths, [photo_of(CLEO, DAN)], by=alice)
    already = {line.student: line.mark.already_marked for line in result.recognised}
    assert already == {enrolled[0]: True, enrolled[1]: False}
