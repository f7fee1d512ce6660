"""The register beside the camera: one tap, one key, undo, and a line that breaks."""

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from attendance.models import Record, Source, Status
from attendance.services import mark_by_face
from classroom.models import Classroom, Student
from e2e.conftest import Barriers, Open, SignIn, Watched

CLEO, DAN, EVA = "Cleo Castro", "Dan Dietz", "Eva Evans"


@pytest.fixture
def page(
    open_page: Open,
    sign_in: SignIn,
    alice: User,
    maths: Classroom,
    students: list[Student],
) -> Page:
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/classes/{maths.pk}/take/?way=group")
    return page


def button(page: Page, name: str, status: str) -> Locator:
    return page.get_by_role("group", name=name).get_by_role("button", name=status)


def test_a_tap_marks_and_leads_the_keyboard_to_the_next_student(
    page: Page, watched: Watched, barriers: Barriers, students: list[Student]
) -> None:
    button(page, CLEO, "Late").click()
    expect(page.get_by_role("status")).to_contain_text("Cleo Castro: Late")
    expect(page.locator("#h-register")).to_have_text("1 / 3 present")
    expect(button(page, DAN, "Late")).to_be_focused()
    assert Record.objects.get().status == Status.LATE
    assert barriers(page) == []
    assert watched.faults == []


def test_undo_puts_the_line_back(page: Page, students: list[Student]) -> None:
    button(page, CLEO, "Absent").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undone.")
    expect(button(page, CLEO, "Absent")).to_be_visible()
    assert not Record.objects.exists()


def test_digits_mark_the_student_who_has_the_focus(
    page: Page, students: list[Student]
) -> None:
    button(page, DAN, "Present").focus()
    page.keyboard.press("4")
    expect(page.get_by_role("status")).to_contain_text("Dan Dietz: Excused")
    assert Record.objects.get().status == Status.EXCUSED


def test_the_rest_is_marked_at_once_and_the_session_closed(
    page: Page, watched: Watched, students: list[Student]
) -> None:
    button(page, CLEO, "Excused").click()
    expect(page.get_by_role("status")).to_contain_text("Excused")
    page.get_by_role("button", name="The rest present").click()
    expect(page.locator("#h-register")).to_have_text("2 / 3 present")
    page.get_by_role("button", name="Close session").click()
    expect(page.get_by_text("The session is closed.")).to_be_visible()
    assert watched.faults == []


def test_a_weak_match_is_checked_first(
    page: Page, alice: User, maths: Classroom, students: list[Student]
) -> None:
    mark_by_face(maths, {students[0].pk: 0.45, students[1].pk: 0.45}, by=alice)
    page.reload()
    check = page.get_by_role("region", name="Please check")
    expect(check.get_by_role("listitem")).to_have_count(2)
    check.get_by_role("button", name="Yes, it is").first.click()
    expect(check.get_by_role("listitem")).to_have_count(1)
    assert Record.objects.get(student=students[0]).source == Source.MANUAL
    check.get_by_role("button", name="Not this person").click()
    expect(page.get_by_role("status")).to_contain_text("Dan Dietz: not this person")
    assert not Record.objects.filter(student=students[1]).exists()
    assert Record.history.filter(student=students[1]).count() == 2


def test_a_weak_match_is_answered_by_one_key(
    page: Page, alice: User, maths: Classroom, students: list[Student]
) -> None:
    mark_by_face(maths, {students[0].pk: 0.45, students[1].pk: 0.45}, by=alice)
    page.reload()
    check = page.get_by_role("region", name="Please check")
    expect(check.get_by_text("Keys: 1 yes, it is")).to_be_visible()
    check.get_by_role("button", name="Yes, it is").first.focus()
    page.keyboard.press("1")
    expect(check.get_by_role("listitem")).to_have_count(1)
    check.get_by_role("combobox").focus()
    page.keyboard.press("2")  # in a list of names a digit is no answer
    check.get_by_role("button", name="Yes, it is").focus()
    page.keyboard.press("2")
    expect(page.get_by_role("status")).to_contain_text("Dan Dietz: not this person")
    assert Record.objects.get().source == Source.MANUAL


def test_a_weak_match_is_given_to_somebody_else(
    page: Page, alice: User, maths: Classroom, students: list[Student]
) -> None:
    mark_by_face(maths, {students[0].pk: 0.45}, by=alice)
    page.reload()
    check = page.get_by_role("region", name="Please check")
    check.get_by_role("combobox").select_option(EVA)
    check.get_by_role("button", name="Change").click()
    expect(page.get_by_role("status")).to_contain_text("Eva Evans: Present")
    assert Record.objects.get().student == students[2]


def test_a_marked_line_is_changed_in_place(page: Page, students: list[Student]) -> None:
    button(page, CLEO, "Present").click()
    marked = page.get_by_role("region", name="Marked")
    marked.get_by_text(CLEO).first.click()
    button(page, CLEO, "Late").click()
    expect(page.get_by_role("status")).to_contain_text("Cleo Castro: Late")
    assert Record.objects.get().status == Status.LATE


def test_a_mark_on_a_broken_line_is_kept_until_it_is_back(
    page: Page, students: list[Student]
) -> None:
    page.context.set_offline(True)
    button(page, CLEO, "Late").click()
    button(page, DAN, "Absent").click()
    expect(page.get_by_role("status")).to_contain_text("No connection")
    assert not Record.objects.exists()
    page.context.set_offline(False)
    expect(page.get_by_role("status")).to_contain_text(
        "Dan Dietz: Absent", timeout=20000
    )
    found = {record.student: record.status for record in Record.objects.all()}
    assert found == {students[0]: Status.LATE, students[1]: Status.ABSENT}


def test_a_sign_in_in_another_tab_lets_this_one_go_on(
    page: Page, sign_in: SignIn, alice: User, students: list[Student]
) -> None:
    other = page.context.new_page()
    other.goto("/app/")
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/accounts/login/")
    button(page, CLEO, "Late").click()
    expect(page.get_by_role("status")).to_contain_text("You were signed out")
    sign_in(other, alice)
    button(page, CLEO, "Late").click()
    expect(page.get_by_role("status")).to_contain_text("Cleo Castro: Late")
    assert Record.objects.get().status == Status.LATE
