"""Imports, jobs, timetable, paper and notices in a browser: no barrier, no overflow."""

import datetime as dt
import re

import pytest
from playwright.sync_api import ViewportSize, expect

from accounts.models import Job, User
from attendance import exports, services
from attendance.models import Status
from attendance.notice_models import Notice
from attendance.tests.factories import make_session
from attendance.tests.plans import close_school, excuse, make_slot
from classroom.models import Classroom, Student
from classroom.tests.factories import days, make_student, seat
from e2e.conftest import Barriers, Open, SignIn, Watched

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1440, "height": 900}
# On its side, within margins of 12 mm, at 96 dots an inch.
A4: ViewportSize = {"width": 1031, "height": 702}
ROWS = [
    {
        "file": f"S{number}/a-photo-with-quite-a-long-name.jpg",
        "student_id": f"S{number}",
        "result": "refused",
        "reason": "low_detection_score",
        "hint": "Take the photo again with more light on the face.",
    }
    for number in range(3)
]


@pytest.fixture
def addresses(alice: User, maths: Classroom, students: list[Student]) -> list[str]:
    """Pages of a class for which there is something to show on each."""
    make_slot(maths, days(1), room="B12")
    close_school(days(2))
    excuse(students[0], by=alice, first=1, last=3)
    session = make_session(maths)
    services.mark_by_hand(session, students[0], status=Status.LATE, by=alice)
    services.close(session, by=alice)
    services.reopen(session, by=alice)
    Notice.objects.create(
        key="n", kind="late", classroom=maths, to="a@family.example", state="failed"
    )
    done = Job.objects.create(
        owner=alice,
        kind="import_photos",
        state="done",
        result={"counts": {"refused": 3}, "rows": ROWS},
    )
    waiting = Job.objects.create(owner=alice, kind="import_students", total=3)
    room = f"/app/classes/{maths.pk}"
    return [
        "/app/jobs/",
        f"/app/jobs/{done.pk}/",
        f"/app/jobs/{waiting.pk}/",
        "/app/import/students/",
        "/app/import/photos/",
        "/app/import/attendance/",
        f"{room}/print/",
        f"{room}/sheet/",
        f"{room}/notices/",
        f"{room}/timetable/",
        f"{room}/absences/",
        "/app/closures/",
        f"{room}/sessions/",
        f"/app/sessions/{session.pk}/?line={students[0].pk}",
    ]


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["light", "dark"]
)
def test_these_pages_have_no_barrier_and_fit(
    open_page: Open,
    sign_in: SignIn,
    barriers: Barriers,
    watched: Watched,
    alice: User,
    addresses: list[str],
    scheme: str,
    viewport: dict[str, int],
) -> None:
    page = open_page(color_scheme=scheme, viewport=viewport)
    sign_in(page, alice)
    found, widths = [], {}
    for address in addresses:
        page.goto(address)
        found += [(address, barrier) for barrier in barriers(page)]
        widths[address] = page.evaluate("document.documentElement.scrollWidth")
    assert found == []
    assert widths == dict.fromkeys(addresses, viewport["width"])
    assert watched.faults == []


@pytest.mark.parametrize("kind", ["print", "sheet"])
def test_a_full_page_of_the_register_fits_on_a4(
    open_page: Open, sign_in: SignIn, alice: User, maths: Classroom, kind: str
) -> None:
    for number in range(exports.STUDENTS_A_PAGE + 1):
        name = f"Maximiliana Wolfeschlegelsteinhausen the {number:02}nd"
        seat(make_student(name), maths, starts_on=days(-40))
    for number in range(exports.SESSIONS_A_PAGE + 1):
        make_session(maths, date=days(-number), start=dt.time(10, 30))
    page = open_page()
    sign_in(page, alice)
    period = f"start={days(-30)}&end={days(0)}"
    page.goto(f"/app/classes/{maths.pk}/{kind}/?{period}")
    sheets = page.locator(".paper").count()
    paper = page.pdf(prefer_css_page_size=True)
    assert sheets == 4
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == sheets
    page.emulate_media(media="print")
    page.set_viewport_size(A4)
    assert page.evaluate("document.documentElement.scrollWidth") == A4["width"]


def test_a_roster_is_mapped_looked_at_and_imported(
    open_page: Open, sign_in: SignIn, alice: User, maths: Classroom
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto("/app/import/students/")
    file = {
        "name": "roster.csv",
        "mimeType": "text/csv",
        "buffer": "Nr;Wer;Wo\nN1;Zoë Zahn;MAT-1\n".encode("latin-1"),
    }
    page.get_by_label("CSV or XLSX").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Look at it").click()
    for name, heading in (
        ("student_id", "Nr"),
        ("full_name", "Wer"),
        ("class_code", "Wo"),
    ):
        page.get_by_label(name).select_option(heading)
    page.get_by_role("button", name="Look at it again").click()
    expect(page.get_by_role("cell", name="Zoë Zahn")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="Import of students")).to_be_visible()
    assert Job.objects.get().arguments["lines"][0][1]["full_name"] == "Zoë Zahn"
