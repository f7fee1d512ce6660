"""Sessions that come from the timetable: each once, and what is past stays."""

import datetime as dt

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance import services
from attendance.models import Session
from attendance.tests.factories import at, make_record, make_session
from attendance.tests.plans import close_school, make_slot
from attendance.timetable import (
    SlotOverlaps,
    delete_closure,
    delete_slot,
    open_due,
    save_closures,
    save_slot,
)
from attendance.timetable_models import Closure, Slot
from attendance.undo import last_changes
from classroom.models import Classroom, Student
from classroom.tests.factories import days

pytestmark = pytest.mark.django_db

EIGHT, HALF_PAST_NINE, NOON = (8, 0), (9, 30), (12, 0)


def opened(classroom: Classroom, *time: int) -> list[Session]:
    return open_due([classroom.pk], now=at(*time or EIGHT))


# --- Made once


def test_a_slots_session_of_today_is_made(maths: Classroom) -> None:
    slot = make_slot(maths, days(0), room="B12", grace_minutes=5)
    (session,) = opened(maths)
    assert (session.date, session.start, session.end) == (days(0), slot.start, slot.end)
    assert (session.room, session.grace_minutes, session.slot) == ("B12", 5, slot)


def test_a_second_time_nothing_is_made(maths: Classroom) -> None:
    make_slot(maths, days(0))
    assert opened(maths)
    assert opened(maths) == []
    assert Session.objects.count() == 1


def test_a_slot_of_another_weekday_makes_nothing(maths: Classroom) -> None:
    make_slot(maths, days(1), made_until=days(-1))
    assert opened(maths) == []


@pytest.mark.parametrize(
    ("first", "last", "is_made"),
    [(0, 0, True), (1, None, False), (-30, -1, False)],
    ids=["this day alone", "from tomorrow", "until yesterday"],
)
def test_a_slot_holds_on_its_days_alone(
    maths: Classroom, first: int, last: int | None, is_made: bool
) -> None:
    until = None if last is None else days(last)
    make_slot(maths, days(0), first_date=days(first), last_date=until)
    assert bool(opened(maths)) is is_made


def test_a_session_that_is_there_is_not_made_twice(
    maths: Classroom, alice: User
) -> None:
    mine = make_session(maths, start=dt.time(9), end=dt.time(11), created_by=alice)
    make_slot(maths, days(0))
    assert opened(maths) == []
    assert Session.objects.get() == mine


def test_a_session_that_was_deleted_does_not_come_back(maths: Classroom) -> None:
    make_slot(maths, days(0))
    opened(maths)[0].delete()
    assert opened(maths) == []


def test_a_session_that_was_moved_is_not_made_again(maths: Classroom) -> None:
    make_slot(maths, days(0))
    (session,) = opened(maths)
    session.start, session.end = dt.time(14), dt.time(15)
    session.save()
    assert opened(maths) == []


def test_an_archived_class_has_no_sessions(maths: Classroom) -> None:
    make_slot(maths, days(0))
    maths.archived_at = at(7)
    maths.save()
    assert opened(maths) == []


def test_a_strangers_class_is_left_alone(maths: Classroom, history: Classroom) -> None:
    make_slot(history, days(0))
    assert opened(maths) == []
    assert [session.classroom for session in opened(history)] == [history]


def test_days_that_were_missed_are_made_up_for(maths: Classroom) -> None:
    make_slot(maths, days(-7), made_until=days(-8))
    assert {session.date for session in opened(maths)} == {days(-7), days(0)}


def test_days_longer_ago_stay_without_a_session(maths: Classroom) -> None:
    make_slot(maths, days(0), made_until=days(-40))
    dates = {session.date for session in opened(maths)}
    assert dates == {days(-14), days(-7), days(0)}


