"""The reports in a real browser: drawn, readable by everybody, and light."""

import gzip
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response, expect

from accounts.models import User
from attendance.models import Session, Status
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_student
from e2e.conftest import Barriers, Open, SignIn, Watched

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1440, "height": 900}
LIMIT = 150_000  # bytes of a page with its scripts and styles, as they are sent


@pytest.fixture
def lived_in(maths: Classroom, students: list[Student]) -> Session:
    for ago in range(20, 0, -1):
        session = make_session(maths, date=days(-ago))
        make_record(session, students[0])
        make_record(session, students[1], Status.ABSENT if ago < 9 else Status.LATE)
    return session


def pages(session: Session, student: Student) -> list[str]:
    of_class = f"/app/reports/classes/{session.classroom_id}/"
    return [
        "/app/reports/",
        "/app/reports/absences/",
        of_class,
        f"{of_class}sessions/",
        f"{of_class}grid/",
        f"/app/reports/sessions/{session.pk}/",
        f"/app/reports/students/{student.pk}/",
    ]


RULES = "/app/reports/rules/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_report_has_a_barrier_or_is_too_wide(
    open_page: Open,
    sign_in: SignIn,
    barriers: Barriers,
    watched: Watched,
    admin: User,
    lived_in: Session,
    students: list[Student],
    scheme: str,
    viewport: dict[str, int],
) -> None:
    page = open_page(color_scheme=scheme, viewport=viewport)
    sign_in(page, admin)
    found, widths = {}, {}
    for address in [*pages(lived_in, students[1]), RULES]:
        page.goto(address, wait_until="networkidle")
        found[address] = barriers(page)
        widths[address] = page.evaluate("document.documentElement.scrollWidth")
    assert {address: faults for address, faults in found.items() if faults} == {}
    assert set(widths.values()) == {viewport["width"]}, widths
    assert watched.faults == []


def is_drawn(page: Page, name: str) -> bool:
    """Say whether a chart's canvas holds anything but empty pixels."""
    canvas = page.locator(f"[data-chart={name}] canvas")
    expect(canvas).to_be_visible()
    drawn: bool = canvas.evaluate(
        "canvas => canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"
    )
    return drawn


def test_the_charts_are_drawn_and_their_figures_fold_out(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    alice: User,
    lived_in: Session,
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.get_by_role("link", name="Reports", exact=True).click()
    page.get_by_role("link", name="Maths", exact=True).click()
    page.wait_for_load_state("networkidle")
    assert is_drawn(page, "trend")
    assert is_drawn(page, "weekdays")
    figures = page.locator("[data-chart=trend] table")
    expect(figures).to_be_hidden()
    page.get_by_text("Figures as a table").first.click()
    expect(figures.get_by_role("row")).to_have_count(21)
    assert watched.faults == []


def test_the_figures_are_there_without_a_script(
    open_page: Open, sign_in: SignIn, alice: User, lived_in: Session
) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page, alice)
    page.goto(f"/app/reports/classes/{lived_in.classroom_id}/")
    expect(page.locator("[data-chart] table")).to_have_count(2)
    expect(page.locator("[data-chart] table").first).to_be_visible()
    expect(page.locator("canvas").first).to_be_hidden()


def test_paper_shows_the_figures_and_no_buttons(
    open_page: Open, sign_in: SignIn, alice: User, lived_in: Session
) -> None:
    page = open_page(color_scheme="dark")
    sign_in(page, alice)
    page.goto(f"/app/reports/classes/{lived_in.classroom_id}/")
    page.wait_for_load_state("networkidle")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("[data-chart=trend] table")).to_be_visible()
    expect(page.get_by_role("button", name="Show")).to_be_hidden()
    expect(page.get_by_role("link", name="CSV")).to_be_hidden()
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert ink == "rgb(0, 0, 0)"


def test_a_chart_runs_from_right_to_left_in_arabic(
    open_page: Open, sign_in: SignIn, watched: Watched, alice: User, lived_in: Session
) -> None:
    alice.language = "ar"
    alice.save()
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/reports/classes/{lived_in.classroom_id}/")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert is_drawn(page, "weekdays")
    assert watched.faults == []


def sent(answer: Response) -> int:
    """Return the bytes that travel: files are stored compressed, pages are not."""
    body = answer.body()
    is_file = urlsplit(answer.url).path.startswith("/static/")
    return len(gzip.compress(body)) if is_file else len(body)


def weight(page: Page, address: str) -> int:
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)
    page.goto(address, wait_until="networkidle")
    page.remove_listener("response", note)
    return sum(sent(answer) for answer in answers)


def test_a_large_class_and_a_long_period_stay_light(
    open_page: Open, sign_in: SignIn, alice: User, maths: Classroom
) -> None:
    students = [make_student(f"Student Number {n}", maths) for n in range(60)]
    for ago in range(25, 0, -1):
        session = make_session(maths, date=days(-ago))
        for student in students:
            make_record(session, student, Status.ABSENT)
    page = open_page(viewport=DESKTOP)
    sign_in(page, alice)
    page.route("**/*", lambda route: route.continue_())  # which turns the cache off
    sizes = {address: weight(page, address) for address in pages(session, students[0])}
    assert {address: size for address, size in sizes.items() if size > LIMIT} == {}
    assert sizes[f"/app/reports/classes/{maths.pk}/"] > 50_000  # the charts came too
