"""The API of slots, days off, planned absences and the rest of a register."""

import datetime as dt

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance.models import Record, Status
from attendance.tests.factories import make_record, make_session
from attendance.tests.plans import close_school, excuse, make_slot
from attendance.tests.test_calendars import AUTUMN, calendar
from attendance.timetable_models import Closure, PlannedAbsence, Slot
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_class, make_student
from conftest import ApiFactory
from faces.tests.photos import upload

pytestmark = pytest.mark.django_db


def slot_body(classroom: Classroom, **fields: object) -> dict[str, object]:
    times = {"weekday": 2, "start": "09:00", "end": "10:00"}
    return {"class_id": classroom.pk, **times, **fields}


# --- Slots


def test_a_slot_is_added_and_shown(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    body = slot_body(maths, room="B12", first_date="2026-03-02", last_date="2026-06-30")
    answer = api(alice).post("/timetable", body)
    assert answer.status_code == 201
    slot = Slot.objects.get()
    assert api(alice).get(f"/timetable/{slot.pk}").json() == answer.json()
    assert answer.json() == {
        "id": slot.pk,
        "class_id": maths.pk,
        "weekday": 2,
        "start": "09:00:00",
        "end": "10:00:00",
        "room": "B12",
        "grace_minutes": 10,
        "first_date": "2026-03-02",
        "last_date": "2026-06-30",
    }


def test_a_slot_that_overlaps_another_is_refused(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    kept = api(alice).post("/timetable", slot_body(maths)).json()
    answer = api(alice).post("/timetable", slot_body(maths, start="09:30", end="11:00"))
    assert (answer.status_code, answer.json()["code"]) == (409, "slot_overlaps")
    assert answer.json()["slot_id"] == kept["id"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"weekday": 8}, "weekday"),
        ({"end": "09:00"}, "end"),
        ({"first_date": "2026-03-02", "last_date": "2026-03-01"}, "last_date"),
        ({"grace_minutes": 1441}, "grace_minutes"),
        ({"start": "25:00"}, "start"),
    ],
)
def test_a_wrong_field_is_named(
    api: ApiFactory,
    alice: User,
    maths: Classroom,
    fields: dict[str, object],
    named: str,
) -> None:
    answer = api(alice).post("/timetable", slot_body(maths, **fields))
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [named]


def test_a_slot_cannot_move_to_another_class(
    api: ApiFactory, alice: User, maths: Classroom, history: Classroom
) -> None:
    slot = make_slot(maths, days(0))
    api(alice).patch(f"/timetable/{slot.pk}", {"class_id": history.pk, "room": "B"})
    slot.refresh_from_db()
    assert (slot.classroom, slot.room) == (maths, "B")


@pytest.mark.parametrize("rows", [1, 6])
def test_the_list_costs_the_same_however_long_it_is(
    api: ApiFactory,
    alice: User,
    rows: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(rows):
        room = make_class(f"Class {number}", alice)
        make_slot(room, days(0))
        close_school(days(number))
        for _ in range(2):
            excuse(make_student("Somebody", room), by=alice)
    client = api(alice)
    for url in ("/timetable", "/absences", "/closures"):
        with django_assert_num_queries(3):  # user, count, rows
            assert client.get(url).status_code == 200


# --- Days off


def test_days_off_are_listed_by_period(api: ApiFactory, bob: User) -> None:
    for month in (3, 4, 5):
        first, last = dt.date(2026, month, 1), dt.date(2026, month, 9)
        Closure.objects.create(first_date=first, last_date=last, name=str(month))
    listed = api(bob).get("/closures?from=2026-04-09&to=2026-05-01").json()
    assert [row["name"] for row in listed["results"]] == ["4", "5"]


def test_a_calendar_file_is_shown_first_and_kept_then(
    api: ApiFactory, admin: User
) -> None:
    body = calendar(AUTUMN.replace("2026", str(days(0).year + 1)))
    for dry_run, kept in ((True, 0), (False, 1)):
        answer = api(admin).post(
            "/closures/import",
            {"file": upload(body, "days.ics"), "dry_run": dry_run},
            format="multipart",
        )
        assert answer.status_code == 200
        assert [row["name"] for row in answer.json()["closures"]] == ["Autumn"]
        assert answer.json()["added"] == Closure.objects.count() == kept


def test_a_broken_calendar_file_has_a_code(api: ApiFactory, admin: User) -> None:
    answer = api(admin).post(
        "/closures/import", {"file": upload(b"a,b", "days.ics")}, format="multipart"
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable_calendar")


# --- Planned absences


def test_a_planned_absence_is_added_changed_and_removed(
    api: ApiFactory, alice: User, students: list[Student]
) -> None:
    client = api(alice)
    body = {
        "student_id": students[0].pk,
        "first_date": "2026-03-02",
        "last_date": "2026-03-06",
        "reason": "Journey",
    }
    made = client.post("/absences", body)
    assert made.status_code == 201
    plan = PlannedAbsence.objects.get()
    assert (plan.student, plan.created_by) == (students[0], alice)
    url = f"/absences/{plan.pk}"
    changed = client.patch(url, {"last_date": "2026-03-09"}).json()
    assert changed == {**made.json(), "last_date": "2026-03-09"}
    assert client.delete(url).status_code == 204
    assert not PlannedAbsence.objects.exists()


def test_planned_absences_are_listed_by_class_student_and_day(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    now, later = (
        excuse(student, by=alice, first=first, last=first)
        for student, first in ((students[0], 0), (students[1], 9))
    )
    client = api(alice)

    def listed(query: str) -> set[int]:
        rows = client.get(f"/absences?{query}").json()["results"]
        return {row["id"] for row in rows}

    assert listed(f"class_id={maths.pk}") == {now.pk, later.pk}
    assert listed(f"student_id={students[1].pk}") == {later.pk}
    assert listed(f"from={days(1)}") == {later.pk}
    assert listed(f"to={days(8)}") == {now.pk}


# --- The rest of a register


def test_the_rest_of_a_register_is_marked_at_once(
    api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    session = make_session(maths)
    make_record(session, students[0], Status.LATE)
    url = f"/sessions/{session.pk}/mark-rest"
    answer = api(alice).post(url, {"status": "present"})
    assert {row["id"] for row in answer.json()["marked"]} == {
        student.pk for student in students[1:]
    }
    statuses = Record.objects.order_by("student__full_name").values_list("status")
    assert [status for (status,) in statuses] == ["late", "present", "present"]
    assert Record.history.filter(history_user=alice).count() == 2
