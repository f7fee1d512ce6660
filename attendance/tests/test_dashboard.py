"""The admins' first page: first steps, today's rates, what needs a look."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Job, User
from attendance import services
from attendance.dashboard import dashboard
from attendance.models import Status
from attendance.notice_models import Notice as Mail
from attendance.reports import Counts
from attendance.tests.factories import make_record, make_session
from classroom.consents import Answer, give
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_class, make_student
from faces.models import FaceTemplate
from faces.tests.factories import make_template

OLD = "retired:000000000000"


def texts() -> list[str]:
    return [notice.text for notice in dashboard().notices]


def test_a_new_school_is_shown_three_steps(client: Client, admin: User) -> None:
    client.force_login(admin)
    page = client.get("/admin/").content.decode()
    assert "Three steps to begin" in page
    steps = dashboard().first_steps
    assert [step.done for step in steps] == [False, False, False]
    assert all(client.get(step.url).status_code == 200 for step in steps)


def test_a_step_that_was_done_is_ticked(alice: User) -> None:
    assert [step.done for step in dashboard().first_steps] == [True, False, False]


def test_the_steps_go_once_the_school_has_begun(
    maths: Classroom, students: list[Student]
) -> None:
    assert dashboard().first_steps == []


def test_a_part_of_the_admin_says_nothing_of_today(
    client: Client, admin: User, maths: Classroom, students: list[Student]
) -> None:
    client.force_login(admin)
    make_session(maths)

    pages = [
        client.get(path).content.decode() for path in ("/admin/", "/admin/attendance/")
    ]

    assert ['id="today"' in page for page in pages] == [True, False]


def test_todays_rates_are_shown_the_lowest_first(
    maths: Classroom,
    history: Classroom,
    students: list[Student],
    outsider: Student,
) -> None:
    morning = make_session(maths)
    make_record(morning, students[0], Status.PRESENT)
    make_record(morning, students[1], Status.ABSENT)
    make_record(make_session(history), outsider, Status.LATE)
    make_record(make_session(maths, date=days(-1)), students[0], Status.ABSENT)
    found = dashboard()
    assert [(line.classroom, line.counts.percent) for line in found.rates] == [
        (maths, 50),
        (history, 100),
    ]
    assert found.rates[0].counts == Counts(present=1, absent=1, unmarked=1)
    assert found.waiting == 0


def test_a_class_without_a_register_today_waits(
    maths: Classroom, students: list[Student]
) -> None:
    found = dashboard()
    assert (found.rates, found.waiting) == ([], 1)


def test_a_bar_is_as_long_as_its_class(maths: Classroom) -> None:
    counts = Counts(present=2, late=1, absent=1, unmarked=4)
    assert counts.parts() == [
        ("present", 0.0, 25.0),
        ("late", 25.0, 12.5),
        ("absent", 37.5, 12.5),
    ]
    assert Counts().parts() == []


def test_students_without_a_face_lead_to_their_list(
    client: Client, admin: User, students: list[Student]
) -> None:
    make_template(students[0], 1)
    make_template(students[1], 2, model_id=OLD)
    gone = make_student("Gone Girl")
    client.force_login(admin)
    shown = {}
    for notice in dashboard().notices:
        rows = client.get(notice.url).context["cl"].result_list
        shown[notice.text] = [row.full_name for row in rows]
    assert shown == {
        "1 enrolled student has no consent on record": [students[0].full_name],
        "1 student has no face yet": [students[2].full_name],
        "1 student needs a new photo": [students[1].full_name],
        "1 student sits in no class": [gone.full_name],
    }


def test_a_forgotten_session_leads_to_its_list(
    client: Client, admin: User, maths: Classroom, students: list[Student]
) -> None:
    forgotten = make_session(maths, date=days(-2))
    make_session(maths)
    client.force_login(admin)
    (notice,) = [n for n in dashboard().notices if "open since" in n.text]
    rows = client.get(notice.url).context["cl"].result_list
    assert [row.pk for row in rows] == [forgotten.pk]


def test_a_closed_session_with_many_absent_is_named(
    admin: User, maths: Classroom
) -> None:
    pupils = [make_student(f"Pupil {number}", maths) for number in range(5)]
    session = make_session(maths)
    for pupil in pupils[:3]:
        make_record(session, pupil, Status.PRESENT)
    assert not [text for text in texts() if "absent" in text]
    services.close(session, by=admin)
    assert f"{maths.class_code}: 40 % absent today" in texts()


def test_a_class_of_a_deactivated_teacher_is_grave(
    alice: User, maths: Classroom, students: list[Student]
) -> None:
    alice.is_active = False
    alice.save()
    (notice,) = [n for n in dashboard().notices if n.grave]
    assert "deactivated teacher" in notice.text


def test_a_class_without_students_is_named(
    alice: User, maths: Classroom, students: list[Student]
) -> None:
    make_class("Empty", alice)
    assert "1 class has no students" in texts()


def test_a_template_that_can_not_be_opened_is_grave(students: list[Student]) -> None:
    template = make_template(students[0], 1)
    FaceTemplate.objects.filter(pk=template.pk).update(key_id="lost")
    (notice,) = [n for n in dashboard().notices if n.grave]
    assert "can't be opened" in notice.text
    assert notice.url == "/admin/engine/"


@pytest.mark.django_db
def test_the_page_costs_the_same_however_large_the_school(
    client: Client, admin: User, alice: User
) -> None:
    def grow(classes: int, pupils: int) -> None:
        for room in range(classes):
            classroom = make_class(f"Class {room}", alice)
            session = make_session(classroom)
            for number in range(pupils):
                student = make_student(f"Pupil {number}", classroom)
                make_record(session, student, Status.PRESENT)
                if number % 2:
                    make_template(student, number)

    def cost() -> int:
        client.get("/admin/")  # opens the templates that are new to this process
        with CaptureQueriesContext(connection) as found:
            assert client.get("/admin/").status_code == 200
        return len(found)

    client.force_login(admin)
    grow(1, 2)
    few = cost()
    grow(10, 50)
    # session, user, three steps, classes, seats, sessions, lines, templates (are
    # there any, how many, which), failed jobs, waiting ones, mails, open sessions,
    # closed ones today and their lines, classes of deactivated teachers, empty ones,
    # consents, faces, students without a class, own last changes
    assert (few, cost()) == (24, 24)


def test_what_failed_in_the_background_is_shown(
    admin: User, maths: Classroom, students: list[Student]
) -> None:
    week = timezone.now() - dt.timedelta(days=8)
    for ended in (timezone.now(), week):
        Job.objects.create(
            owner=admin, kind="import_photos", state="failed", finished_at=ended
        )
    Mail.objects.create(key="a", kind="late", classroom=maths, state="unclear")
    Mail.objects.create(key="b", kind="late", classroom=maths, state="sent")
    assert "1 job failed this week" in texts()
    assert "1 e-mail was not sent for sure" in texts()


def test_a_job_that_nobody_takes_is_shown(
    admin: User, maths: Classroom, students: list[Student]
) -> None:
    job = Job.objects.create(owner=admin, kind="import_photos")
    assert "No worker takes the jobs that wait" not in texts()
    Job.objects.filter(pk=job.pk).update(
        created_at=timezone.now() - dt.timedelta(hours=1)
    )
    assert "No worker takes the jobs that wait" in texts()


def test_it_says_whose_face_is_kept_without_a_consent(
    students: list[Student], alice: User, settings: Settings
) -> None:
    for person, student in enumerate(students, start=1):
        make_template(student, person)
    day = timezone.localdate()
    before = day - dt.timedelta(days=9)
    give(students[0], Answer(given_by="A parent", given_on=before), by=alice)
    ended = Answer(given_by="A parent", given_on=before, until=before)
    give(students[1], ended, by=alice)
    said = texts()
    assert "1 enrolled student has no consent on record" in said
    assert "The consent of 1 enrolled student has expired" in said
    settings.FACE_CONSENT = "off"
    assert not any("consent" in text for text in texts())
