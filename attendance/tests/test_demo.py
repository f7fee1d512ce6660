"""The demo school, and the demo in a terminal."""

import datetime as dt
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Role, User
from accounts.tests.factories import make_admin
from attendance import demo
from attendance.clock import school_day
from attendance.models import Record, Session, Status
from attendance.recognition import mark_group
from attendance.services import mark_by_face
from attendance.tick import tick
from classroom.models import Classroom, Student
from faces import runtime
from faces.engine.errors import ConfigurationError
from faces.models import FaceTemplate
from faces.tests.photos import group_photo


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_demo_school_is_enrolled_and_its_photo_marks_all_six() -> None:
    run("demo_school")
    assert User.objects.filter(role=Role.ADMIN).count() == 1
    assert User.objects.filter(role=Role.TEACHER).count() == 2
    first, second = Classroom.objects.order_by("-class_code")
    assert FaceTemplate.objects.filter(student__classrooms=first).count() == 6
    assert not FaceTemplate.objects.filter(student__classrooms=second).exists()
    result = mark_group(first, [group_photo()], by=first.teacher)
    assert len(result.recognised) == 6


@pytest.mark.django_db
@pytest.mark.parametrize("time", ["00:00", "08:59", "10:07", "23:40"])
def test_the_first_photo_goes_to_a_lesson_of_the_timetable(time: str) -> None:
    clock = dt.time.fromisoformat(time)
    now = dt.datetime.combine(timezone.localdate(), clock, tzinfo=dt.UTC)
    with patch.object(timezone, "now", return_value=now):
        school = demo.build()
        photographed = dict.fromkeys([school.students[0].pk], 0.7)
        marks = mark_by_face(school.enrolled, photographed, by=school.admin)
    (mark,) = marks.values()
    assert mark.record.session.slot is not None
    assert mark.record.status == Status.PRESENT
    for classroom in (school.enrolled, school.not_enrolled):
        weekdays = {slot.weekday for slot in classroom.slots.all()}
        assert weekdays >= {1, 2, 3, 4, 5}


@pytest.mark.django_db
def test_the_demo_looks_back_on_thirty_days() -> None:
    demo.look_back(demo.build())
    today = school_day()
    past = Session.objects.filter(date__lt=today)
    days = {session.date for session in past}
    assert min(days) <= today - dt.timedelta(days=28)
    assert max(days) >= today - dt.timedelta(days=3)  # a weekend may lie between
    assert not past.open().exists()
    assert Session.objects.open().filter(date__gte=today).exists()
    for status in Status:
        assert Record.objects.filter(status=status).exists()
    # Every line of a past session, once, with its history.
    for session in past:
        roster = Student.objects.in_class(session.classroom_id, on=session.date)
        assert session.records.count() == roster.count()
    assert Record.history.filter(history_change_reason="The bus was late").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("time", ["00:00", "23:44", "23:45", "23:59"])
def test_the_demo_has_an_open_session_at_any_time(time: str) -> None:
    clock = dt.time.fromisoformat(time)
    now = dt.datetime.combine(timezone.localdate(), clock, tzinfo=dt.UTC)
    with patch.object(timezone, "now", return_value=now):
        demo.build()
        assert Session.objects.open().filter(date=school_day()).exists()


@pytest.mark.django_db
def test_the_clock_leaves_the_demos_past_alone() -> None:
    demo.look_back(demo.build())
    before = Record.objects.count(), Session.objects.count()
    tick()
    assert (Record.objects.count(), Session.objects.count()) == before


@pytest.mark.django_db
def test_an_engine_that_fails_leaves_no_half_of_a_school() -> None:
    broken = ConfigurationError("The model file is missing.")
    with (
        patch.object(runtime, "get_engine", side_effect=broken),
        pytest.raises(ConfigurationError),
    ):
        run("demo_school")
    assert not User.objects.exists()
    run("demo_school")
    assert FaceTemplate.objects.count() == len(demo.ENROLLED)


@pytest.mark.django_db
def test_running_it_again_keeps_what_was_done() -> None:
    run("demo_school")
    Student.objects.filter(full_name=demo.ENROLLED[0]).update(full_name="Changed")
    shown = run("demo_school")
    assert Student.objects.filter(full_name="Changed").exists()
    assert Student.objects.count() == len(demo.ENROLLED) + len(demo.NOT_ENROLLED)
    assert demo.password_of(demo.ADMIN[0]) in shown


@pytest.mark.django_db
def test_the_printed_logins_work(client: Client) -> None:
    shown = run("demo_school")
    assert settings.PUBLIC_URL in shown
    for email in (demo.ADMIN[0], demo.TEACHERS[0][0]):
        (line,) = [line for line in shown.splitlines() if email in line]
        body = {"email": email, "password": line.split()[-1]}
        assert client.post("/auth/login", body).status_code == 200


@pytest.mark.django_db
def test_a_changed_password_is_not_printed() -> None:
    run("demo_school")
    admin = User.objects.get(email=demo.ADMIN[0])
    admin.set_password("plum-orchard-47")
    admin.save()
    shown = run("demo_school")
    assert demo.password_of(demo.ADMIN[0]) not in shown
    assert "with the password you gave it" in shown


@pytest.mark.django_db
def test_a_real_school_gets_no_demo_accounts() -> None:
    make_admin()
    assert "already holds a school" in run("demo_school")
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_two_installations_have_different_passwords(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = demo.password_of("ana@demo.school")
    monkeypatch.setattr(settings, "SECRET_KEY", "another installation")
    assert demo.password_of("ana@demo.school") != here


@pytest.mark.django_db(transaction=True)
def test_the_terminal_demo_prints_the_register_and_leaves_the_database_alone() -> None:
    shown = run("demo")
    for name in demo.ENROLLED:
        (line,) = [line for line in shown.splitlines() if line.startswith(name)]
        assert line.split()[-2] == "Present"
        assert float(line.split()[-1]) > 0.4
    assert "Marked     6 from one group photo" in shown
    assert not User.objects.exists()
    assert not Record.objects.exists()


def test_the_demo_writes_its_photos_for_the_api(tmp_path: Path) -> None:
    run("demo", "--photos", str(tmp_path / "photos"))
    names = sorted(path.name for path in (tmp_path / "photos").iterdir())
    assert names == ["group.jpg", *(f"person-{n}.jpg" for n in range(1, 7))]
