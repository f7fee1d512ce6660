"""Live attendance: two agreeing frames mark a student, one never does."""

import hashlib
import itertools

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance import live, services
from attendance.live import SALT, Look, look
from attendance.models import Record, Session, Source, Status
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import make_class, seat
from faces.tests.factories import make_template
from faces.tests.fakes import embedding_of, photo_of
from faces.tests.photos import upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_engine")]

CLEO, DAN, EVA, NOBODY = 1, 2, 3, 99


shots = itertools.cycle(range(1, 256))


def shot_of(*people: int) -> bytes:
    """Return a picture as a camera takes it: no two have the same bytes."""
    return photo_of(*people, shot=next(shots))


def marked(look: Look) -> list[str]:
    return [
        face.student.full_name
        for face in look.faces
        if face.student and face.record and face.is_new
    ]


def test_one_frame_marks_nobody_and_makes_no_session(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    seen = look(maths, shot_of(CLEO), by=alice)
    assert [face.student for face in seen.faces] == [enrolled[0]]
    assert seen.faces[0].record is None
    assert not Session.objects.exists()


def test_the_second_agreeing_frame_marks(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    first = look(maths, shot_of(CLEO), by=alice)
    second = look(maths, shot_of(CLEO), token=first.token, by=alice)
    assert marked(second) == ["Cleo Castro"]
    record = Record.objects.get()
    assert (record.student, record.source) == (enrolled[0], Source.FACE)
    assert (record.status, record.marked_by) == (Status.PRESENT, alice)


def test_a_frame_that_disagrees_marks_neither(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    first = look(maths, shot_of(CLEO), by=alice)
    look(maths, shot_of(DAN), token=first.token, by=alice)
    assert not Record.objects.exists()


def test_the_frames_must_follow_each_other(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    token = ""
    for person in (CLEO, DAN, CLEO):
        token = look(maths, shot_of(person), token=token, by=alice).token
    assert not Record.objects.exists()


def test_each_of_several_people_needs_two_frames_of_their_own(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    first = look(maths, shot_of(CLEO, DAN), by=alice)
    second = look(maths, shot_of(DAN, EVA), token=first.token, by=alice)
    assert marked(second) == ["Dan Dietz"]
    third = look(maths, shot_of(CLEO, EVA), token=second.token, by=alice)
    assert marked(third) == ["Eva Evans"]


def test_a_third_frame_says_that_the_student_is_marked(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    token = ""
    for _ in range(3):
        seen = look(maths, shot_of(CLEO), token=token, by=alice)
        token = seen.token
    assert marked(seen) == []
    assert seen.faces[0].record == Record.objects.get()


def test_a_token_of_another_user_counts_as_none(
    maths: Classroom, enrolled: list[Student], alice: User, bob: User
) -> None:
    first = look(maths, shot_of(CLEO), by=bob)
    look(maths, shot_of(CLEO), token=first.token, by=alice)
    assert not Record.objects.exists()


def test_a_token_of_another_class_counts_as_none(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    other = make_class("Chess", alice)
    seat(enrolled[0], other)
    first = look(other, shot_of(CLEO), by=alice)
    look(maths, shot_of(CLEO), token=first.token, by=alice)
    assert not Record.objects.exists()


def test_a_token_of_another_session_counts_as_none(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    session = make_session(maths)
    first = look(maths, shot_of(CLEO), by=alice)
    look(maths, shot_of(CLEO), token=first.token, by=alice, session_id=session.pk)
    assert not Record.objects.exists()


def test_an_old_token_counts_as_none(
    maths: Classroom,
    enrolled: list[Student],
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = look(maths, shot_of(CLEO), by=alice)
    monkeypatch.setattr(live, "TOKEN_SECONDS", -1)
    look(maths, shot_of(CLEO), token=first.token, by=alice)
    assert not Record.objects.exists()


def test_a_token_made_by_somebody_else_counts_as_none(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    scope = [alice.pk, maths.pk, 0]
    seen = [scope, "another frame", [enrolled[0].pk]]
    forged = signing.dumps(seen, key="not ours", salt=SALT)
    look(maths, shot_of(CLEO), token=forged, by=alice)
    assert not Record.objects.exists()


def test_a_token_of_an_earlier_version_counts_as_none(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    old = signing.dumps([[alice.pk, maths.pk, 0], [enrolled[0].pk]], salt=SALT)
    look(maths, shot_of(CLEO), token=old, by=alice)
    assert not Record.objects.exists()


def test_the_same_bytes_are_one_look_however_often_they_come(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    still, token = shot_of(CLEO), ""
    for _ in range(4):
        seen = look(maths, still, token=token, by=alice)
        token = seen.token
    assert seen.faces[0].student == enrolled[0]
    assert not Record.objects.exists()
    # A camera that stood still for a moment goes on where it was.
    assert marked(look(maths, shot_of(CLEO), token=token, by=alice)) == ["Cleo Castro"]


def test_a_token_does_not_say_what_was_on_the_frame(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    frame = shot_of(CLEO)
    token = look(maths, frame, by=alice).token
    _scope, photo, _seen = signing.loads(token, salt=SALT)
    # Whoever has the frame but not the key can't tell that it was this one.
    assert len(photo) == 64
    assert photo != hashlib.sha256(frame).hexdigest()


def test_a_persons_word_stays(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    make_record(make_session(maths), enrolled[0], Status.EXCUSED)
    first = look(maths, shot_of(CLEO), by=alice)
    second = look(maths, shot_of(CLEO), token=first.token, by=alice)
    assert marked(second) == []
    assert Record.objects.get().status == Status.EXCUSED


def test_twins_are_asked_about_and_never_marked(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    make_template(enrolled[0], 0, embedding=embedding_of(DAN))
    first = look(maths, shot_of(DAN), by=alice)
    second = look(maths, shot_of(DAN), token=first.token, by=alice)
    assert {student for student, _ in second.faces[0].candidates} == set(enrolled[:2])
    assert not Record.objects.exists()


def test_a_closed_session_costs_no_inference(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    services.close(make_session(maths), by=alice)
    with pytest.raises(services.SessionClosed):
        look(maths, b"not looked at", by=alice)


# --- Over HTTP


def frame(client: Client, classroom: Classroom, person: int, token: str = "") -> dict:  # type: ignore[type-arg]
    answer = client.post(
        reverse("look", args=[classroom.pk]),
        {"file": upload(shot_of(person)), "token": token},
    )
    assert answer.status_code == 200, answer.content
    body: dict = answer.json()  # type: ignore[type-arg]
    return body


def test_the_page_gets_boxes_names_and_words(
    client: Client, maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    client.force_login(alice)
    first = frame(client, maths, CLEO)
    assert first["faces"][0]["box"] == [0, 0, 240, 240]
    assert "record" not in first["faces"][0]
    face = frame(client, maths, CLEO, first["token"])["faces"][0]
    assert face["student"]["full_name"] == "Cleo Castro"
    assert (face["likeness"], face["record"]["words"]) == ("very alike", "Present")
    assert face["record"]["is_new"] is True


def test_somebody_unknown_gets_no_name(
    client: Client, maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    client.force_login(alice)
    face = frame(client, maths, NOBODY)["faces"][0]
    assert (face["outcome"], face["candidates"]) == ("unknown", [])
    assert "student" not in face


def test_a_bad_frame_is_refused_with_a_code(
    client: Client, maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    client.force_login(alice)
    answer = client.post(
        reverse("look", args=[maths.pk]), {"file": upload(shot_of(CLEO)[:300])}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_image")


def test_a_frame_without_the_forms_token_is_refused(
    maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    answer = client.post(
        reverse("look", args=[maths.pk]), {"file": upload(shot_of(CLEO))}
    )
    assert answer.status_code == 403


def test_it_costs_the_same_however_many_are_on_the_frame(
    client: Client,
    maths: Classroom,
    enrolled: list[Student],
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client.force_login(alice)
    url = reverse("look", args=[maths.pk])
    client.post(url, {"file": upload(shot_of(CLEO))})  # opens the templates
    make_session(maths)
    for people in ((CLEO,), (CLEO, DAN, EVA)):
        # session, user, class, timetable, today's session, gallery, look-alikes,
        # students, known lines
        with django_assert_num_queries(9):
            client.post(url, {"file": upload(shot_of(*people))})
