"""Pages in Spanish and in Arabic, which runs from right to left."""

from playwright.sync_api import expect

from accounts.models import User
from classroom.models import Student
from e2e.camera_film import looks
from e2e.conftest import Film, Open, SignIn, Watched
from faces import runtime


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
