"""/app/classes/<id>/take/ and the marks made there, without JavaScript."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance import services
from attendance.models import Record, Session, Source, Status
from attendance.register import Register
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import make_student
from faces.tests.factories import make_template
from faces.tests.fakes import embedding_of, photo_of
from faces.tests.photos import upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_engine")]

CLEO, DAN, EVA, NOBODY = 1, 2, 3, 99


@pytest.fixture
def teacher(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def register(client: Client, classroom: Classroom, **query: Any) -> Register:
    answer = client.get(reverse("take", args=[classroom.pk]), query)
    assert answer.status_code == 200
    found: Register = answer.context["register"]
    return found


def mark(client: Client, classroom: Classroom, **form: Any) -> Any:
    return client.post(reverse("mark", args=[classroom.pk]), form, follow=True)


def photograph(client: Client, classroom: Classroom, way: str, *people: int) -> Any:
    form = {"way": way, "file": upload(photo_of(*people))}
    return client.post(reverse("take", args=[classroom.pk]), form)


# --- The page


def test_it_lists_uncertain_lines_first_then_who_is_missing(
    teacher: Client, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths)
    record = make_record(session, students[1], source=Source.FACE)
    record.confidence_score = 0.45
    record.save()
    found = register(teacher, maths)
    assert [line.student for line in found.uncertain] == [students[1]]
    assert [line.student for line in found.not_seen] == [students[0], students[2]]
    assert found.settled == []
    assert (found.present, found.students) == (1, 3)


def test_a_sure_match_needs_no_second_look(
    teacher: Client, maths: Classroom, students: list[Student]
) -> None:
    record = make_record(make_session(maths), students[1], source=Source.FACE)
    record.confidence_score = 0.9
    record.save()
    assert register(teacher, maths).uncertain == []


def test_whoever_a_rule_made_absent_is_still_not_seen(
    teacher: Client, maths: Classroom, students: list[Student], alice: User
) -> None:
    services.close(make_session(maths), by=alice)
    assert len(register(teacher, maths).not_seen) == 3


def test_a_wanted_session_is_shown(
    teacher: Client, maths: Classroom, students: list[Student]
) -> None:
    lesson = make_session(maths, start=dt.time(9))
    assert register(teacher, maths, session=lesson.pk).session == lesson


@pytest.mark.parametrize("wanted", ["0", "x", "-1"])
def test_a_session_that_is_not_there_is_not_found(
    teacher: Client, maths: Classroom, wanted: str
) -> None:
    answer = teacher.get(reverse("take", args=[maths.pk]), {"session": wanted})
    assert answer.status_code == 404


def test_a_session_of_another_class_is_not_found(
    teacher: Client, maths: Classroom, history: Classroom
) -> None:
    other = make_session(history)
    answer = teacher.get(reverse("take", args=[maths.pk]), {"session": other.pk})
    assert answer.status_code == 404


@pytest.mark.parametrize("students_there", [1, 12])
def test_it_costs_the_same_however_large_the_class_is(
    teacher: Client,
    maths: Classroom,
    students_there: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    session = make_session(maths)
    for number in range(students_there):
        student = make_student("Somebody", maths)
        if number % 2:
            make_record(session, student, source=Source.FACE)
    # session, user, class, timetable, the day's sessions, roster, records, plans
    with django_assert_num_queries(8):
        teacher.get(reverse("take", args=[maths.pk]))


# --- Photos


def test_a_photo_of_the_room_marks_and_says_so(
    teacher: Client, maths: Classroom, enrolled: list[Student]
) -> None:
    answer = photograph(teacher, maths, "group", CLEO, EVA, NOBODY)
    page = answer.content.decode()
    assert "2 students recognised" in page
    assert "1 face is not enrolled" in page
    assert [line.student for line in answer.context["register"].not_seen] == [
        enrolled[1]
    ]


def test_twins_on_a_photo_of_the_room_become_a_question(
    teacher: Client, maths: Classroom, enrolled: list[Student]
) -> None:
    make_template(enrolled[0], 0, embedding=embedding_of(DAN))
    page = photograph(teacher, maths, "group", DAN).content.decode()
    assert "Who is this?" in page
    assert f'value="{enrolled[0].pk}:present">Cleo Castro' in page
    assert not Record.objects.exists()


def test_a_photo_of_one_person_marks_them(
    teacher: Client, maths: Classroom, enrolled: list[Student]
) -> None:
    page = photograph(teacher, maths, "photo", DAN).content.decode()
    assert '<h2 id="one">Dan Dietz</h2>' in page
    assert Record.objects.get().student == enrolled[1]


@pytest.mark.parametrize(
    ("person", "words"), [(NOBODY, "Not recognised"), (DAN, "Who is this?")]
)
def test_a_photo_that_marks_nobody_says_why(
    teacher: Client,
    maths: Classroom,
    enrolled: list[Student],
    person: int,
    words: str,
) -> None:
    make_template(enrolled[0], 0, embedding=embedding_of(DAN))
    assert words in photograph(teacher, maths, "photo", person).content.decode()
    assert not Record.objects.exists()


def test_two_people_on_a_photo_of_one_are_refused(
    teacher: Client, maths: Classroom, enrolled: list[Student]
) -> None:
    answer = photograph(teacher, maths, "photo", CLEO, DAN)
    assert answer.status_code == 422
    assert "Several people" in answer.content.decode()


def test_six_photos_are_too_many(
    teacher: Client, maths: Classroom, enrolled: list[Student]
) -> None:
    photos = [upload(photo_of(CLEO)) for _ in range(6)]
    form = {"way": "group", "file": photos}
    answer = teacher.post(reverse("take", args=[maths.pk]), form)
    assert answer.status_code == 400
    assert "Choose up to 5 photos" in answer.content.decode()


def test_a_form_without_a_photo_says_so(teacher: Client, maths: Classroom) -> None:
    answer = teacher.post(reverse("take", args=[maths.pk]), {"way": "photo"})
    assert answer.status_code == 400
    assert answer.context["way"] == "photo"


def test_a_photo_goes_to_the_session_that_the_form_names(
    teacher: Client, maths: Classroom, enrolled: list[Student]
) -> None:
    make_session(maths)
    lesson = make_session(maths, start=dt.time(9))
    form = {
        "way": "group",
        "file": upload(photo_of(CLEO)),
        "session": lesson.pk,
    }
    teacher.post(reverse("take", args=[maths.pk]), form)
    assert Record.objects.get().session == lesson


def test_a_photo_for_a_closed_session_is_refused_in_words(
    teacher: Client, maths: Classroom, enrolled: list[Student], alice: User
) -> None:
    services.close(make_session(maths), by=alice)
    answer = photograph(teacher, maths, "group", CLEO)
    assert answer.status_code == 409
    assert "This session is closed" in answer.content.decode()


# --- By hand


def test_the_first_mark_of_a_day_makes_the_session(
    teacher: Client, maths: Classroom, students: list[Student], alice: User
) -> None:
    mark(teacher, maths, mark=f"{students[0].pk}:late")
    record = Record.objects.get()
    assert (record.status, record.source) == (Status.LATE, Source.MANUAL)
    assert (record.session.start, record.marked_by) == (None, alice)


def test_a_mark_leads_back_with_a_way_to_undo_it(
    teacher: Client, maths: Classroom, students: list[Student]
) -> None:
    answer = mark(teacher, maths, mark=f"{students[0].pk}:late")
    assert "Cleo Castro: Late" in answer.content.decode()
    session = Session.objects.get()
    url = reverse("undo-session", args=[session.pk])
    assert "Undone." in teacher.post(url, follow=True).content.decode()
    assert not Record.objects.exists()
    again = teacher.post(url, follow=True).content.decode()
    assert "nothing left to undo" in again


def test_the_rest_is_marked_at_once(
    teacher: Client, maths: Classroom, students: list[Student]
) -> None:
    mark(teacher, maths, mark=f"{students[0].pk}:absent")
    answer = mark(teacher, maths, mark="rest:present")
    assert "2 students: Present" in answer.content.decode()
    assert Record.objects.filter(status=Status.PRESENT).count() == 2


def test_a_tap_keeps_the_note_of_an_earlier_correction(
    teacher: Client, maths: Classroom, students: list[Student]
) -> None:
    pk = students[0].pk
    mark(teacher, maths, student=pk, status="excused", note="dentist")
    mark(teacher, maths, mark=f"{pk}:late")
    record = Record.objects.get()
    assert (record.status, record.note) == (Status.LATE, "dentist")


def test_a_closed_register_can_be_corrected_by_hand(
    teacher: Client, maths: Classroom, students: list[Student], alice: User
) -> None:
    services.close(make_session(maths), by=alice)
    mark(teacher, maths, mark=f"{students[0].pk}:excused")
    assert Record.objects.get(student=students[0]).status == Status.EXCUSED


@pytest.mark.parametrize("wrong", ["", "x:present", "1:asleep", "rest:", ":late"])
def test_a_mark_that_makes_no_sense_changes_nothing(
    teacher: Client, maths: Classroom, students: list[Student], wrong: str
) -> None:
    answer = mark(teacher, maths, mark=wrong)
    assert "Choose a student and a status." in answer.content.decode()
    assert not Session.objects.exists()


def test_a_student_of_another_class_is_not_marked(
    teacher: Client, maths: Classroom, students: list[Student], outsider: Student
) -> None:
    answer = mark(teacher, maths, mark=f"{outsider.pk}:present")
    assert "not in this class" in answer.content.decode()
    assert "Otto" not in answer.content.decode()
    assert not Record.objects.exists()


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/"])
def test_a_mark_never_leads_to_another_host(
    teacher: Client, maths: Classroom, students: list[Student], target: str
) -> None:
    form = {"mark": f"{students[0].pk}:late", "next": target}
    answer = teacher.post(reverse("mark", args=[maths.pk]), form)
    assert answer["Location"] == reverse("take", args=[maths.pk])


# --- "Not this person"


def test_a_match_is_taken_back_and_given_to_the_one_who_it_was(
    teacher: Client, maths: Classroom, students: list[Student], alice: User
) -> None:
    services.mark_by_face(maths, {students[0].pk: 0.45}, by=alice)
    url = reverse("reject", args=[Record.objects.get().pk])
    answer = teacher.post(url, {"instead": students[2].pk}, follow=True)
    record = Record.objects.get()
    assert (record.student, record.status) == (students[2], Status.PRESENT)
    assert record.source == Source.MANUAL
    assert "Cleo Castro: not this person" in answer.content.decode()


def test_a_wrong_other_student_takes_nothing_back(
    teacher: Client,
    maths: Classroom,
    students: list[Student],
    outsider: Student,
    alice: User,
) -> None:
    services.mark_by_face(maths, {students[0].pk: 0.45}, by=alice)
    url = reverse("reject", args=[Record.objects.get().pk])
    teacher.post(url, {"instead": outsider.pk})
    assert Record.objects.get().student == students[0]
