"""Enrol a face in a real browser: with the coach, by upload, and when things fail."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from classroom.models import Classroom, Student
from e2e.camera_film import looks
from e2e.conftest import Barriers, Film, Open, SignIn, Watched
from faces import runtime
from faces.models import FaceTemplate
from faces.tests.photos import group_photo, six_close_ups

COACH = 90_000  # milliseconds for three looks on a slow machine
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module", autouse=True)
def warm_engine() -> None:
    """Load the models before a page waits for them."""
    runtime.get_engine()


def url_of(student: Student) -> str:
    return f"/app/students/{student.pk}/face/"


def files(*photos: bytes) -> list[Any]:
    return [
        {"name": f"{number}.jpg", "mimeType": "image/jpeg", "buffer": content}
        for number, content in enumerate(photos)
    ]


def taken(page: Page) -> Any:
    return page.locator("[data-shots] [data-taken]")


def test_the_coach_takes_three_looks_by_itself_and_enrols_them(
    film: Film,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    alice: User,
    students: list[Student],
) -> None:
    page = film(*looks(), repeat=3)
    sign_in(page, alice)
    page.goto(url_of(students[0]))
    expect(taken(page)).to_have_count(3, timeout=COACH)
    expect(page.get_by_role("status")).to_contain_text("That’s all")
    # Shown from the browser's own memory.
    expect(taken(page).locator('img[src^="blob:"]')).to_have_count(3)
    save = page.get_by_role("button", name="Save")
    expect(save).to_be_focused()
    assert barriers(page) == []
    save.click()
    page.wait_for_url(f"**/app/students/{students[0].pk}/")
    expect(page.get_by_text("is enrolled from 3 photos")).to_be_visible()
    kept = FaceTemplate.objects.filter(student=students[0], created_by=alice)
    ahead, left, right = [template.quality["yaw"] for template in kept]
    assert right < ahead - 10 < ahead + 10 < left
    assert watched.faults == []


def test_the_coach_asks_for_the_next_look_and_can_skip_it(
    film: Film, sign_in: SignIn, watched: Watched, alice: User, students: list[Student]
) -> None:
    page = film(looks()[0], viewport=PHONE)
    sign_in(page, alice)
    page.goto(url_of(students[0]))
    expect(taken(page)).to_have_count(1, timeout=COACH)
    hint = page.get_by_role("status")
    expect(hint).to_contain_text("to your left")
    page.get_by_role("button", name="Skip this look").click()
    expect(hint).to_contain_text("to your right")
    page.get_by_role("button", name="Take a photo now").click()
    expect(taken(page)).to_have_count(2, timeout=COACH)
    page.get_by_role("button", name="Remove this photo: Front").click()
    expect(hint).not_to_contain_text("That’s all")
    expect(taken(page)).to_have_count(2, timeout=COACH)  # it takes another front
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/app/students/{students[0].pk}/")
    assert FaceTemplate.objects.filter(student=students[0]).count() == 2
    assert watched.faults == []


def test_nobody_in_front_of_the_camera_is_told_so(
    film: Film, sign_in: SignIn, alice: User, students: list[Student]
) -> None:
    wall = looks()[0][:, :200]
    page = film(wall[:, :, :].repeat(2, axis=1)[:, :320].copy())
    sign_in(page, alice)
    page.goto(url_of(students[0]))
    expect(page.get_by_role("status")).to_contain_text("No face found", timeout=COACH)
    expect(taken(page)).to_have_count(0)


def test_a_look_alike_asks_for_a_reason_and_keeps_the_photos(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    alice: User,
    students: list[Student],
) -> None:
    page = open_page()
    sign_in(page, alice)
    for student in students[:2]:
        page.goto(url_of(student))
        page.get_by_text("Choose photos from this device").click()
        page.get_by_label("Photos of the face").set_input_files(
            files(six_close_ups()[0])
        )
        page.get_by_role("button", name="Save").click()
        if student == students[0]:
            page.wait_for_url(f"**/app/students/{student.pk}/")
    refusal = page.get_by_role("alert").filter(has_text=students[0].full_name)
    expect(refusal).to_be_visible()
    # The browser logs every answer that is a refusal; here one is meant.
    watched.faults = [one for one in watched.faults if "status of 422" not in one]
    page.get_by_text("Yes, these are two people").click()
    page.get_by_label("How do you know?").fill("Twins")
    assert barriers(page) == []
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/app/students/{students[1].pk}/")
    kept = FaceTemplate.objects.get(student=students[1])
    assert kept.duplicate_reason == "Twins"
    assert watched.faults == []


def test_a_photo_of_a_group_is_refused_with_what_to_do(
    open_page: Open, sign_in: SignIn, alice: User, students: list[Student]
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto(url_of(students[0]))
    page.get_by_text("Choose photos from this device").click()
    page.get_by_label("Photos of the face").set_input_files(files(group_photo()))
    page.get_by_role("button", name="Save").click()
    said = page.get_by_text("There are 6 faces. Only one person may be on the photo.")
    expect(said).to_be_visible()
    assert not FaceTemplate.objects.exists()


def test_a_lost_connection_keeps_what_was_taken(
    film: Film, sign_in: SignIn, alice: User, students: list[Student]
) -> None:
    page = film(looks()[0])
    sign_in(page, alice)
    page.goto(url_of(students[0]))
    expect(taken(page)).to_have_count(1, timeout=COACH)
    page.context.set_offline(True)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-refusal]")).to_contain_text("No connection")
    expect(taken(page)).to_have_count(1)
    page.context.set_offline(False)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/app/students/{students[0].pk}/")
    assert FaceTemplate.objects.count() == 1


def test_a_busy_server_is_waited_for(
    film: Film, sign_in: SignIn, alice: User, students: list[Student]
) -> None:
    page = film(looks()[0])
    sign_in(page, alice)
    answers = iter([429, 503])

    def busy(route: Route) -> None:
        status = next(answers, None)
        if status is None:
            route.fallback()
        else:
            route.fulfill(status=status, headers={"Retry-After": "1"}, json={})

    page.route("**/face/check/", busy)
    page.goto(url_of(students[0]))
    hint = page.get_by_role("status")
    expect(hint).to_contain_text("The server is busy", timeout=COACH)
    expect(taken(page)).to_have_count(1, timeout=COACH)


def test_a_blocked_camera_says_how_to_allow_it(
    film: Film,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    alice: User,
    students: list[Student],
) -> None:
    page = film(looks()[0], permissions=[])
    sign_in(page, alice)
    page.goto(url_of(students[0]))
    page.get_by_role("button", name="Start the camera").click()
    fault = page.get_by_role("alert")
    expect(fault).to_contain_text("The camera is blocked")
    expect(page.get_by_label("Photos of the face")).to_be_visible()
    assert barriers(page) == []
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Try again").click()
    expect(taken(page)).to_have_count(1, timeout=COACH)
    assert watched.faults == []


def test_no_camera_leads_to_the_upload(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    alice: User,
    maths: Classroom,
    students: list[Student],
) -> None:
    page = open_page(permissions=["camera"])
    sign_in(page, alice)
    page.goto(f"{url_of(students[0])}?class={maths.pk}")
    fault = page.get_by_role("alert")
    expect(fault).to_contain_text("No camera was found")
    page.get_by_label("Photos of the face").set_input_files(files(*six_close_ups()[:1]))
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/app/classes/{maths.pk}/?show=no-face")
    expect(page.get_by_role("row", name="Cleo Castro")).to_have_count(0)
    assert FaceTemplate.objects.get().student == students[0]
    assert watched.faults == []


def test_without_javascript_photos_are_uploaded_by_the_form(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    alice: User,
    students: list[Student],
) -> None:
    page = open_page(java_script_enabled=False)
    sign_in(page, alice)
    page.goto(url_of(students[0]))
    expect(page.get_by_role("button", name="Start the camera")).to_have_count(0)
    field = page.get_by_label("Photos of the face")
    field.set_input_files(files(group_photo()))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("There are 6 faces")
    page.get_by_label("Photos of the face").set_input_files(
        files(six_close_ups()[0], six_close_ups()[0])
    )
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("is enrolled from 2 photos")).to_be_visible()
    assert FaceTemplate.objects.filter(student=students[0]).count() == 2


def test_a_face_is_removed_after_a_question(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    alice: User,
    students: list[Student],
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto(url_of(students[0]))
    page.get_by_text("Choose photos from this device").click()
    page.get_by_label("Photos of the face").set_input_files(files(six_close_ups()[0]))
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Remove the face").click()
    expect(page.get_by_role("heading", name="Remove the face?")).to_be_visible()
    assert barriers(page) == []
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Not enrolled")).to_be_visible()
    assert not FaceTemplate.objects.exists()
    assert watched.faults == []
