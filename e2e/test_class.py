"""A class and its students in a real browser."""

import pytest
from playwright.sync_api import expect

from accounts.models import User
from attendance.models import Status
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_class
from e2e.conftest import Barriers, Open, SignIn, Watched
from faces.tests.factories import make_template


@pytest.fixture
def lived_in(maths: Classroom, students: list[Student], alice: User) -> Classroom:
    """A class with faces, rates and a register of three days."""
    for back in (1, 2, 3):
        session = make_session(maths, date=days(-back))
        make_record(session, students[0], by=alice)
        make_record(session, students[1], Status.ABSENT, by=alice)
    template = make_template(students[0], 1, by=alice)
    template.quality = {"yaw": 18.0, "eye_distance": 60, "sharpness": 300}
    template.save()
    return maths


def test_a_search_narrows_the_roster_while_typing(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    alice: User,
    lived_in: Classroom,
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/classes/{lived_in.pk}/")
    box = page.get_by_role("searchbox")
    box.press_sequentially("eva")
    expect(page.get_by_role("row")).to_have_count(2)  # its head, and Eva
    expect(page.get_by_role("status")).to_have_text("1 student")
    expect(box).to_be_focused()
    assert "q=eva" in page.url
    page.reload()
    expect(page.get_by_role("row")).to_have_count(2)
    assert watched.faults == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_roster_is_searched_and_filtered(
    open_page: Open, sign_in: SignIn, alice: User, lived_in: Classroom, scripts: bool
) -> None:
    page = open_page(java_script_enabled=scripts)
    sign_in(page, alice)
    page.goto(f"/app/classes/{lived_in.pk}/")
    page.get_by_role("link", name="Low attendance").click()
    expect(page.get_by_role("row", name="Dan Dietz")).to_be_visible()
    expect(page.get_by_role("row", name="Cleo Castro")).to_have_count(0)
    page.get_by_role("searchbox").fill("nobody")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nobody fits.")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    expect(page.get_by_role("row")).to_have_count(4)


def test_a_student_is_added_with_the_keyboard_alone(
    open_page: Open, sign_in: SignIn, watched: Watched, alice: User, maths: Classroom
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/classes/{maths.pk}/")
    page.get_by_role("link", name="Add the first student").press("Enter")
    page.get_by_label("Full name").fill("Nia New")
    page.keyboard.press("Tab")
    page.keyboard.type("N-1")
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.get_by_text("Nia New sits in this class now.")).to_be_visible()
    assert Student.objects.in_class(maths.pk).get().student_id == "N-1"
    assert watched.faults == []


def test_a_taken_code_offers_the_student_who_has_it(
    open_page: Open,
    sign_in: SignIn,
    barriers: Barriers,
    alice: User,
    students: list[Student],
) -> None:
    chess = make_class("Chess", alice)
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/classes/{chess.pk}/students/add/")
    page.get_by_label("Full name").fill("Cleo")
    page.get_by_label("Student ID").fill(students[0].student_id)
    page.get_by_role("button", name="Save", exact=True).click()
    offer = page.get_by_role("button", name="Put Cleo Castro into this class")
    expect(offer).to_be_visible()
    assert barriers(page) == []
    offer.click()
    expect(page.get_by_role("row", name="Cleo Castro")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_student_is_taken_out_and_put_back(
    open_page: Open,
    sign_in: SignIn,
    alice: User,
    maths: Classroom,
    students: list[Student],
    scripts: bool,
) -> None:
    page = open_page(java_script_enabled=scripts)
    sign_in(page, alice)
    page.goto(f"/app/classes/{maths.pk}/")
    page.get_by_role("link", name="Take out Dan Dietz").click()
    page.get_by_role("button", name="Take out").click()
    expect(page.get_by_role("row", name="Dan Dietz")).to_have_count(0)
    assert Student.objects.in_class(maths.pk).count() == 2
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("row", name="Dan Dietz")).to_be_visible()
    assert Student.objects.in_class(maths.pk).count() == 3


@pytest.mark.parametrize("rest", ["", "students/add/"])
def test_a_strangers_class_is_not_found(
    open_page: Open,
    sign_in: SignIn,
    stranger: User,
    maths: Classroom,
    history: Classroom,
    rest: str,
) -> None:
    page = open_page()
    sign_in(page, stranger)
    answer = page.goto(f"/app/classes/{maths.pk}/{rest}")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="There is nothing here.")).to_be_visible()


def test_a_search_on_a_broken_line_is_answered_when_it_is_back(
    open_page: Open, sign_in: SignIn, alice: User, lived_in: Classroom
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/classes/{lived_in.pk}/")
    page.context.set_offline(True)
    page.get_by_role("searchbox").press_sequentially("eva")
    expect(page.get_by_role("alert")).to_contain_text("No connection")
    expect(page.get_by_role("row")).to_have_count(4)
    page.context.set_offline(False)
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_search_without_a_login_leads_to_the_login(
    open_page: Open, sign_in: SignIn, alice: User, lived_in: Classroom
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/classes/{lived_in.pk}/")
    page.context.clear_cookies()
    page.get_by_role("searchbox").press_sequentially("eva")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
