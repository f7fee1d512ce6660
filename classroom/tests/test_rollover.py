"""The next school year: today's rosters copied, the old classes archived."""

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from classroom.models import Classroom, Student, current_school_year
from classroom.rollover import (
    Fate,
    RollOverRefused,
    Step,
    first_day_of,
    following_year,
    preview,
    roll_over,
    steps_for,
)
from classroom.tests.factories import days, make_class, make_student, seat, share

PAGE = "/admin/classroom/classroom/roll-over/"
NEXT = following_year(current_school_year())


@pytest.fixture
def admin_client(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def steps(**options: bool) -> list[Step]:
    return steps_for(current_school_year(), **options)


def carry_out(*wanted: Step, on: dt.date | None = None) -> Any:
    return roll_over(wanted or steps(), school_year=NEXT, starts_on=on or days(0))


def form(client: Client, **changes: object) -> dict[str, Any]:
    """Return what the page would send, with some fields changed."""
    page = client.get(PAGE)
    sent: dict[str, Any] = {}
    for part in (
        page.context["target"],
        page.context["classes"].management_form,
        *page.context["classes"],
    ):
        sent |= {field.html_name: field.value() for field in part}
    return sent | changes


@pytest.mark.parametrize(
    ("year", "expected"), [("2026/27", "2027/28"), ("1999/00", "2000/01"), ("2026", "")]
)
def test_the_year_after_is_known_from_its_spelling(year: str, expected: str) -> None:
    assert following_year(year) == expected


def test_a_year_that_has_begun_begins_today() -> None:
    assert first_day_of("2001/02") == timezone.localdate()
    assert first_day_of("2999/00") == dt.date(2999, 8, 1)


def test_todays_students_get_next_years_class(
    maths: Classroom, history: Classroom, students: list[Student], outsider: Student
) -> None:
    seat(make_student("Gone Girl"), maths, ends_on=days(-1))
    done = carry_out()
    assert (done.made, done.archived, done.seats) == (2, 2, 4)
    new = Classroom.objects.get(class_code=maths.class_code, school_year=NEXT)
    assert (new.class_name, new.teacher) == (maths.class_name, maths.teacher)
    assert set(Student.objects.in_class(new.pk)) == set(students)
    assert not Student.objects.in_class(maths.pk).exists()
    maths.refresh_from_db()
    assert maths.is_archived


def test_the_past_roster_stays_as_it_was(
    maths: Classroom, students: list[Student]
) -> None:
    carry_out()
    assert set(Student.objects.in_class(maths.pk, on=days(-1))) == set(students)


def test_seats_change_on_the_first_day(
    maths: Classroom, students: list[Student]
) -> None:
    carry_out(on=days(30))
    new = Classroom.objects.get(school_year=NEXT)
    assert set(Student.objects.in_class(maths.pk, on=days(29))) == set(students)
    assert not Student.objects.in_class(new.pk, on=days(29)).exists()
    assert set(Student.objects.in_class(new.pk, on=days(30))) == set(students)


def test_co_teachers_move_along_and_substitutes_do_not(
    maths: Classroom, bob: User, stranger: User
) -> None:
    share(maths, stranger, ends_on=days(5))
    carry_out()
    new = Classroom.objects.get(school_year=NEXT)
    assert [access.user for access in new.accesses.all()] == [bob]


def test_doing_it_twice_changes_nothing_more(
    maths: Classroom, students: list[Student]
) -> None:
    wanted = steps()
    carry_out(*wanted)
    done = carry_out(*wanted)
    assert (done.made, done.archived, done.seats) == (0, 0, 0)
    assert Classroom.objects.count() == 2


def test_a_class_that_is_there_already_gets_who_is_missing(
    maths: Classroom, alice: User, students: list[Student]
) -> None:
    new = make_class(
        "Maths of Ann", alice, class_code=maths.class_code, school_year=NEXT
    )
    seat(students[0], new)
    (line,) = preview(steps(), school_year=NEXT)
    assert (line.target, line.new) == (new, 2)
    assert carry_out().made == 0
    assert set(Student.objects.in_class(new.pk)) == set(students)
    new.refresh_from_db()
    assert new.class_name == "Maths of Ann"


def test_each_class_has_its_own_fate(
    maths: Classroom, history: Classroom, alice: User
) -> None:
    chess = make_class("Chess", alice)
    carry_out(
        Step(maths, Fate.CONTINUE, "Maths 8", "MAT-8"),
        Step(history, Fate.ARCHIVE),
        Step(chess, Fate.KEEP),
    )
    assert Classroom.objects.get(school_year=NEXT).class_code == "MAT-8"
    history.refresh_from_db()
    chess.refresh_from_db()
    assert history.is_archived and not chess.is_archived


def test_the_grade_can_be_counted_up(alice: User) -> None:
    make_class("Maths 9A (set 2)", alice, class_code="MAT-9A")
    (step,) = steps(raise_grade=True)
    assert (step.new_name, step.new_code) == ("Maths 10A (set 2)", "MAT-10A")


def test_two_classes_never_get_one_code(maths: Classroom, history: Classroom) -> None:
    with pytest.raises(RollOverRefused, match="MIX"):
        carry_out(Step(maths, new_code="MIX"), Step(history, new_code="MIX"))
    assert Classroom.objects.current().count() == 2


def test_an_archived_class_of_the_next_year_is_not_filled(
    maths: Classroom, alice: User, students: list[Student]
) -> None:
    make_class(
        "Old",
        alice,
        class_code=maths.class_code,
        school_year=NEXT,
        archived_at=timezone.now(),
    )
    with pytest.raises(RollOverRefused, match=maths.class_code):
        carry_out()
    maths.refresh_from_db()
    assert not maths.is_archived


def test_a_year_does_not_roll_into_itself(maths: Classroom) -> None:
    with pytest.raises(RollOverRefused):
        roll_over(steps(), school_year=maths.school_year, starts_on=days(0))


def test_the_preview_costs_the_same_for_any_number_of_classes(
    maths: Classroom, alice: User
) -> None:
    def cost() -> int:
        wanted = steps()
        with CaptureQueriesContext(connection) as found:
            preview(wanted, school_year=NEXT)
        return len(found)

    few = cost()
    for number in range(12):
        make_student(f"Pupil {number}", make_class(f"Class {number}", alice))
    # Next year's classes (twice: the check comes first) and the rosters.
    assert cost() == few == 3


def test_the_page_previews_and_does_nothing_yet(
    admin_client: Client, maths: Classroom, students: list[Student]
) -> None:
    page = admin_client.post(PAGE, form(admin_client))
    text = page.content.decode()
    assert maths.class_code in text
    assert all(student.full_name in text for student in students)
    assert not Classroom.objects.filter(school_year=NEXT).exists()


def test_the_page_does_it_once_it_is_confirmed(
    admin_client: Client, maths: Classroom, students: list[Student]
) -> None:
    sent = form(admin_client, confirm="1")
    assert admin_client.post(PAGE, sent).status_code == 302
    new = Classroom.objects.get(school_year=NEXT)
    assert new.enrollments.count() == len(students)
    # The same page again, sent by a second click.
    assert admin_client.post(PAGE, sent).status_code == 302
    assert new.enrollments.count() == len(students)


def test_the_page_says_why_it_refuses(
    admin_client: Client, maths: Classroom, history: Classroom
) -> None:
    codes = {"form-0-new_code": "MIX", "form-1-new_code": "MIX"}
    page = admin_client.post(PAGE, form(admin_client, confirm="1", **codes))
    assert page.status_code == 400
    assert "same code" in page.content.decode()
    assert not Classroom.objects.filter(school_year=NEXT).exists()


def test_a_class_that_goes_on_needs_a_code(
    admin_client: Client, maths: Classroom
) -> None:
    page = admin_client.post(PAGE, form(admin_client, **{"form-0-new_code": ""}))
    assert page.status_code == 400
    assert "needs a code" in page.content.decode()


def test_an_empty_school_sees_an_empty_page(admin_client: Client) -> None:
    assert "no current classes" in admin_client.get(PAGE).content.decode()


def test_a_teacher_can_not_roll_over(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.post(PAGE, {"confirm": "1"}).status_code == 302
    assert client.post(PAGE).headers["Location"].startswith("/admin/login/")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("rollover", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_only_shows_the_plan_at_first(
    maths: Classroom, students: list[Student]
) -> None:
    shown = run()
    assert maths.class_code in shown and "--yes" in shown
    assert not Classroom.objects.filter(school_year=NEXT).exists()


def test_the_command_carries_the_plan_out(
    maths: Classroom, students: list[Student]
) -> None:
    run("--yes", "--starts-on", days(0).isoformat())
    new = Classroom.objects.get(school_year=NEXT)
    assert set(Student.objects.in_class(new.pk)) == set(students)


def test_the_command_refuses_a_year_it_can_not_count_on(
    maths: Classroom,
) -> None:
    with pytest.raises(CommandError, match="--to"):
        run("--from", "nonsense")


@pytest.mark.django_db
def test_the_command_says_when_there_is_nothing_to_do() -> None:
    with pytest.raises(CommandError, match="no current classes"):
        run()
