"""The rules of the register: which session, who may overwrite whom, what closes."""

import datetime as dt

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import User
from attendance import history, services
from attendance.models import Record, Session, Source, Status
from attendance.tests.factories import at, make_record, make_session
from classroom.models import Classroom, Student
from classroom.rosters import end_enrolment

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate


def mark(classroom: Classroom, student: Student, by: User, **options: object) -> Record:
    marks = services.mark_by_face(
        classroom,
        {student.pk: 0.71},
        by=by,
        **options,  # type: ignore[arg-type]
    )
    return marks[student.pk].record


# --- Which session a mark goes to


def test_the_first_mark_of_a_day_makes_the_ad_hoc_session(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    record = mark(maths, students[0], alice)
    assert (record.session.date, record.session.start) == (TODAY(), None)
    assert record.session.created_by == alice


def test_the_second_mark_of_a_day_goes_to_the_same_session(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    first, second = (mark(maths, student, alice) for student in students[:2])
    assert first.session == second.session


def test_the_session_under_way_is_preferred_to_the_ad_hoc_one(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    make_session(maths)
    lesson = make_session(maths, start=dt.time(9), end=dt.time(10))
    assert mark(maths, students[0], alice, now=at(9, 30)).session == lesson


def test_of_two_sessions_under_way_the_later_one_is_meant(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    make_session(maths, start=dt.time(8), end=dt.time(12))
    later = make_session(maths, start=dt.time(9), end=dt.time(10))
    assert mark(maths, students[0], alice, now=at(9, 30)).session == later


@pytest.mark.parametrize(
    ("minute", "meant"), [(44, False), (45, True), (59, True)], ids=str
)
def test_a_register_opens_a_quarter_of_an_hour_before_the_bell(
    maths: Classroom, students: list[Student], alice: User, minute: int, meant: bool
) -> None:
    lesson = make_session(maths, start=dt.time(9), end=dt.time(10))
    marked = mark(maths, students[0], alice, now=at(8, minute))
    assert (marked.session == lesson) is meant


def test_the_lesson_under_way_wins_over_the_one_about_to_begin(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    now = make_session(maths, start=dt.time(8), end=dt.time(9))
    make_session(maths, start=dt.time(9), end=dt.time(10))
    assert mark(maths, students[0], alice, now=at(8, 50)).session == now


def test_a_session_that_ended_gets_no_more_marks_by_itself(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    lesson = make_session(maths, start=dt.time(9), end=dt.time(10))
    assert mark(maths, students[0], alice, now=at(10)).session != lesson


def test_a_lesson_over_midnight_is_still_under_way_the_next_day(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    yesterday = TODAY() - dt.timedelta(days=1)
    night = make_session(maths, date=yesterday, start=dt.time(22), end=dt.time(1))
    assert mark(maths, students[0], alice, now=at(0, 30)).session == night


def test_a_wanted_session_of_another_class_is_not_found(
    maths: Classroom, history: Classroom, students: list[Student], alice: User
) -> None:
    theirs = make_session(history)
    with pytest.raises(services.SessionNotFound):
        mark(maths, students[0], alice, session_id=theirs.pk)
    assert not Record.objects.exists()


def test_a_closed_session_takes_no_face(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    services.close(make_session(maths), by=alice)
    with pytest.raises(services.SessionClosed):
        mark(maths, students[0], alice)


# --- Present or late


@pytest.mark.parametrize(
    ("minute", "status"),
    [(0, Status.PRESENT), (10, Status.PRESENT), (11, Status.LATE)],
)
def test_the_grace_minutes_decide_between_present_and_late(
    maths: Classroom,
    students: list[Student],
    alice: User,
    minute: int,
    status: Status,
) -> None:
    make_session(maths, start=dt.time(9), end=dt.time(10), grace_minutes=10)
    assert mark(maths, students[0], alice, now=at(9, minute)).status == status


# --- Who may overwrite whom


def test_a_second_photo_changes_nothing(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    first = mark(maths, students[0], alice)
    marks = services.mark_by_face(maths, {students[0].pk: 0.99}, by=alice)
    again = marks[students[0].pk]
    assert again.already_marked
    assert again.record == first
    assert again.record.confidence_score == 0.71
    assert first.history.count() == 1


@pytest.mark.parametrize("status", list(Status))
def test_a_face_never_overwrites_what_a_person_entered(
    maths: Classroom, students: list[Student], alice: User, status: Status
) -> None:
    session = make_session(maths)
    services.mark_by_hand(session, students[0], status=status, by=alice)
    record = mark(maths, students[0], alice)
    assert (record.status, record.source) == (status, Source.MANUAL)


def test_a_face_never_overwrites_an_import(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    make_record(make_session(maths), students[0], Status.ABSENT, source=Source.IMPORT)
    assert mark(maths, students[0], alice).status == Status.ABSENT


def test_a_person_overwrites_a_face_and_the_figure_goes(
    maths: Classroom, students: list[Student], alice: User, bob: User
) -> None:
    record = mark(maths, students[0], alice)
    corrected = services.correct(
        record, status=Status.ABSENT, note="That was her sister", by=bob
    )
    assert (corrected.status, corrected.source) == (Status.ABSENT, Source.MANUAL)
    assert (corrected.marked_by, corrected.confidence_score) == (bob, None)


def test_every_change_keeps_who_from_to_and_why(
    maths: Classroom, students: list[Student], alice: User, bob: User
) -> None:
    record = mark(maths, students[0], alice)
    services.correct(record, status=Status.LATE, note="Came at ten", by=bob)
    changed, created = history.of_record(record)
    assert (changed.from_status, changed.status) == (Status.PRESENT, Status.LATE)
    assert (changed.history_user, changed.history_change_reason) == (bob, "Came at ten")
    assert (created.history_user, created.status) == (alice, Status.PRESENT)


def test_a_student_of_another_class_can_not_be_marked_by_hand(
    maths: Classroom, outsider: Student, alice: User
) -> None:
    with pytest.raises(services.NotInClass):
        services.mark_by_hand(
            make_session(maths), outsider, status=Status.PRESENT, by=alice
        )


def test_a_past_register_is_corrected_by_the_roster_of_its_day(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    past = make_session(maths, date=TODAY() - dt.timedelta(days=7))
    end_enrolment(maths, students[:1])
    record = services.mark_by_hand(past, students[0], status=Status.PRESENT, by=alice)
    assert record.session == past
    with pytest.raises(services.NotInClass):
        services.mark_by_hand(
            make_session(maths), students[0], status=Status.PRESENT, by=alice
        )


# --- Closing


def test_closing_makes_the_unmarked_absent_and_leaves_the_rest(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    session = mark(maths, students[0], alice).session
    services.close(session, by=alice)
    statuses = dict(Record.objects.values_list("student__pk", "status"))
    assert statuses == {
        students[0].pk: Status.PRESENT,
        students[1].pk: Status.ABSENT,
        students[2].pk: Status.ABSENT,
    }


def test_closing_twice_is_closing_once(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    session = make_session(maths)
    closed_at = services.close(session, by=alice).closed_at
    assert services.close(session, by=alice).closed_at == closed_at
    assert Record.objects.count() == len(students)


def test_after_reopening_a_face_corrects_an_absence_that_closing_wrote(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    session = make_session(maths)
    services.close(session, by=alice)
    services.reopen(session, by=alice)
    record = mark(maths, students[0], alice)
    assert (record.status, record.source) == (Status.PRESENT, Source.FACE)
    assert record.history.count() == 2


def test_closing_and_reopening_leave_a_trace(
    maths: Classroom, alice: User, bob: User
) -> None:
    session = make_session(maths)
    services.close(session, by=alice)
    services.reopen(session, by=bob)
    trace = session.history.values_list("history_change_reason", "history_user")
    assert list(trace[:2]) == [("Reopened", bob.pk), ("Closed", alice.pk)]


# --- The database's own word


def test_the_database_refuses_a_second_ad_hoc_session(maths: Classroom) -> None:
    make_session(maths)
    with pytest.raises(IntegrityError):
        make_session(maths)


def test_the_database_refuses_a_second_line_of_one_student(
    maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths)
    make_record(session, students[0])
    with pytest.raises(IntegrityError):
        make_record(session, students[0])


def test_a_stranger_sees_no_session_and_no_record(
    maths: Classroom, students: list[Student], alice: User, stranger: User
) -> None:
    mark(maths, students[0], alice)
    assert not Session.objects.for_user(stranger).exists()
    assert not Record.objects.for_user(stranger).exists()
    assert Record.objects.for_user(alice).count() == 1
