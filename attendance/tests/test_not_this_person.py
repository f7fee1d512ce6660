""" "Not this person" is kept: the two are look-alikes from then on."""

import pytest

from accounts.models import User
from attendance import services
from attendance.evidence import Evidence
from attendance.models import Record, Session, Source, Status
from attendance.recognition import verify
from attendance.undo import last_changes, undo
from classroom.models import Classroom, Student
from conftest import ApiFactory
from faces import runtime
from faces.models import LookAlikePair
from faces.tests.factories import make_template
from faces.tests.fakes import FakeEngine, embedding_of, photo_of

pytestmark = pytest.mark.django_db


def marked(
    classroom: Classroom, student: Student, by: User, runner_up: Student | None = None
) -> Record:
    evidence = {student.pk: Evidence(runner_up=runner_up.pk)} if runner_up else {}
    marks = services.mark_by_face(
        classroom, {student.pk: 0.6}, by=by, evidence=evidence
    )
    return marks[student.pk].record


def pairs() -> list[set[int]]:
    kept = LookAlikePair.objects.values_list("first__pk", "second__pk")
    return [set(pair) for pair in kept]


def test_who_it_was_instead_becomes_a_look_alike_and_gets_the_line(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    cleo, dan, eva = students
    record = marked(maths, cleo, alice, runner_up=eva)
    line = services.reject_match(record, instead=dan, by=alice)
    assert pairs() == [{cleo.pk, dan.pk}]
    assert line is not None
    assert (line.student, line.status, line.source) == (
        dan,
        Status.PRESENT,
        Source.MANUAL,
    )
    assert not Record.objects.filter(student=cleo).exists()


def test_without_a_name_it_is_whom_the_face_was_nearly_as_close_to(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    cleo, dan, _ = students
    services.reject_match(marked(maths, cleo, alice, runner_up=dan), by=alice)
    pair = LookAlikePair.objects.get()
    assert {pair.first, pair.second} == {cleo, dan}
    assert (pair.reason, pair.created_by) == ("Not this person", alice)


def test_where_nobody_else_was_near_no_pair_is_kept(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    services.reject_match(marked(maths, students[0], alice), by=alice)
    assert pairs() == []


def test_who_is_not_in_the_class_leaves_everything_as_it_was(
    maths: Classroom, students: list[Student], outsider: Student, alice: User
) -> None:
    record = marked(maths, students[0], alice)
    with pytest.raises(services.NotInClass):
        services.reject_match(record, instead=outsider, by=alice)
    assert Record.objects.get() == record
    assert pairs() == []


def test_undoing_it_forgets_the_pair(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    record = marked(maths, students[0], alice, runner_up=students[1])
    session: Session = record.session
    services.reject_match(record, by=alice)
    undo(session, last_changes(session, [students[0]]), by=alice)
    assert pairs() == []
    back = Record.objects.get(student=students[0])
    assert (back.source, back.runner_up) == (Source.FACE, students[1])


def test_undoing_something_else_keeps_the_pair(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    record = marked(maths, students[0], alice, runner_up=students[1])
    services.reject_match(record, by=alice)
    services.mark_by_hand(record.session, students[0], status=Status.LATE, by=alice)
    undo(record.session, last_changes(record.session, [students[0]]), by=alice)
    assert len(pairs()) == 1


def test_the_next_photo_of_the_two_is_ambiguous(
    maths: Classroom, students: list[Student], alice: User, fake_engine: FakeEngine
) -> None:
    cleo, dan, _ = students
    near = embedding_of(1)
    # Between one margin and two below what a face of person 1 has with itself.
    likeness = 1 - 1.5 * runtime.margin()
    other = likeness * near + (1 - likeness**2) ** 0.5 * embedding_of(2)
    make_template(cleo, 1)
    make_template(dan, 2, embedding=other.astype("float32"))

    first = verify(maths, photo_of(1), by=alice)
    assert first.recognised is not None
    record = first.recognised.mark.record
    assert record.runner_up == dan
    services.reject_match(record, by=alice)

    again = verify(maths, photo_of(1), by=alice)
    assert (again.recognised, again.reason) == (None, "ambiguous")
    assert [student for student, _ in again.candidates] == [cleo, dan]


def test_a_program_says_it_too(
    api: ApiFactory, maths: Classroom, students: list[Student], alice: User
) -> None:
    record = marked(maths, students[0], alice)
    url = f"/attendance/{record.pk}/reject"
    answer = api(alice).post(url, {"student_id": students[1].pk})
    assert answer.status_code == 200
    assert answer.json()["attendance"]["student_id"] == students[1].pk
    again = api(alice).post(url, {})
    assert again.status_code == 404  # the line is gone


def test_a_line_of_a_person_is_no_match(
    api: ApiFactory, maths: Classroom, students: list[Student], alice: User
) -> None:
    record = marked(maths, students[0], alice)
    services.correct(record, status=Status.LATE, by=alice)
    answer = api(alice).post(f"/attendance/{record.pk}/reject", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_a_face_match")


def test_a_strangers_student_is_not_named(
    api: ApiFactory,
    maths: Classroom,
    students: list[Student],
    outsider: Student,
    alice: User,
) -> None:
    record = marked(maths, students[0], alice)
    url = f"/attendance/{record.pk}/reject"
    answer = api(alice).post(url, {"student_id": outsider.pk})
    assert answer.status_code == 404
    assert Record.objects.filter(pk=record.pk).exists()
