"""Live attendance in a real browser whose camera films a real photo."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from attendance.models import Record, Source, Status
from classroom.models import Classroom, Student
from e2e.camera_film import looks
from e2e.conftest import SIX, Barriers, Film, Open, SignIn, Watched
from faces.engine.types import Image
from faces.tests.real_engine import group_photo

# A camera that opens when the test says so, and tells when it was asked and turned off.
SLOW_CAMERA = """
const media = navigator.mediaDevices;
const open = media.getUserMedia.bind(media);
const count = (name) => {
  const { dataset } = document.documentElement;
  dataset[name] = Number(dataset[name] ?? 0) + 1;
};
media.getUserMedia = async (wanted) => {
  count("asked");
  await new Promise((resolve) => { window.give = resolve; });
  const stream = await open(wanted);
  for (const track of stream.getTracks()) {
    const stop = track.stop.bind(track);
    track.stop = () => { stop(); count("stopped"); };
  }
  return stream;
};
"""
LONG = 30_000  # milliseconds, for the first frames of a cold engine on a slow machine


def even(image: Image) -> Image:
    """Cut to even sides, which the camera's format needs."""
    height, width = image.shape[:2]
    return image[: height // 2 * 2, : width // 2 * 2]


def take(page: Page, sign_in: SignIn, user: User, classroom: Classroom) -> Page:
    sign_in(page, user)
    page.goto(f"/app/classes/{classroom.pk}/take/")
    return page


def test_whoever_is_in_front_of_the_camera_is_marked(
    film: Film,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    alice: User,
    maths: Classroom,
    six: list[Student],
) -> None:
    page = take(film(even(group_photo())), sign_in, alice, maths)
    arrivals = page.get_by_role("list", name="Recognised now")
    expect(arrivals.get_by_role("listitem")).to_have_count(6, timeout=LONG)
    names = {name.strip() for name in arrivals.locator("[data-name]").all_inner_texts()}
    assert names == set(SIX)
    expect(page.locator("#h-register")).to_have_text("6 / 6 present")
    records = Record.objects.all()
    assert {record.student for record in records} == set(six)
    assert {record.source for record in records} == {Source.FACE}
    assert {record.status for record in records} == {Status.PRESENT}
    assert barriers(page) == []
    assert watched.faults == []


def test_each_name_stands_at_its_face_in_the_mirror(
    film: Film, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    page = take(film(even(group_photo())), sign_in, alice, maths)
    boxes = page.locator("#boxes .box--known")
    expect(boxes).to_have_count(6, timeout=LONG)
    found = boxes.evaluate_all(
        "all => all.map(one => [one.offsetLeft, one.textContent])"
    )
    # A mirror turns left and right about.
    assert [name for _left, name in sorted(found)] == list(reversed(SIX))
    page.get_by_role("button", name="Mirror").click()
    expect(boxes).to_have_count(6, timeout=LONG)
    found = boxes.evaluate_all(
        "all => all.map(one => [one.offsetLeft, one.textContent])"
    )
    assert [name for _left, name in sorted(found)] == list(SIX)


def test_a_stranger_gets_a_grey_box_and_no_mark(
    film: Film, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    ahead, _left, _right = looks()
    page = take(film(ahead), sign_in, alice, maths)
    expect(page.locator("#boxes .box--unknown")).to_have_text("Not known", timeout=LONG)
    expect(page.locator("#arrivals li")).to_have_count(0)
    assert not Record.objects.exists()


def test_the_first_frame_marks_nobody(
    film: Film, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    page = film(even(group_photo()))
    sign_in(page, alice)
    with page.expect_response(re.compile("/look/$"), timeout=LONG) as first:
        page.goto(f"/app/classes/{maths.pk}/take/")
    faces = first.value.json()["faces"]
    assert len(faces) == 6
    assert [face for face in faces if "record" in face] == []


def test_a_way_chosen_while_the_camera_opens_leaves_one_camera_or_none(
    film: Film, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    page = film(even(group_photo()))
    page.add_init_script(SLOW_CAMERA)
    take(page, sign_in, alice, maths)
    html = page.locator("html")
    expect(html).to_have_attribute("data-asked", "1")
    page.get_by_role("link", name="Group").click()
    page.evaluate("window.give()")
    expect(html).to_have_attribute("data-stopped", "1")
    page.get_by_role("link", name="Live").click()
    expect(html).to_have_attribute("data-asked", "2")
    page.get_by_role("link", name="Live").click()
    page.evaluate("window.give()")
    expect(page.locator("#arrivals li")).to_have_count(6, timeout=LONG)
    expect(page.locator(FAULT)).to_be_hidden()
    expect(html).to_have_attribute("data-asked", "2")


def test_pausing_sends_nothing_until_it_goes_on(
    film: Film, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    page = take(film(even(group_photo())), sign_in, alice, maths)
    expect(page.locator("#arrivals li")).to_have_count(6, timeout=LONG)
    pause = page.get_by_role("button", name="Pause")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#stage-state")).to_have_text("Paused")
    pause.click()
    with page.expect_response(re.compile("/look/$"), timeout=LONG):
        pass


def test_a_lost_line_keeps_what_is_there_and_comes_back_by_itself(
    film: Film, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    page = take(film(even(group_photo())), sign_in, alice, maths)
    expect(page.locator("#arrivals li")).to_have_count(6, timeout=LONG)
    page.context.set_offline(True)
    expect(page.locator("#stage-state")).to_contain_text("No connection", timeout=LONG)
    expect(page.locator("#arrivals li")).to_have_count(6)
    page.context.set_offline(False)
    expect(page.locator("#boxes .box--known")).to_have_count(6, timeout=LONG)


def test_a_busy_server_is_given_the_time_it_asks_for(
    film: Film, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    page = film(even(group_photo()))
    refusals = iter([{"Retry-After": "1"}])

    def refuse_once(route: Route) -> None:
        headers = next(refusals, None)
        if headers is None:
            route.continue_()
        else:
            body = {"code": "engine_busy", "detail": "busy"}
            route.fulfill(status=503, headers=headers, json=body)

    page.route("**/look/", refuse_once)
    take(page, sign_in, alice, maths)
    expect(page.locator("#stage-state")).to_contain_text("busy", timeout=LONG)
    expect(page.locator("#arrivals li")).to_have_count(6, timeout=LONG)


def test_a_closed_session_stops_the_camera_in_words(
    film: Film, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    page = take(film(even(group_photo())), sign_in, alice, maths)
    expect(page.locator("#arrivals li")).to_have_count(6, timeout=LONG)
    page.get_by_role("button", name="Close session").click()
    expect(page.get_by_text("The session is closed.")).to_be_visible()
    page.goto(f"/app/classes/{maths.pk}/take/")
    expect(page.locator("#stage-state")).to_contain_text("is closed", timeout=LONG)


# --- A camera that can't be used

FAULT = "#stage-fault"


def test_a_blocked_camera_says_how_to_allow_it(
    film: Film,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    alice: User,
    maths: Classroom,
    students: list[Student],
) -> None:
    page = take(film(even(group_photo()), permissions=[]), sign_in, alice, maths)
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator(FAULT)).to_contain_text("The camera is blocked")
    assert barriers(page) == []
    page.locator(FAULT).get_by_role("link", name="Choose photos instead").click()
    expect(page.get_by_label("Photos of the room")).to_be_visible()
    assert watched.faults == []


def test_a_computer_without_a_camera_offers_photos(
    open_page: Open,
    sign_in: SignIn,
    alice: User,
    maths: Classroom,
    students: list[Student],
) -> None:
    page = take(open_page(permissions=["camera"]), sign_in, alice, maths)
    expect(page.locator(FAULT)).to_contain_text("No camera was found")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "navigator.mediaDevices.getUserMedia = () => "
            "Promise.reject(new DOMException('', 'NotReadableError'))",
            "Another program is using the camera",
        ),
        (
            "Object.defineProperty(window, 'isSecureContext', {value: false})",
            "The camera needs a secure address",
        ),
    ],
    ids=["busy", "insecure"],
)
def test_other_faults_of_a_camera_say_what_to_do(
    open_page: Open,
    sign_in: SignIn,
    alice: User,
    maths: Classroom,
    students: list[Student],
    script: str,
    words: str,
) -> None:
    page = open_page()
    page.add_init_script(script)
    take(page, sign_in, alice, maths)
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator(FAULT)).to_contain_text(words)
