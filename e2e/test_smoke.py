"""The pages in a real browser: they work, look after everybody and call nobody."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from classroom.models import Classroom, Student
from e2e.conftest import Open, SignIn, Watched

Barriers = Callable[[Page], list[str]]

PHONE = {"width": 320, "height": 640}


def test_a_teacher_signs_in_and_out(
    open_page: Open, sign_in: SignIn, watched: Watched, alice: User
) -> None:
    page = open_page()
    sign_in(page, alice)
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/app/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert watched.faults == []


def test_a_wrong_password_is_said_aloud(open_page: Open, alice: User) -> None:
    page = open_page()
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(alice.email)
    page.get_by_label("Password").fill("not-her-password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")


def test_only_admins_are_shown_the_admin(
    open_page: Open, sign_in: SignIn, admin: User, stranger: User
) -> None:
    page = open_page()
    sign_in(page, admin)
    expect(page.get_by_role("link", name="Admin", exact=True)).to_be_visible()
    other = open_page()
    sign_in(other, stranger)
    expect(other.get_by_role("link", name="Admin", exact=True)).to_have_count(0)


def test_swagger_shows_the_api_under_the_strict_policy(
    open_page: Open, watched: Watched
) -> None:
    page = open_page()
    page.goto("/docs")
    page.locator("#operations-auth-auth_login_create").click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert watched.faults == []


def test_redoc_shows_the_api_and_calls_no_other_host(
    open_page: Open, watched: Watched
) -> None:
    page = open_page()
    page.goto("/redoc")
    expect(page.get_by_role("heading", name="Rollbook API")).to_be_visible()
    expect(page.get_by_text("/face/verify").first).to_be_attached()
    page.wait_for_load_state("networkidle")
    assert watched.faults == []


def test_the_documents_work_for_whoever_is_signed_in(
    open_page: Open, sign_in: SignIn, watched: Watched, alice: User
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto("/docs/")
    expect(page.get_by_text("/auth/login").first).to_be_visible()
    assert watched.faults == []


@pytest.mark.parametrize("address", ["/admin/", "/admin/accounts/user/", "/app/"])
def test_the_pages_of_an_admin_obey_the_policy(
    open_page: Open, sign_in: SignIn, watched: Watched, admin: User, address: str
) -> None:
    page = open_page()
    sign_in(page, admin)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    assert watched.faults == []


def test_nothing_is_wider_than_a_small_phone(
    open_page: Open,
    sign_in: SignIn,
    alice: User,
    maths: Classroom,
    students: list[Student],
) -> None:
    page = open_page(viewport=PHONE)
    sign_in(page, alice)
    widths = {}
    for address in (
        "/app/",
        f"/app/classes/{maths.pk}/take/",
        "/app/reports/",
        f"/app/reports/classes/{maths.pk}/",
        "/accounts/nowhere",
    ):
        page.goto(address)
        widths[address] = page.evaluate("document.documentElement.scrollWidth")
    assert set(widths.values()) == {PHONE["width"]}, widths


def test_the_keyboard_can_skip_to_the_content(open_page: Open) -> None:
    page = open_page()
    page.goto("/accounts/nowhere")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
