"""The pages of a class's week, of planned absences and of the school's days off."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance.models import Session
from attendance.tests.plans import close_school, excuse, make_slot
from attendance.tests.test_calendars import AUTUMN, calendar, event
from attendance.timetable_models import Closure, PlannedAbsence, Slot
from attendance.week import week_of
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_student
from faces.tests.photos import upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def teacher(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def office(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def shown(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def slot_form(**fields: object) -> dict[str, object]:
    return {
        "weekday": days(1).isoweekday(),
        "start": "09:00",
        "end": "10:00",
        "room": "B12",
        "grace_minutes": "10",
        "first_date": days(0).isoformat(),
        **fields,
    }


# --- The week


def test_a_week_shows_what_was_what_is_and_what_will_be(maths: Classroom) -> None:
    monday = dt.date(2026, 3, 2)
    for number, start in ((0, 9), (3, 10)):
        day = monday + number * dt.timedelta(days=1)
        make_slot(maths, day, start=dt.time(start), end=dt.time(start + 1))
    Slot.objects.update(made_until=monday)
    held = Session.objects.create(classroom=maths, date=monday, start=dt.time(9))
    close_school(monday + dt.timedelta(days=4))
    week = week_of(maths, monday + dt.timedelta(days=6))
    assert [day.date for day in week][::6] == [monday, dt.date(2026, 3, 8)]
    lessons = [[(one.start, one.session) for one in day.lessons] for day in week]
    assert lessons == [[(dt.time(9), held)], [], [], [(dt.time(10), None)], [], [], []]
    assert week[4].closed == "Snow"


def test_a_day_off_has_no_lesson_to_come(maths: Classroom) -> None:
    make_slot(maths, days(0))
    close_school(days(0))
    assert not any(day.lessons for day in week_of(maths, days(0)))


def test_a_lesson_that_was_called_off_is_not_shown_as_to_come(
    maths: Classroom,
) -> None:
    make_slot(maths, days(0), made_until=days(0))
    assert not any(day.lessons for day in week_of(maths, days(0)))


def test_the_page_makes_todays_session_and_leads_to_it(
    teacher: Client, maths: Classroom
) -> None:
    make_slot(maths, days(0))
    page = shown(teacher, reverse("class-timetable", args=[maths.pk]))
    assert reverse("session", args=[Session.objects.get().pk]) in page


@pytest.mark.parametrize("day", ["2026-13-01", "soon", "2026-03-02x"])
def test_a_day_that_is_none_is_not_found(
    teacher: Client, maths: Classroom, day: str
) -> None:
    url = reverse("class-timetable", args=[maths.pk])
    assert teacher.get(url, {"day": day}).status_code == 404


@pytest.mark.parametrize("slots", [1, 5])
def test_the_page_costs_the_same_however_full_the_week_is(
    teacher: Client,
    maths: Classroom,
    slots: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for hour in range(slots):
        start, end = dt.time(8 + hour), dt.time(9 + hour)
        make_slot(maths, days(0), start=start, end=end, made_until=days(0))
        Session.objects.create(classroom=maths, date=days(0), start=start, end=end)
    # session, user, class, what is due, sessions, slots, closures, slots of all weeks
    with django_assert_num_queries(8):
        shown(teacher, reverse("class-timetable", args=[maths.pk]))


# --- Slots


def test_a_lesson_is_added(teacher: Client, maths: Classroom) -> None:
    url = reverse("class-timetable", args=[maths.pk])
    answer = teacher.post(url, slot_form(), follow=True)
    slot = Slot.objects.get()
    assert (slot.classroom, slot.start, slot.room) == (maths, dt.time(9), "B12")
    assert "B12" in answer.content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"end": "09:00"}, "The end can’t be the start."),
        ({"last_date": "2020-01-01"}, "The last day is before the first."),
        ({"weekday": "9"}, "Select a valid choice"),
        ({"start": "09:30", "end": "10:30"}, "another lesson at that time"),
    ],
)
def test_a_lesson_that_cannot_be_is_said_on_the_form(
    teacher: Client, maths: Classroom, fields: dict[str, object], words: str
) -> None:
    make_slot(maths, days(1), first_date=days(0))
    answer = teacher.post(
        reverse("class-timetable", args=[maths.pk]), slot_form(**fields)
    )
    assert answer.status_code == 400
    page = answer.content.decode().replace("&#x27;", "’")
    assert words in page
    assert Slot.objects.count() == 1


def test_a_lesson_is_changed_and_removed(teacher: Client, maths: Classroom) -> None:
    slot = make_slot(maths, days(1))
    url = reverse("slot-page", args=[slot.pk])
    assert slot.start.isoformat("minutes") in shown(teacher, url)
    teacher.post(url, slot_form(start="08:00", end="09:00"))
    slot.refresh_from_db()
    assert slot.start == dt.time(8)
    teacher.post(reverse("slot-remove", args=[slot.pk]))
    assert not Slot.objects.exists()


# --- Planned absences


def test_a_student_is_excused_on_a_form_and_the_excuse_removed(
    teacher: Client, maths: Classroom, students: list[Student], alice: User
) -> None:
    url = reverse("class-absences", args=[maths.pk])
    body = {
        "student": students[0].pk,
        "first_date": days(1),
        "last_date": days(2),
        "reason": "Wedding",
    }
    page = teacher.post(url, body, follow=True).content.decode()
    plan = PlannedAbsence.objects.get()
    assert (plan.student, plan.created_by) == (students[0], alice)
    assert "Wedding" in page
    teacher.post(reverse("absence-remove", args=[maths.pk, plan.pk]))
    assert not PlannedAbsence.objects.exists()


def test_a_strangers_student_is_neither_offered_nor_taken(
    teacher: Client,
    maths: Classroom,
    students: list[Student],
    outsider: Student,
    stranger: User,
) -> None:
    theirs = excuse(outsider, by=stranger, reason="Private")
    url = reverse("class-absences", args=[maths.pk])
    page = shown(teacher, url)
    assert students[0].full_name in page
    assert outsider.full_name not in page
    assert "Private" not in page
    body = {"student": outsider.pk, "first_date": days(1), "last_date": days(2)}
    assert teacher.post(url, {**body, "reason": "X"}).status_code == 400
    remove = reverse("absence-remove", args=[maths.pk, theirs.pk])
    assert teacher.post(remove).status_code == 404
    assert PlannedAbsence.objects.get() == theirs


@pytest.mark.parametrize("plans", [1, 5])
def test_the_list_of_absences_costs_the_same_however_long_it_is(
    teacher: Client,
    maths: Classroom,
    alice: User,
    plans: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(plans):
        excuse(make_student("Somebody", maths), by=alice)
    # session, user, class, plans, students to choose from
    with django_assert_num_queries(5):
        shown(teacher, reverse("class-absences", args=[maths.pk]))


# --- Days off


def test_a_teacher_reads_the_days_off_and_has_no_form_for_them(
    teacher: Client,
) -> None:
    close_school(days(3))
    page = shown(teacher, reverse("closures"))
    assert "Snow" in page
    assert 'type="file"' not in page
    assert reverse("closure-remove", args=[Closure.objects.get().pk]) not in page


def test_an_admin_adds_and_removes_a_day_off(office: Client) -> None:
    body = {"first_date": days(1), "last_date": days(1), "name": "Fair"}
    page = office.post(reverse("closures"), body, follow=True).content.decode()
    assert "Fair" in page
    office.post(reverse("closure-remove", args=[Closure.objects.get().pk]))
    assert not Closure.objects.exists()


def preview(office: Client, data: bytes) -> tuple[int, str]:
    body = {"file": upload(data, "days.ics")}
    answer = office.post(reverse("closures-preview"), body)
    return answer.status_code, answer.content.decode()


def test_a_calendar_is_shown_first_and_what_is_chosen_is_kept(office: Client) -> None:
    next_year = str(days(0).year + 1)
    trip = event(f";VALUE=DATE:{next_year}0105", uid="b", name="Trip")
    evening = event(f":{next_year}0105T180000Z", uid="c", name="Open evening")
    data = calendar(AUTUMN.replace("2026", next_year), trip, evening)
    status, page = preview(office, data)
    assert status == 200
    assert "Open evening" in page
    assert not Closure.objects.exists()
    values = re.findall(r'name="closure" value="([^"]+)"', page)
    assert len(values) == 2
    office.post(reverse("closures-keep"), {"closure": values[:1]})
    assert [one.name for one in Closure.objects.all()] == ["Trip"]


def test_a_value_that_no_preview_showed_is_refused(office: Client) -> None:
    answer = office.post(
        reverse("closures-keep"), {"closure": ["made:up"]}, follow=True
    )
    assert "no iCalendar file" in answer.content.decode()
    assert not Closure.objects.exists()


def test_a_file_that_is_no_calendar_is_said_on_the_form(office: Client) -> None:
    status, page = preview(office, b"a,b\n")
    assert status == 400
    assert "no iCalendar file" in page


def test_a_name_from_a_calendar_is_text_and_not_markup(office: Client) -> None:
    data = calendar(event(f";VALUE=DATE:{days(1):%Y%m%d}", name="<b>Fair</b>"))
    _, page = preview(office, data)
    assert "&lt;b&gt;Fair" in page
    assert "<b>Fair" not in page
