"""Taking things back: a false match, the last change, and what its history keeps."""

import datetime as dt

import pytest

from accounts.models import User
from attendance import history, services
from attendance.models import Record, Session, Source, Status
from attendance.tests.factories import make_session
from attendance.undo import last_changes, undo
from classroom.models import Classroom, Student

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(maths: Classroom) -> Session:
    return make_session(maths)


def by_face(session: Session, student: Student, by: User) -> Record:
    found = {student.pk: 0.5}
    marks = services.mark_by_face(
        session.classroom, found, by=by, session_id=session.pk
    )
    return marks[student.pk].record


def story(session: Session, student: Student) -> list[tuple[str, str, str | None]]:
    return [
        (change.history_type, change.status, change.history_change_reason)
        for change in history.of_line(session, student)
    ]


# --- "Not this person"


def test_a_rejected_match_leaves_no_line_and_its_history(
    session: Session, students: list[Student], alice: User
) -> None:
    services.reject_match(by_face(session, students[0], alice), by=alice)
    assert not Record.objects.exists()
    assert story(session, students[0]) == [
        ("-", "present", "Not this person"),
        ("+", "present", None),
    ]
    assert history.of_line(session, students[0])[0].history_user == alice


def test_in_a_closed_session_a_rejected_match_is_absent(
    session: Session, students: list[Student], alice: User
) -> None:
    record = by_face(session, students[0], alice)
    services.close(session, by=alice)
    services.reject_match(record, by=alice)
    record.refresh_from_db()
    assert (record.status, record.source) == (Status.ABSENT, Source.RULE)
    assert record.confidence_score is None


def test_what_a_person_wrote_is_no_match_to_reject(
    session: Session, students: list[Student], alice: User
) -> None:
    record = services.mark_by_hand(session, students[0], status=Status.LATE, by=alice)
    with pytest.raises(services.NotAFaceMatch):
        services.reject_match(record, by=alice)
    assert Record.objects.get().status == Status.LATE


def test_whoever_was_rejected_may_be_recognised_again(
    session: Session, students: list[Student], alice: User
) -> None:
    services.reject_match(by_face(session, students[0], alice), by=alice)
    assert by_face(session, students[0], alice).pk == Record.objects.get().pk
    assert [kind for kind, _, _ in story(session, students[0])] == ["+", "-", "+"]


# --- The rest


def test_the_rest_gets_one_status_and_the_others_keep_theirs(
    session: Session, students: list[Student], alice: User
) -> None:
    services.mark_by_hand(session, students[1], status=Status.EXCUSED, by=alice)
    rest = services.mark_rest(session, status=Status.PRESENT, by=alice)
    assert rest == [students[0], students[2]]
    lines = {line.student: line for line in Record.objects.all()}
    assert lines[students[1]].status == Status.EXCUSED
    assert {lines[student].status for student in rest} == {Status.PRESENT}
    assert lines[students[0]].source == Source.MANUAL
    assert lines[students[0]].history.get().history_user == alice


# --- Undo


def test_undo_takes_a_new_line_away(
    session: Session, students: list[Student], alice: User
) -> None:
    services.mark_by_hand(session, students[0], status=Status.LATE, by=alice)
    assert undo(session, last_changes(session, students), by=alice) == 1
    assert not Record.objects.exists()
    assert story(session, students[0])[0] == ("-", "late", "Undone")


def test_undo_gives_a_line_back_what_it_said(
    session: Session, students: list[Student], alice: User
) -> None:
    record = by_face(session, students[0], alice)
    services.correct(record, status=Status.ABSENT, note="left early", by=alice)
    undo(session, last_changes(session, [students[0]]), by=alice)
    record.refresh_from_db()
    assert (record.status, record.source) == (Status.PRESENT, Source.FACE)
    assert (record.confidence_score, record.note) == (0.5, "")


def test_undo_brings_a_rejected_match_back(
    session: Session, students: list[Student], alice: User
) -> None:
    services.reject_match(by_face(session, students[0], alice), by=alice)
    undo(session, last_changes(session, [students[0]]), by=alice)
    back = Record.objects.get()
    assert (back.student, back.source) == (students[0], Source.FACE)
    assert (back.status, back.confidence_score) == (Status.PRESENT, 0.5)


def test_undo_takes_back_a_whole_class_at_once(
    session: Session, students: list[Student], alice: User
) -> None:
    rest = services.mark_rest(session, status=Status.ABSENT, by=alice)
    assert undo(session, last_changes(session, rest), by=alice) == 3
    assert not Record.objects.exists()


def test_undo_leaves_alone_what_was_changed_since(
    session: Session, students: list[Student], alice: User, bob: User
) -> None:
    record = services.mark_by_hand(session, students[0], status=Status.LATE, by=alice)
    changes = last_changes(session, students)
    services.correct(record, status=Status.EXCUSED, by=bob)
    assert undo(session, changes, by=alice) == 0
    assert Record.objects.get().status == Status.EXCUSED


def test_undo_reaches_no_other_session(
    session: Session, maths: Classroom, students: list[Student], alice: User
) -> None:
    other = make_session(maths, start=dt.time(9))
    services.mark_by_hand(other, students[0], status=Status.LATE, by=alice)
    changes = last_changes(other, students)
    assert undo(session, changes, by=alice) == 0
    assert Record.objects.count() == 1
