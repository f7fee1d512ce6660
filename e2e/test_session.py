"""A session's register, Today, and what holds on every page of the register."""

from datetime import date

import pytest
from playwright.sync_api import expect

from accounts.models import User
from attendance.models import Record, Session, Status
from attendance.services import mark_by_face
from attendance.tests.factories import make_session
from classroom.models import Classroom, Student
from classroom.tests.factories import days
from e2e.conftest import Barriers, Open, SignIn, Watched

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def session(maths: Classroom, students: list[Student], alice: User) -> Session:
    session = make_session(maths)
    mark_by_face(maths, {students[0].pk: 0.45, students[1].pk: 0.8}, by=alice)
    return session


def addresses(session: Session) -> list[str]:
    room = session.classroom_id
    return [
        "/app/",
        f"/app/classes/{room}/take/",
        f"/app/classes/{room}/take/?way=photo",
        f"/app/classes/{room}/take/?way=group",
        f"/app/classes/{room}/sessions/",
        f"/app/sessions/{session.pk}/",
        f"/app/sessions/{session.pk}/?line={session.records.all()[0].student_id}",
    ]


def test_a_status_is_corrected_with_a_reason_and_the_history_shows_it(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    barriers: Barriers,
    alice: User,
    session: Session,
    students: list[Student],
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/sessions/{session.pk}/")
    page.get_by_role("link", name="History Cleo Castro").click()
    drawer = page.get_by_role("complementary", name="Cleo Castro")
    expect(drawer.get_by_role("heading", name="Cleo Castro")).to_be_focused()
    assert barriers(page) == []
    drawer.get_by_label("Excused").check()
    drawer.get_by_label("Reason").fill("dentist")
    drawer.get_by_role("button", name="Save").click()
    expect(drawer.get_by_role("listitem")).to_have_count(2)
    newest = drawer.get_by_role("listitem").first
    expect(newest).to_contain_text("Present")
    expect(newest).to_contain_text("Excused")
    expect(newest).to_contain_text("dentist")
    expect(newest).to_contain_text("Alice Archer")
    drawer.get_by_role("link", name="Close").click()
    expect(drawer).to_be_hidden()
    expect(page.get_by_role("link", name="History Cleo Castro")).to_be_focused()
    record = Record.objects.get(student=students[0])
    assert (record.status, record.note) == (Status.EXCUSED, "dentist")
    assert watched.faults == []


def test_one_tap_corrects_and_undo_takes_it_back(
    open_page: Open, sign_in: SignIn, alice: User, session: Session
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/sessions/{session.pk}/")
    late = page.get_by_role("group", name="Dan Dietz").get_by_role(
        "button", name="Late"
    )
    late.click()
    expect(late).to_have_attribute("aria-pressed", "true")
    expect(late).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(late).not_to_have_attribute("aria-pressed", "true")


def test_a_false_match_is_taken_back_and_its_history_stays(
    open_page: Open,
    sign_in: SignIn,
    alice: User,
    session: Session,
    students: list[Student],
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/sessions/{session.pk}/?line={students[0].pk}")
    drawer = page.get_by_role("complementary", name="Cleo Castro")
    drawer.get_by_role("button", name="Not this person").click()
    expect(drawer).to_contain_text("taken back")
    assert not Record.objects.filter(student=students[0]).exists()


def test_closing_and_opening_again(
    open_page: Open, sign_in: SignIn, alice: User, session: Session
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/sessions/{session.pk}/")
    page.get_by_role("button", name="Close session").click()
    expect(page.get_by_text("The session is closed.")).to_be_visible()
    row = page.get_by_role("group", name="Eva Evans")
    absent = row.get_by_role("button", name="Absent")
    expect(absent).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Open it again").click()
    expect(page.get_by_role("button", name="Close session")).to_be_visible()


def test_paper_shows_words_and_no_buttons(
    open_page: Open, sign_in: SignIn, alice: User, session: Session
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/sessions/{session.pk}/")
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("button")).to_have_count(0)
    row = page.get_by_role("row", name="Cleo Castro")
    expect(row).to_contain_text("Present")
    expect(page.get_by_text("Teacher's signature")).to_be_visible()


def test_a_past_session_is_entered_from_a_printed_sheet(
    open_page: Open,
    sign_in: SignIn,
    watched: Watched,
    alice: User,
    maths: Classroom,
    students: list[Student],
) -> None:
    day: date = days(-9)
    page = open_page()
    sign_in(page, alice)
    page.goto(f"/app/classes/{maths.pk}/sessions/")
    page.get_by_label("Date").fill(day.isoformat())
    page.get_by_label("Start").fill("09:00")
    page.get_by_role("button", name="Open its register").click()
    page.get_by_role("group", name="Eva Evans").get_by_role(
        "button", name="Absent"
    ).click()
    expect(page.get_by_role("status")).to_contain_text("Eva Evans: Absent")
    page.get_by_role("button", name="The rest present").click()
    expect(page.locator("#h-register")).to_have_text("2 / 3 present")
    page.get_by_role("button", name="Close session").click()
    found = {record.student: record.status for record in Record.objects.all()}
    assert found[students[2]] == Status.ABSENT
    assert Session.objects.get().date == day
    assert watched.faults == []


def test_today_says_how_far_the_register_is(
    open_page: Open, sign_in: SignIn, alice: User, session: Session
) -> None:
    page = open_page()
    sign_in(page, alice)
    main = page.get_by_role("main")
    expect(main).to_contain_text("2 of 3 present")
    expect(main).to_contain_text("1 not marked yet")
    page.get_by_role("link", name="Take attendance").click()
    expect(page.locator("#h-register")).to_have_text("2 / 3 present")


def test_an_admin_searches_all_classes(
    open_page: Open,
    sign_in: SignIn,
    barriers: Barriers,
    admin: User,
    maths: Classroom,
    history: Classroom,
) -> None:
    page = open_page()
    sign_in(page, admin)
    page.get_by_label("Name or code").fill("hist")
    page.get_by_role("button", name="Show").click()
    main = page.get_by_role("main")
    expect(main).to_contain_text("History")
    expect(main).not_to_contain_text("Maths")
    assert barriers(page) == []


# --- What holds on every page


def test_a_stranger_finds_nothing(
    open_page: Open, sign_in: SignIn, stranger: User, session: Session
) -> None:
    page = open_page()
    sign_in(page, stranger)
    for address in addresses(session)[1:]:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "There is nothing here."
        )
        expect(page.get_by_role("main")).not_to_contain_text("Maths")


def test_every_target_is_as_large_as_a_thumb(
    open_page: Open, sign_in: SignIn, alice: User, session: Session
) -> None:
    page = open_page(viewport=PHONE)
    sign_in(page, alice)
    small: dict[str, list[str]] = {}
    for address in addresses(session):
        page.goto(address)
        small[address] = page.locator(
            "main :is(button, select, summary, input:not([type=hidden], [type=radio]))"
        ).evaluate_all(
            """all => all.filter((one) => one.checkVisibility()
              && one.getBoundingClientRect().height < 44)
              .map((one) => one.outerHTML.slice(0, 120))"""
        )
    assert not any(small.values()), small