def test_nothing_due_costs_one_query(
    maths: Classroom, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_slot(maths, days(0))
    opened(maths)
    with django_assert_num_queries(1):
        opened(maths)


# --- Asked by a photo or a page


def test_a_photo_goes_to_the_timetables_session_though_no_tick_ran(
    maths: Classroom, students: list[Student], alice: User
) -> None:
    make_slot(maths, days(0))
    now = at(9, 5)
    marks = services.mark_by_face(maths, {students[0].pk: 0.7}, by=alice, now=now)
    session = marks[students[0].pk].record.session
    assert (session.start, session.slot is not None) == (dt.time(9), True)


# --- Days off


def test_on_a_day_off_no_session_is_made(maths: Classroom) -> None:
    make_slot(maths, days(0))
    close_school(days(-1), days(1))
    assert opened(maths) == []


def test_a_day_off_that_is_entered_late_takes_lessons_back_that_did_not_begin(
    maths: Classroom,
) -> None:
    make_slot(maths, days(0))
    make_slot(maths, days(0), start=dt.time(11), end=dt.time(12))
    opened(maths)
    closure = Closure(first_date=days(0), last_date=days(0), name="Snow")
    save_closures([closure], now=at(*HALF_PAST_NINE))
    assert [session.start for session in Session.objects.all()] == [dt.time(9)]


def test_a_day_off_leaves_ad_hoc_sessions_alone(maths: Classroom) -> None:
    chess = make_session(maths, start=dt.time(15), end=dt.time(16))
    closure = Closure(first_date=days(0), last_date=days(0), name="Snow")
    save_closures([closure], now=at(*EIGHT))
    assert list(Session.objects.all()) == [chess]


def test_lessons_come_back_with_the_day(maths: Classroom) -> None:
    make_slot(maths, days(0))
    make_slot(maths, days(0), start=dt.time(13), end=dt.time(14))
    closure = close_school(days(0))
    opened(maths)
    delete_closure(closure, now=at(*NOON))
    made = opened(maths, *NOON)
    assert [session.start for session in made] == [
        dt.time(13)
    ]  # not the one that is over


def test_a_day_that_is_off_twice_stays_off(maths: Classroom) -> None:
    make_slot(maths, days(0))
    closure = close_school(days(0))
    close_school(days(-1), days(1))
    delete_closure(closure, now=at(*EIGHT))
    assert opened(maths) == []


# --- Changes of the timetable


def test_a_new_slot_makes_todays_session_unless_it_is_over(maths: Classroom) -> None:
    for hour in (9, 13):
        slot = Slot(
            classroom=maths,
            weekday=days(0).isoweekday(),
            start=dt.time(hour),
            end=dt.time(hour + 1),
        )
        save_slot(slot, now=at(*NOON))
    made = opened(maths, *NOON)
    assert [session.start for session in made] == [dt.time(13)]


def test_a_changed_slot_moves_the_lesson_that_is_yet_to_begin(
    maths: Classroom,
) -> None:
    slot = make_slot(maths, days(0))
    opened(maths)
    slot.start, slot.end, slot.room = dt.time(13), dt.time(14), "B12"
    save_slot(slot, now=at(*EIGHT))
    opened(maths)
    session = Session.objects.get()
    assert (session.start, session.room) == (dt.time(13), "B12")


@pytest.mark.parametrize("change", ["change", "delete"])
def test_past_sessions_stay_as_they_were(maths: Classroom, change: str) -> None:
    slot = make_slot(maths, days(0), made_until=days(-8))
    opened(maths)
    before = list(Session.objects.values("pk", "date", "start", "end", "room"))
    if change == "delete":
        delete_slot(slot, now=at(*NOON))
    else:
        slot.start, slot.end, slot.room = dt.time(7), dt.time(8), "Z"
        save_slot(slot, now=at(*NOON))
    opened(maths, *NOON)
    assert before == list(Session.objects.values("pk", "date", "start", "end", "room"))
    assert len(before) == 2


@pytest.mark.parametrize("change", ["change", "delete"])
def test_a_session_with_a_record_stays_though_it_is_yet_to_begin(
    maths: Classroom, students: list[Student], change: str
) -> None:
    slot = make_slot(maths, days(0))
    (session,) = opened(maths)
    record = make_record(session, students[0])
    if change == "delete":
        delete_slot(slot, now=at(*EIGHT))
    else:
        slot.start, slot.end = dt.time(13), dt.time(14)
        save_slot(slot, now=at(*EIGHT))
    opened(maths)
    assert Session.objects.get().start == dt.time(9)
    assert last_changes(session, [record.student])


def test_a_session_that_a_person_changed_stays(maths: Classroom) -> None:
    slot = make_slot(maths, days(0))
    (session,) = opened(maths)
    session.grace_minutes = 30
    session.save()
    delete_slot(slot, now=at(*EIGHT))
    assert Session.objects.get().grace_minutes == 30


def test_a_deleted_slot_takes_its_coming_session_along(maths: Classroom) -> None:
    slot = make_slot(maths, days(0))
    opened(maths)
    delete_slot(slot, now=at(*EIGHT))
    assert not Session.objects.exists()
    gone = Session.history.get(history_type="-")
    assert gone.history_change_reason == "Timetable changed"


def test_what_the_old_times_owed_is_made_before_they_change(maths: Classroom) -> None:
    slot = make_slot(maths, days(-7), made_until=days(-8))
    slot.start, slot.end = dt.time(13), dt.time(14)
    save_slot(slot, now=at(*EIGHT))
    opened(maths)
    starts = {session.date: session.start for session in Session.objects.all()}
    assert starts == {days(-7): dt.time(9), days(0): dt.time(13)}


def test_a_lesson_that_was_called_off_does_not_come_back_with_a_new_room(
    maths: Classroom,
) -> None:
    slot = make_slot(maths, days(0))
    opened(maths)[0].delete()
    slot.refresh_from_db()
    slot.room = "B12"
    save_slot(slot, now=at(*EIGHT))
    assert opened(maths) == []


def test_a_slot_that_moves_to_today_is_made_today(maths: Classroom) -> None:
    slot = make_slot(maths, days(1), made_until=days(0))
    slot.weekday = days(0).isoweekday()
    save_slot(slot, now=at(*EIGHT))
    assert [session.date for session in opened(maths)] == [days(0)]


# --- Overlaps


def slot_at(classroom: Classroom, weekday: int, start: int, end: int) -> Slot:
    return Slot(
        classroom=classroom, weekday=weekday, start=dt.time(start), end=dt.time(end)
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 9, 11), (1, 10, 12)),
        ((1, 9, 11), (1, 9, 11)),
        ((1, 8, 12), (1, 9, 10)),
        ((1, 22, 6), (2, 5, 7)),
        ((7, 22, 6), (1, 5, 7)),
    ],
    ids=["partly", "the same", "within", "past midnight", "past the week"],
)
def test_two_lessons_of_a_class_cannot_overlap(
    maths: Classroom, one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    for first, second in ((one, other), (other, one)):
        Slot.objects.all().delete()
        save_slot(slot_at(maths, *first))
        with pytest.raises(SlotOverlaps):
            save_slot(slot_at(maths, *second))


def test_one_lesson_may_follow_another(maths: Classroom) -> None:
    save_slot(slot_at(maths, 1, 9, 10))
    save_slot(slot_at(maths, 1, 10, 11))
    save_slot(slot_at(maths, 1, 8, 9))
    assert Slot.objects.count() == 3


def test_other_weeks_and_other_classes_do_not_overlap(
    maths: Classroom, history: Classroom
) -> None:
    first = slot_at(maths, 1, 9, 10)
    first.last_date = days(10)
    save_slot(first)
    later = slot_at(maths, 1, 9, 10)
    later.first_date = days(11)
    save_slot(later)
    save_slot(slot_at(history, 1, 9, 10))
    assert Slot.objects.count() == 3


def test_a_slot_does_not_overlap_itself(maths: Classroom) -> None:
    slot = save_slot(slot_at(maths, 1, 9, 10))
    slot.end = dt.time(11)
    assert save_slot(slot).end == dt.time(11)
