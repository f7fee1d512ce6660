"""A demo school of any size: whole, the same every time, and never on top of one."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count

from accounts.models import User
from accounts.tests.factories import make_admin
from attendance.demo_load import Size, grade, school_days
from attendance.models import Record, Session
from classroom.models import Classroom, Enrollment, Student
from faces import gallery, runtime
from faces.models import FaceTemplate
from faces.status import broken_templates

pytestmark = pytest.mark.django_db


def load(size: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("demo_school", "--size", size, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_it_is_as_large_as_asked() -> None:
    shown, bar = load("3x4x5")
    assert Classroom.objects.count() == 3
    assert Student.objects.count() == 12
    assert Session.objects.values("date").distinct().count() == 5
    per_class = Enrollment.objects.values("classroom").annotate(number=Count("pk"))
    assert {row["number"] for row in per_class} == {4}
    assert Record.objects.count() == 3 * 4 * 5
    assert Record.history.count() == Record.objects.count()
    assert "admin@demo.school" in shown
    assert "60 of 60" in bar
    assert "#" not in shown


def test_it_is_the_same_every_time() -> None:
    def statuses() -> list[tuple[str, float | None]]:
        load("2x5x4")
        rows = Record.objects.order_by("session__date", "session__classroom", "student")
        found = list(rows.values_list("status", "confidence_score"))
        for model in (Record, Session, Enrollment, Student, Classroom, User):
            model.objects.all().delete()
        return found

    assert statuses() == statuses()


def test_its_templates_can_be_opened() -> None:
    load("1x20x1")
    known = gallery.for_school(model_id=runtime.active_model_id())
    assert len(known) > 0
    assert broken_templates() == 0
    assert FaceTemplate.objects.count() >= len(known)


def test_its_last_day_is_today_and_no_other_is_a_weekend() -> None:
    days = school_days(12)
    assert days == sorted(set(days))
    assert all(day.weekday() < 5 for day in days[:-1])


def test_no_two_classes_share_a_code() -> None:
    assert len({grade(number) for number in range(300)}) == 300


@pytest.mark.parametrize("text", ["20x40", "0x1x1", "axbxc", "1x1x1x1", ""])
def test_a_size_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="20x40x60"):
        load(text)


def test_a_size_may_be_written_with_a_real_sign() -> None:
    assert Size.parse("20×40×60") == Size(20, 40, 60)


def test_nothing_is_added_to_a_real_school() -> None:
    make_admin()
    shown, _ = load("2x2x2")
    assert "already holds a school" in shown
    assert not Student.objects.exists()
