"""A new admin's first year in a real browser: from an empty school to the next year."""

from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, Page, expect

from accounts.models import User
from accounts.tests.factories import PASSWORD
from attendance.models import Record, Status
from attendance.tests.factories import make_record, make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import make_student
from e2e.conftest import Open, Watched
from faces.models import FaceTemplate
from faces.tests.factories import make_template
from faces.tests.photos import astronaut

Barriers = Callable[[Page], list[str]]

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


def sign_in(page: Page, admin: User) -> None:
    page.goto("/admin/")
    page.get_by_label("E-mail").fill(admin.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.locator(".messagelist .success")).to_be_visible()


def look_up(page: Page, box: str, words: str) -> None:
    """Choose from a box that searches while one types."""
    page.locator(f"#id_{box} + .select2 .select2-selection").click()
    page.keyboard.type(words)
    page.locator(".select2-results__option", has_text=words).click()


def choose_action(page: Page, name: str, row: str) -> None:
    page.get_by_role("row", name=row).get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option(label=name)
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()


def test_a_new_admin_gets_through_the_first_year(
    open_page: Open, watched: Watched, admin: User
) -> None:
    page = open_page(viewport=DESKTOP)
    sign_in(page, admin)

    # Three steps to begin: a teacher, a class, students.
    page.get_by_role("link", name="Add a teacher").click()
    page.get_by_label("Full name").fill("Tess Teacher")
    page.get_by_label("Teacher ID").fill("T-1")
    page.get_by_label("E-mail address").fill("tess@school.example")
    page.get_by_label("Password:", exact=True).fill("harvest-lantern-9")
    page.get_by_label("Password confirmation").fill("harvest-lantern-9")
    save(page)

    page.goto("/admin/")
    page.get_by_role("link", name="Open a class").click()
    page.get_by_label("Name:", exact=True).fill("Chess 7A")
    page.get_by_label("Code:", exact=True).fill("CHE-7A")
    look_up(page, "teacher", "Tess Teacher")
    save(page)

    for number, name in enumerate(["Ann Archer", "Ben Baker", "Cy Cooper"], start=1):
        page.goto("/admin/classroom/student/add/")
        page.get_by_label("Full name").fill(name)
        page.get_by_label("Student ID").fill(f"S-{number}")
        look_up(page, "add_to", "Chess 7A")
        save(page)
    chess = Classroom.objects.get()
    assert Student.objects.in_class(chess.pk).count() == 3

    # One is enrolled by photo, on the student's own page.
    page.get_by_role("link", name="Ann Archer").first.click()
    photo: FilePayload = {
        "name": "ann.jpg",
        "mimeType": "image/jpeg",
        "buffer": astronaut(),
    }
    page.get_by_label("Photos of the face").set_input_files(photo)
    page.get_by_role("button", name="Enrol face").click()
    expect(page.locator(".messagelist")).to_contain_text("Enrolled photos: 1")
    expect(page.locator("#faces")).to_contain_text("good")
    assert FaceTemplate.objects.count() == 1

    # A record is corrected, and says why for good.
    line = make_record(make_session(chess), Student.objects.first() or Student())
    page.goto(f"/admin/attendance/record/{line.pk}/change/")
    page.get_by_label("Status:").select_option("excused")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Say why.")).to_be_visible()
    page.get_by_label("Reason").fill("Called in sick")
    save(page)
    page.goto(f"/admin/attendance/record/{line.pk}/history/")
    expect(page.get_by_role("row", name="Called in sick")).to_contain_text("Excused")
    assert Record.objects.get().status == Status.EXCUSED

    # The class goes into the archive and comes back.
    page.goto("/admin/classroom/classroom/")
    choose_action(page, "Archive the selected classes", "Chess 7A")
    expect(page.get_by_role("link", name="Chess 7A")).to_have_count(0)
    page.get_by_role("link", name="Archived", exact=True).click()
    action = "Bring the selected classes back from the archive"
    choose_action(page, action, "Chess 7A")

    # The year rolls over: 7A becomes 8A, with its three students.
    page.goto("/admin/classroom/classroom/")
    page.get_by_role("link", name="Roll over the year").click()
    page.get_by_label("Count up the first number").check()
    page.get_by_role("button", name="Show classes").click()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("row", name="CHE-7A")).to_contain_text("CHE-8A")
    assert Classroom.objects.count() == 1
    page.get_by_role("button", name="Roll over now").click()
    expect(page.locator(".messagelist")).to_contain_text("seats given: 3")
    chess.refresh_from_db()
    assert chess.is_archived
    assert Classroom.objects.get(class_code="CHE-8A").enrollments.count() == 3
    assert watched.faults == []


