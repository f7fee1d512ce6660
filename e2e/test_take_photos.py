"""Attendance by photos in a real browser: boxes, questions, and without JavaScript."""

import io
from typing import Any

import pillow_heif
from PIL import Image
from playwright.sync_api import Page, expect

from accounts.models import User
from attendance.models import Record, Source, Status
from classroom.models import Classroom, Student
from classroom.tests.factories import make_student
from e2e.conftest import SIX, Barriers, Film, Open, SignIn, Watched
from e2e.test_take_live import even
from faces import runtime, vault
from faces.gallery import open_template
from faces.models import FaceTemplate
from faces.tests import real_engine
from faces.tests.photos import (
    astronaut,
    group_photo,
    group_with_astronaut,
    six_close_ups,
)

LONG = 30_000  # milliseconds, for a cold engine on a slow machine
NEAR = 0.1  # of a face's side


def photo(content: bytes, name: str = "room.jpg") -> Any:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def open_way(
    page: Page, sign_in: SignIn, user: User, room: Classroom, way: str
) -> Page:
    sign_in(page, user)
    page.goto(f"/app/classes/{room.pk}/take/?way={way}")
    return page


def send(page: Page, label: str, *photos: Any) -> None:
    page.get_by_label(label).set_input_files(list(photos))
    page.get_by_role("button", name="Recognise").click()
    expect(page.locator("#result-head")).to_be_visible(timeout=LONG)


