"""Take the documents' pictures from a fresh demo school.

.venv/bin/python -m docs.screenshots      (needs make install-dev and chromium)

The one photo on them is scikit-image's `data.astronaut()` (NASA, public domain); the
room of the group photo is drawn (`docs/silhouettes.py`) before a picture is taken.
"""

import base64
import datetime as dt
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Locator, Page, Playwright, expect, sync_playwright

from attendance_site.tests.live import Browser, Installation
from docs.silhouettes import drawn_room
from e2e.camera_film import looks, write_film
from faces.engine.samples import packaged_group_photo

FOLDER: Final = Path(__file__).resolve().parent / "images"
DESKTOP: Final = (1200, 780)
PHONE: Final = (390, 780)
COLOURS: Final = (128, 96, 64, 48, 32)  # the most that stay within the limit
HEAVIEST: Final = 150_000  # bytes of a picture in git
SCHOOL_HOUR: Final = 10  # what the clock on the wall says, whenever this is run
COACH: Final = 90_000  # milliseconds for three looks on a slow machine
NEW_STUDENT: Final = "Sofia Lindqvist"
BOXES: Final = """all => all.map(({ style }) =>
  ["left", "top", "width", "height"].map((name) => parseFloat(style[name]) / 100))"""


@dataclass(frozen=True, slots=True)
class School:
    url: str
    teacher: tuple[str, str]
    admin: tuple[str, str]
    folder: Path


def main() -> None:
    if shutil.which("chromium") is None:
        sys.exit("chromium is missing: apt-get install chromium")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        installation = Installation.make(folder)
        (installation.project / ".env").write_text(f"TIME_ZONE={zone_of_a_morning()}\n")
        installation.manage("migrate", "--noinput", "--verbosity", "0")
        printed = installation.manage("demo_school")
        teacher, admin = re.findall(r"(\S+@demo\.school)\s+(\S+)", printed)
        with installation.serving() as url, sync_playwright() as playwright:
            school = School(url, teacher, admin, folder)
            furnish(school)
            take_pictures(playwright, school)


def zone_of_a_morning() -> str:
    """Return the time zone in which it is now an hour of a school day."""
    ahead = (SCHOOL_HOUR - dt.datetime.now(dt.UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}"  # by POSIX, west of Greenwich is plus


def furnish(school: School) -> None:
    """Give the teacher two more classes, at other points of their day."""
    email, password = school.admin
    api = Browser(school.url)
    login = {"email": email, "password": password}
    api.token = api.post("/auth/login", login)[1]["access_token"]
    _, classes = api.get("/classes")
    _, students = api.get("/students?limit=100")
    rows = [student["id"] for student in students["results"]]
    owner = next(
        row["teacher_id"]
        for row in classes["results"]
        if row["class_name"] == "Mathematics"
    )
    for name, code, number, marks in (
        ("Biology", "BIO-7A", 9, ["present"] * 7 + ["late", "absent"]),
        ("School choir", "CHOIR", 10, ["present"] * 6),
    ):
        made = {"class_name": name, "class_code": code, "teacher_id": owner}
        room = api.post("/classes", made)[1]["id"]
        api.post(f"/classes/{room}/students", {"student_ids": rows[:number]})
        for student, status in zip(rows, marks, strict=False):
            mark = {"class_id": room, "student_id": student, "status": status}
            api.post("/attendance", mark)


def take_pictures(playwright: Playwright, school: School) -> None:
    ahead, left, right = looks()
    with browsing(playwright, school, ahead, left, right) as page:
        enrol(page)
    with browsing(playwright, school, ahead) as page:
        group(page)
        live(page)
        page.goto("/app/")
        save(page, "today")
        page.get_by_role("link", name="Mathematics", exact=True).first.click()
        save(page, "class")
        page.get_by_role("link", name="Daniel Kim", exact=True).click()
        save(page, "student")
        page.goto("/app/")
        card(page, "Mathematics").locator(".class-state a").click()
        page.get_by_role("link", name="History Bruno Costa").click()
        drawer = page.get_by_role("complementary")
        drawer.get_by_label("Late").check()
        drawer.get_by_label("Reason").fill("The bus was late")
        save(page, "session")
    with browsing(playwright, school, ahead, size=PHONE) as page:
        way(page, "Mathematics", "Live")
        expect(page.locator("#boxes .box--known")).to_be_visible(timeout=COACH)
        save(page, "take-phone")
        way(page, "School choir", "Group")
        page.locator("#register").scroll_into_view_if_needed()
        save(page, "review-phone")
    with browsing(playwright, school, ahead, login=school.admin) as page:
        page.goto("/admin/")
        save(page, "admin")


@contextmanager
def browsing(
    playwright: Playwright,
    school: School,
    *film: object,
    size: tuple[int, int] = DESKTOP,
    login: tuple[str, str] | None = None,
) -> Iterator[Page]:
    """Open a page as somebody of the school, before a camera that shows these looks."""
    path = school.folder / "film.y4m"
    write_film(path, *film, repeat=3)  # type: ignore[arg-type]
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium"),
        args=[
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={path}",
        ],
    )
    width, height = size
    context = browser.new_context(
        base_url=school.url,
        permissions=["camera"],
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        is_mobile=size == PHONE,
        has_touch=size == PHONE,
    )
    page = context.new_page()
    page.goto("/accounts/login/")
    email, password = login or school.teacher
    page.fill("input[name=username]", email)
    page.fill("input[name=password]", password)
    page.click("main button")
    page.wait_for_url("**/app/")
    yield page
    browser.close()


