"""Pages in Spanish and in Arabic, which runs from right to left."""

import pytest
from playwright.sync_api import expect

from accounts.models import User
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from e2e.camera_film import looks
from e2e.conftest import Barriers, Film, Open, SignIn, Watched
from faces import runtime

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1440, "height": 900}


def test_nobodys_page_speaks_the_browsers_language(
    open_page: Open, watched: Watched
) -> None:
    page = open_page(locale="es-ES")
    page.goto("/accounts/login/")
    expect(page.get_by_role("button", name="Entrar")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    assert watched.faults == []


def test_choosing_arabic_turns_the_pages_around(
    open_page: Open, sign_in: SignIn, watched: Watched, alice: User
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto("/app/account/")
    page.get_by_role("combobox", name="Language").select_option(label="العربية")
    page.get_by_role("button", name="Save").click()
    html = page.locator("html")
    expect(html).to_have_attribute("dir", "rtl")
    expect(html).to_have_attribute("lang", "ar")
    expect(page.get_by_role("status")).to_have_text("تم الحفظ.")
    page.goto("/app/")
    expect(page.get_by_role("heading", name="اليوم")).to_be_visible()
    brand = page.locator(".brand").bounding_box()
    account = page.locator(".account").bounding_box()
    assert brand is not None
    assert account is not None
    assert account["x"] < brand["x"]
    assert watched.faults == []


@pytest.mark.parametrize("language", ["es", "ar"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_page_has_a_barrier_or_is_too_wide_in_any_language(
    open_page: Open,
    sign_in: SignIn,
    barriers: Barriers,
    watched: Watched,
    alice: User,
    maths: Classroom,
    students: list[Student],
    language: str,
    viewport: dict[str, int],
) -> None:
    make_record(make_session(maths), students[0], by=alice)
    page = open_page(viewport=viewport)
    sign_in(page, alice)
    User.objects.update(language=language)
    found, widths = {}, {}
    for address in (
        "/app/",
        f"/app/classes/{maths.pk}/",
        f"/app/classes/{maths.pk}/take/",
        f"/app/classes/{maths.pk}/sessions/",
        f"/app/students/{students[0].pk}/",
        f"/app/students/{students[0].pk}/face/",
        "/app/account/",
    ):
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", language)
        found[address] = barriers(page)
        widths[address] = page.evaluate("document.documentElement.scrollWidth")
    assert {address: faults for address, faults in found.items() if faults} == {}
    assert set(widths.values()) == {viewport["width"]}, widths
    assert watched.faults == []


def test_the_coach_speaks_arabic(
    film: Film, sign_in: SignIn, alice: User, students: list[Student]
) -> None:
    runtime.get_engine()
    page = film(looks()[0])
    sign_in(page, alice)
    User.objects.update(language="ar")
    page.goto(f"/app/students/{students[0].pk}/face/")
    taken = page.locator("[data-shots] [data-taken]")
    expect(taken).to_have_count(1, timeout=60_000)
    expect(page.get_by_role("status")).to_contain_text("إلى يسارك")
