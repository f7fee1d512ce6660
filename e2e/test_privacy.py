"""Consent in a real browser: recorded, withdrawn, and a receipt to print."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from classroom.models import Classroom, Student
from e2e.conftest import Open, SignIn, Watched
from faces.erasure import withdraw_consent
from faces.models import FaceTemplate
from faces.tests.factories import make_template

Barriers = Callable[[Page], list[str]]

PHONE = {"width": 360, "height": 740}


def test_a_consent_is_given_and_withdrawn_and_the_face_is_gone(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    alice: User,
    students: list[Student],
) -> None:
    cleo = students[0]
    make_template(cleo, 1)
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/students/{cleo.pk}/")
    page.get_by_role("link", name="Record a consent").click()
    page.get_by_label("Who answered").fill("Carla Castro")
    assert barriers(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Carla Castro (Parent) said yes")).to_be_visible()
    assert barriers(page) == []
    page.get_by_role("link", name="Withdraw").click()
    page.get_by_label("Who said no").fill("Cleo herself")
    assert barriers(page) == []
    page.get_by_role("button", name="Withdraw and delete").click()
    expect(page.get_by_role("heading", name="A face was deleted")).to_be_visible()
    assert barriers(page) == []
    assert not FaceTemplate.objects.filter(student=cleo).exists()
    page.get_by_role("link", name="Back to the student").click()
    expect(page.get_by_role("link", name="Receipt: face deleted")).to_be_visible()
    expect(page.get_by_role("link", name="Enrol the face")).to_have_count(0)
    assert watched.faults == []


def test_a_class_with_and_without_consents_has_no_barrier(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    alice: User,
    maths: Classroom,
    students: list[Student],
) -> None:
    withdraw_consent(students[0], said_by="Cleo", by=alice)
    page = open_page(viewport=PHONE, color_scheme="dark")
    sign_in(page, alice)
    page.goto(f"/app/classes/{maths.pk}/")
    expect(page.get_by_text("By hand")).to_be_visible()
    page.get_by_role("link", name="Without a consent").click()
    expect(page.get_by_role("link", name="No consent")).to_have_count(2)
    assert barriers(page) == []
    page.goto(f"/app/students/{students[0].pk}/face/")
    expect(page.get_by_role("heading", name="The answer was no")).to_be_visible()
    assert barriers(page) == []
    assert watched.faults == []


@pytest.mark.parametrize("width", [360, 1440])
def test_an_admin_reads_all_that_is_held(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    admin: User,
    students: list[Student],
    width: int,
) -> None:
    make_template(students[0], 1, by=admin)
    page = open_page(viewport={"width": width, "height": 900})
    sign_in(page, admin)
    page.goto(f"/app/students/{students[0].pk}/data/")
    expect(page.get_by_text("bytes, encrypted")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert barriers(page) == []
    assert watched.faults == []


def test_the_admins_pages_of_consent_have_no_barrier(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    admin: User,
    students: list[Student],
) -> None:
    make_template(students[0], 1)
    page = open_page()
    sign_in(page, admin)
    page.goto("/admin/classroom/student/?consent=none")
    page.get_by_role("checkbox").nth(1).check()
    page.locator("select[name=action]").first.select_option("withdraw_action")
    page.get_by_role("button", name="Go").first.click()
    expect(page.get_by_text("deleted at once and for good")).to_be_visible()
    assert barriers(page) == []
    page.get_by_label("Who said no").fill("Cleo")
    page.get_by_role("button", name="Yes, withdraw and delete").click()
    expect(page.get_by_text("with a receipt each: 1")).to_be_visible()
    page.goto("/admin/classroom/erasurereceipt/")
    expect(page.get_by_text(students[0].student_id)).to_be_visible()
    assert watched.faults == []
