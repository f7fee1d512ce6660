"""The timetable in the admin goes through the same rules as everywhere else."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from attendance import services
from attendance.models import Record, Session, Status
from attendance.tests.factories import make_session
from attendance.tests.plans import close_school, excuse, make_slot
from attendance.timetable import open_due
from attendance.timetable_models import Closure, PlannedAbsence, Slot
from classroom.models import Classroom, Student
from classroom.tests.factories import days
from faces.look_alikes import remember
from faces.models import LookAlikePair

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def page(name: str, *arguments: object) -> str:
    return reverse(f"admin:{name}", args=arguments)


def slot_form(classroom: Classroom, **fields: object) -> dict[str, object]:
    return {
        "classroom": classroom.pk,
        "weekday": "3",
        "start": "09:00",
        "end": "10:00",
        "room": "",
        "grace_minutes": "10",
        "first_date": days(0).isoformat(),
        **fields,
    }


def test_every_list_opens(
    office: Client, maths: Classroom, students: list[Student], alice: User
) -> None:
    make_slot(maths, days(0))
    close_school(days(0))
    excuse(students[0], by=alice)
    remember(students[0], students[1], reason="Twins", by=alice)
    for name in ("slot", "closure", "plannedabsence"):
        answer = office.get(page(f"attendance_{name}_changelist"))
        assert answer.status_code == 200
    assert b"Twins" in office.get(page("faces_lookalikepair_changelist")).content


def test_a_slot_is_added_but_not_over_another(office: Client, maths: Classroom) -> None:
    add = page("attendance_slot_add")
    assert office.post(add, slot_form(maths)).status_code == 302
    again = office.post(add, slot_form(maths, start="09:30", end="11:00"))
    assert b"another lesson at that time" in again.content
    assert Slot.objects.count() == 1


def test_a_changed_slot_leaves_the_past_alone(office: Client, maths: Classroom) -> None:
    slot = make_slot(maths, days(0), made_until=days(-8))
    open_due([maths.pk])
    past = Session.objects.get(date=days(-7))
    body = slot_form(maths, weekday=slot.weekday, start="07:00", end="08:00")
    body["first_date"] = slot.first_date.isoformat()
    answer = office.post(page("attendance_slot_change", slot.pk), body)
    assert answer.status_code == 302
    past.refresh_from_db()
    slot.refresh_from_db()
    assert (slot.start, past.start) == (dt.time(7), dt.time(9))


def test_deleting_a_day_off_brings_its_lessons_back(
    office: Client, maths: Classroom
) -> None:
    make_slot(maths, days(0), start=dt.time(23, 58), end=dt.time(23, 57))
    closure = close_school(days(0))
    open_due([maths.pk])
    assert not Session.objects.exists()
    action = {"action": "delete_selected", "_selected_action": [closure.pk]}
    office.post(page("attendance_closure_changelist"), {**action, "post": "yes"})
    assert not Closure.objects.exists()
    assert len(open_due([maths.pk])) == 1


def test_a_plan_excuses_and_its_deletion_accuses(
    office: Client, maths: Classroom, students: list[Student], alice: User, admin: User
) -> None:
    services.close(make_session(maths), by=alice)
    body = {
        "student": students[0].pk,
        "first_date": days(0),
        "last_date": days(0),
        "reason": "Ill",
    }
    office.post(page("attendance_plannedabsence_add"), body)
    line = Record.objects.get(student=students[0])
    plan = PlannedAbsence.objects.get()
    assert (line.status, plan.created_by) == (Status.EXCUSED, admin)
    office.post(page("attendance_plannedabsence_delete", plan.pk), {"post": "yes"})
    line.refresh_from_db()
    assert line.status == Status.ABSENT


def test_a_pair_of_look_alikes_is_taken_out(
    office: Client, students: list[Student], alice: User
) -> None:
    pair = remember(students[0], students[1], reason="", by=alice)
    office.post(page("faces_lookalikepair_delete", pair.pk), {"post": "yes"})
    assert not LookAlikePair.objects.exists()