def shares(page: Page) -> dict[str, list[float]]:
    """Return each named box as shares of the picture: left, top, width, height."""
    found: dict[str, list[float]] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".shot .box")].map(
          (box) => {
            const image = box.closest(".stage").querySelector("img");
            const [a, b] = [box, image].map((one) => one.getBoundingClientRect());
            return [box.textContent, [(a.left - b.left) / b.width,
              (a.top - b.top) / b.height, a.width / b.width, a.height / b.height]];
          }))"""
    )
    return found


def test_a_photo_of_the_room_shows_each_name_at_its_face(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    alice: User,
    maths: Classroom,
    six: list[Student],
) -> None:
    page = open_way(open_page(), sign_in, alice, maths, "group")
    send(page, "Photos of the room", photo(group_photo()))
    expect(page.locator("#result-head")).to_have_text("Recognised: 6")
    image = real_engine.group_photo()
    height, width = image.shape[:2]
    faces = runtime.get_engine().analyse(image, detection_size=1920, embed=False)
    boxes = shares(page)
    assert set(boxes) == set(SIX)
    in_order = sorted(faces, key=lambda face: face.box[0])
    for name, face in zip(SIX, in_order, strict=True):
        x, y, w, h = face.box
        left, top, wide, high = boxes[name]
        assert abs(left * width - x) < NEAR * w, name
        assert abs(top * height - y) < NEAR * h, name
        assert abs(wide * width - w) < NEAR * w, name
        assert abs(high * height - h) < NEAR * h, name
    expect(page.locator("#h-register")).to_have_text("6 / 6 present")
    assert Record.objects.filter(source=Source.FACE).count() == 6
    assert barriers(page) == []
    assert watched.faults == []


def test_several_photos_merge_into_one_answer(
    open_page: Open, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    page = open_way(open_page(), sign_in, alice, maths, "group")
    first, second = six_close_ups()[:2]
    send(page, "Photos of the room", photo(first), photo(second))
    expect(page.locator("#result-head")).to_have_text("Recognised: 2")
    expect(page.locator(".shot")).to_have_count(2)
    expect(page.locator("#h-register")).to_have_text("2 / 6 present")


def test_an_unknown_face_is_given_a_name_by_hand(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    alice: User,
    maths: Classroom,
    six: list[Student],
) -> None:
    nora = make_student("Nora New", maths)
    page = open_way(open_page(), sign_in, alice, maths, "group")
    send(page, "Photos of the room", photo(group_with_astronaut()))
    question = page.locator(".doubt")
    expect(question).to_have_count(1)
    expect(page.locator(".box--unknown")).to_have_count(1)
    assert barriers(page) == []
    # The register beside it is filled in meanwhile; the question outlives that.
    expect(page.locator("#h-register")).to_have_text("6 / 7 present")
    question.get_by_label("Somebody else").select_option("Nora New")
    question.get_by_role("button", name="Present").click()
    expect(question).to_have_count(0)
    expect(page.locator("#h-register")).to_have_text("7 / 7 present")
    assert Record.objects.get(student=nora).source == Source.MANUAL
    assert watched.faults == []


def test_a_question_is_answered_by_one_key(
    open_page: Open, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    twin = make_student("Ada's Twin", maths)
    template = FaceTemplate.objects.get(student=six[0])
    # The same embedding, sealed for the other one.
    vector = open_template(template)
    assert vector is not None
    template.pk = None
    template.key_id, template.sealed_embedding = vault.seal(
        vector, student_id=twin.pk, model_id=template.model_id
    )
    template.student = twin
    template.save()
    page = open_way(open_page(), sign_in, alice, maths, "group")
    send(page, "Photos of the room", photo(group_photo()))
    question = page.locator(".doubt")
    expect(page.locator(".box--doubt")).to_contain_text("Ada")
    names = question.locator("[data-answers] button").all_inner_texts()
    assert set(names) == {"Ada Abel", "Ada's Twin"}
    question.focus()
    page.keyboard.press(str(names.index("Ada's Twin") + 1))
    expect(question).to_have_count(0)
    expect(page.locator("#h-register")).to_have_text("6 / 7 present")
    assert Record.objects.get(source=Source.MANUAL).student == twin


def test_a_photo_that_the_browser_cannot_draw_still_marks(
    open_page: Open, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    stream = io.BytesIO()
    picture = Image.open(io.BytesIO(group_photo()))
    pillow_heif.from_pillow(picture).save(stream, quality=90)
    page = open_way(open_page(), sign_in, alice, maths, "group")
    heic = {"name": "room.heic", "mimeType": "image/heic", "buffer": stream.getvalue()}
    send(page, "Photos of the room", heic)
    expect(page.get_by_text("This browser can't show this photo")).to_be_visible()
    expect(page.locator("#h-register")).to_have_text("6 / 6 present")


def test_a_photo_without_a_face_says_so(
    open_page: Open, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (640, 480), "gray").save(stream, "JPEG")
    page = open_way(open_page(), sign_in, alice, maths, "group")
    send(page, "Photos of the room", photo(stream.getvalue()))
    expect(page.get_by_text("No face was found on the photos.")).to_be_visible()


def test_a_broken_photo_is_refused_with_its_reason(
    open_page: Open, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    page = open_way(open_page(), sign_in, alice, maths, "group")
    field = page.get_by_label("Photos of the room")
    field.set_input_files([photo(b"no photo at all")])
    page.get_by_role("button", name="Recognise").click()
    expect(page.get_by_role("alert").filter(has_text="photo")).to_be_visible()
    assert not Record.objects.exists()


def test_one_person_is_photographed_by_the_camera(
    film: Film,
    sign_in: SignIn,
    watched: Watched,
    alice: User,
    maths: Classroom,
    six: list[Student],
) -> None:
    close_up = even(real_engine.read(six_close_ups()[3]))
    page = open_way(film(close_up), sign_in, alice, maths, "photo")
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the photo").click()
    expect(page.locator(".shot .box--known")).to_have_text(SIX[3], timeout=LONG)
    expect(page.locator("#h-register")).to_have_text("1 / 6 present")
    assert Record.objects.get().student == six[3]
    assert watched.faults == []


def test_photos_of_the_room_are_collected_from_the_camera(
    film: Film, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    page = open_way(
        film(even(real_engine.group_photo())), sign_in, alice, maths, "group"
    )
    page.get_by_role("button", name="Use the camera").click()
    for taken in (1, 2):
        page.get_by_role("button", name="Take the photo").click()
        expect(page.locator("[data-strip]:visible li")).to_have_count(taken)
    page.get_by_role("button", name="Remove").first.click()
    page.get_by_role("button", name="Recognise").click()
    expect(page.locator(".shot .box--known")).to_have_count(6, timeout=LONG)


def test_a_stranger_to_the_class_is_not_recognised(
    open_page: Open, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    page = open_way(open_page(), sign_in, alice, maths, "photo")
    send(page, "Photo of one person", photo(astronaut()))
    expect(page.locator("#result-head")).to_have_text("Nobody recognised")
    expect(page.locator("#result")).to_contain_text("not enrolled in this class")
    assert not Record.objects.exists()


# --- Without JavaScript


def test_it_all_works_without_javascript(
    open_page: Open, sign_in: SignIn, alice: User, maths: Classroom, six: list[Student]
) -> None:
    nora = make_student("Nora New", maths)
    page = open_way(open_page(java_script_enabled=False), sign_in, alice, maths, "live")
    expect(page.get_by_text("The live camera needs JavaScript")).to_be_visible()
    page.get_by_role("link", name="Group").click()
    page.get_by_label("Photos of the room").set_input_files([photo(group_photo())])
    page.get_by_role("button", name="Recognise").click()
    expect(page.get_by_text("6 students recognised")).to_be_visible(timeout=LONG)
    page.get_by_role("group", name="Nora New").get_by_role(
        "button", name="Late"
    ).click()
    expect(page.get_by_text("Nora New: Late")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone.")).to_be_visible()
    page.get_by_role("group", name="Nora New").get_by_role(
        "button", name="Late"
    ).click()
    page.get_by_role("button", name="Close session").click()
    expect(page.get_by_text("The session is closed.")).to_be_visible()
    assert Record.objects.get(student=nora).status == Status.LATE
    assert Record.objects.count() == 7