def card(page: Page, name: str) -> Locator:
    return page.locator(".class-card", has=page.get_by_role("heading", name=name))


def way(page: Page, classroom: str, name: str) -> None:
    page.goto("/app/")
    card(page, classroom).get_by_role("link", name="Take attendance").click()
    page.get_by_role("link", name=name, exact=True).click()


def enrol(page: Page) -> None:
    """Add a student to the class and let the coach take the photos."""
    page.get_by_role("link", name="Mathematics", exact=True).first.click()
    page.get_by_role("link", name="Add a student").click()
    page.get_by_label("Full name").fill(NEW_STUDENT)
    page.get_by_label("Student ID").fill("S-011")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name=f"Enrol {NEW_STUDENT}").click()
    taken = page.locator("[data-shots] [data-taken]")
    expect(taken).to_have_count(2, timeout=COACH)
    save(page, "coach")
    expect(taken).to_have_count(3, timeout=COACH)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name=NEW_STUDENT).wait_for()


def group(page: Page) -> None:
    """Mark everybody but the new student from the packaged photo of a room."""
    way(page, "Mathematics", "Group")
    page.get_by_label("Photos of the room").set_input_files(packaged_group_photo())
    page.get_by_role("button", name="Recognise").click()
    expect(page.locator("#h-register")).to_contain_text("6 / 7", timeout=COACH)
    cover(page)
    width, height = DESKTOP
    page.set_viewport_size({"width": width, "height": height + 120})
    page.evaluate("scrollTo(0, 0)")
    save(page, "group")
    page.set_viewport_size({"width": width, "height": height})


def cover(page: Page) -> None:
    """Put a drawn room in the place of the photo, under the same boxes."""
    photo = page.locator(".shot img")
    with Image.open(packaged_group_photo()) as picture:
        width, height = picture.size
    faces = [
        (left * width, top * height, wide * width, high * height)
        for left, top, wide, high in page.locator(".shot .box").evaluate_all(BOXES)
    ]
    drawn = base64.b64encode(drawn_room((width, height), faces)).decode()
    photo.evaluate(
        "(image, url) => { image.src = url; return image.decode(); }",
        f"data:image/jpeg;base64,{drawn}",
    )


def live(page: Page) -> None:
    """Let the camera see the new student until she is marked."""
    way(page, "Mathematics", "Live")
    expect(page.locator("#h-register")).to_contain_text("7 / 7", timeout=COACH)
    expect(page.locator("#boxes .box--known")).to_be_visible()
    save(page, "live")


def save(page: Page, name: str) -> None:
    """Write what is on the screen as a PNG that is small enough for git."""
    page.wait_for_load_state("networkidle")
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    for colours in COLOURS:
        stream = BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(
            stream, "PNG", optimize=True
        )
        if stream.tell() < HEAVIEST:
            break
    else:
        sys.exit(f"{name}.png is too heavy: {stream.tell()} bytes")
    (FOLDER / f"{name}.png").write_bytes(stream.getvalue())


if __name__ == "__main__":
    main()
