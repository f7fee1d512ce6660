"""What holds on every page there is; the table of all addresses says which they are."""

import datetime as dt
import gzip
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from accounts.models import User
from attendance.models import Session, Status
from attendance.tests.factories import make_record, make_session
from attendance_site.environment import BASE_DIR
from attendance_site.tests.cast import Cast
from attendance_site.tests.cast import cast as cast  # a fixture
from attendance_site.tests.rows import ROLES, Row
from attendance_site.tests.test_permissions import TABLE
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_student
from e2e.conftest import Barriers, Open, SignIn, Watched
from faces.tests.factories import make_template

HEAVIEST = 150_000  # bytes of a page with its scripts and styles
LOADED = """[...performance.getEntriesByType("navigation"),
  ...performance.getEntriesByType("resource")]
  .map(({ name, decodedBodySize }) => [name, decodedBodySize])"""
CHARTS = "vendor/chart/chart.min.js"
EIGHT = dt.time(8)
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1440, "height": 900}
# What these answer is a file.
FILES = {"/app/jobs/{job}/result.csv", "/app/receipts/{receipt}/?download"}
# The same page in another state, which an address can ask for.
STATES = {
    "/app/classes/{maths}/": ["?q=nobody", "?show=no_face"],
    "/app/classes/{maths}/take/": ["?way=photo", "?way=group"],
    "/app/sessions/{session}/": ["?line={student}"],
    "/app/students/{student}/face/": ["?class={maths}"],
}


def is_page(row: Row) -> bool:
    """Whether a row of the table is a page of a teacher, or of nobody yet."""
    shown = row.method == "GET" and 200 in row.statuses
    return (
        shown and row.url.startswith(("/app/", "/accounts/")) and row.url not in FILES
    )


def pages(role: str) -> list[str]:
    """Return the addresses of the pages that the table shows to a role."""
    place = ROLES.index(role)
    urls = [row.url for row in TABLE if is_page(row) and row.statuses[place] == 200]
    return [url + state for url in urls for state in ["", *STATES.get(url, [])]]


@pytest.fixture
def school(cast: Cast, maths: Classroom, students: list[Student], alice: User) -> Cast:
    """The cast of the table, in a class as full as they come."""
    many = [make_student(f"Number {number:02}", maths) for number in range(60)]
    past = [make_session(maths, date=days(-back), start=EIGHT) for back in (3, 4)]
    today = Session.objects.get(classroom=maths, date=days(0))
    for session in (today, *past):
        for place, student in enumerate([*students[1:], *many]):
            make_record(session, student, list(Status)[place % 4], by=alice)
    template = make_template(students[0], 1, by=alice)
    template.quality = {"yaw": 18.0, "eye_distance": 60, "sharpness": 300}
    template.save()
    return cast


def faults_of(page: Page, address: str, watched: Watched, barriers: Barriers) -> str:
    """Return what is wrong with a page, "" if nothing is."""
    watched.faults.clear()
    answer = page.goto(address)
    assert answer is not None
    faults = []
    if answer.status != 200 or urlsplit(page.url).path != urlsplit(address).path:
        faults.append(f"{answer.status} at {page.url}")
    if page.get_by_role("heading", level=1).count() != 1:
        faults.append("not one first heading")
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > page.evaluate("innerWidth"):
        faults.append(f"{width} pixels wide")
    if (size := weight(page)) > HEAVIEST:
        faults.append(f"{size} bytes")
    faults += barriers(page)
    return "\n".join([*faults, *watched.faults])


def weight(page: Page) -> int:
    """Return the bytes of a page with all that it loads, before compression.

    The library of the charts counts as it is sent: `collectstatic` compresses it.
    """
    total: int = sum(size for _name, size in page.evaluate(LOADED))
    if not any(name.endswith(CHARTS) for name, _size in page.evaluate(LOADED)):
        return total
    library = (BASE_DIR / "static" / CHARTS).read_bytes()
    return total - len(library) + len(gzip.compress(library))


@pytest.mark.parametrize(
    ("viewport", "scheme", "language"),
    [
        pytest.param(PHONE, "light", "en", id="phone"),
        pytest.param(DESKTOP, "dark", "en", id="desktop, dark"),
        pytest.param(PHONE, "dark", "ar", id="phone, dark, right to left"),
        pytest.param(DESKTOP, "light", "es", id="desktop, Spanish"),
    ],
)
def test_every_page_is_light_fits_obeys_the_policy_and_has_no_barrier(
    open_page: Open,
    sign_in: SignIn,
    barriers: Barriers,
    watched: Watched,
    alice: User,
    admin: User,
    school: Cast,
    viewport: dict[str, int],
    scheme: str,
    language: str,
) -> None:
    options = {"viewport": viewport, "color_scheme": scheme}
    found = {}
    for role, user in (("nobody", None), ("owner", alice), ("admin", admin)):
        page = open_page(**options, locale="en" if user else language)
        if user is not None:
            sign_in(page, user)
            User.objects.filter(pk=user.pk).update(language=language)
        for url in pages(role):
            if role == "admin" and "{" in url:
                continue  # the teacher's page again
            address = url.format(**school.names)
            found[f"{role}: {url}"] = faults_of(page, address, watched, barriers)
    assert {url: text for url, text in found.items() if text} == {}
    assert len(found) > 30


@pytest.mark.parametrize("fault", ["missing", "forbidden", "bug"])
def test_a_page_that_fails_is_a_page_too(
    open_page: Open,
    barriers: Barriers,
    watched: Watched,
    settings: Settings,
    fault: str,
    db: None,
) -> None:
    settings.ROOT_URLCONF = "attendance_site.tests.fault_urls"
    page = open_page(viewport=PHONE)
    page.goto(f"/app/page?fault={fault}", wait_until="networkidle")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("main")).not_to_contain_text("secret")
    expect(page.get_by_role("main").get_by_role("link")).to_be_visible()
    assert barriers(page) == []
    # The browser itself notes the status of the page.
    assert [one for one in watched.faults if "the server responded" not in one] == []