def test_a_bad_photo_is_said_in_place(
    open_page: Open, watched: Watched, admin: User, students: list[Student]
) -> None:
    page = open_page()
    sign_in(page, admin)
    page.goto(f"/admin/classroom/student/{students[0].pk}/change/")
    file: FilePayload = {
        "name": "no.jpg",
        "mimeType": "image/jpeg",
        "buffer": b"no photo at all",
    }
    page.get_by_label("Photos of the face").set_input_files(file)
    page.get_by_role("button", name="Enrol face").click()
    expect(page.locator("#faces .errorlist")).to_contain_text("JPEG, PNG")
    assert [fault for fault in watched.faults if "400" not in fault] == []


def test_the_engine_is_examined_at_the_press_of_a_button(
    open_page: Open, watched: Watched, admin: User
) -> None:
    page = open_page()
    sign_in(page, admin)
    page.get_by_role("link", name="Engine").first.click()
    page.get_by_role("button", name="Examine").click()
    expect(page.get_by_text("6 faces")).to_be_visible()
    assert watched.faults == []


@pytest.fixture
def school(
    admin: User, maths: Classroom, students: list[Student], bob: User
) -> list[str]:
    """Return the admin's pages of a school in which everything occurs."""
    make_template(students[0], 1)
    make_template(students[1], 2, model_id="retired:000000000000")
    session = make_session(maths)
    for student, status in zip(students, ("present", "late", "absent"), strict=True):
        line = make_record(session, student, Status(status), by=bob)
    make_student("Nora Nowhere")
    register, classes = "/admin/attendance", "/admin/classroom"
    return [
        "/admin/",
        "/admin/engine/",
        "/admin/accounts/user/",
        f"/admin/accounts/user/{bob.pk}/change/",
        f"/admin/accounts/user/{maths.teacher_id}/delete/",
        f"{classes}/classroom/",
        f"{classes}/classroom/add/",
        f"{classes}/classroom/{maths.pk}/change/",
        f"{classes}/classroom/roll-over/",
        f"{classes}/student/",
        f"{classes}/student/{students[0].pk}/change/",
        f"{classes}/student/{students[0].pk}/faces/remove/",
        f"{register}/session/",
        f"{register}/session/{session.pk}/change/",
        f"{register}/record/",
        f"{register}/record/{line.pk}/change/",
        f"{register}/record/{line.pk}/history/",
        "/admin/faces/facetemplate/",
    ]


# What Django's own templates bring along: a heading cell without words over the
# checkboxes, and a search box whose label is a picture with a text of its own.
STOCK = ("empty-table-header", "label-title-only")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_fits_obeys_the_policy_and_has_no_barrier(
    open_page: Open,
    watched: Watched,
    barriers: Barriers,
    admin: User,
    school: list[str],
    scheme: str,
    viewport: dict[str, int],
) -> None:
    page = open_page(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    sign_in(page, admin)
    found = {}
    for address in school:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        width = page.evaluate("document.documentElement.scrollWidth")
        faults = [*watched.faults]
        faults += [text for text in barriers(page) if not text.startswith(STOCK)]
        if width > viewport["width"] or faults:
            found[address] = (width, faults)
        watched.faults.clear()  # axe fetches style sheets by addresses of its own
    assert found == {}
