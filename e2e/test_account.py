"""An account in a real browser: password, language, reset by e-mail, signing out."""

import re

from django.core import mail
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.tests.factories import PASSWORD
from e2e.conftest import Barriers, Open, SignIn, Watched

NEW_PASSWORD = "another-orchard-48"


def link_of_mail(page: Page) -> str:
    """Return the path of the link in the one mail, which leaves after the answer."""
    for _ in range(100):
        if mail.outbox:
            break
        page.reload()
    (message,) = mail.outbox
    link = re.search(r"https?://[^/\s]+(/\S+)", str(message.body))
    assert link is not None, message.body
    return link.group(1)


def test_the_account_is_one_click_from_every_page(
    open_page: Open, sign_in: SignIn, alice: User
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.get_by_role("link", name="Alice Archer").click()
    expect(page.get_by_role("heading", name="Alice Archer")).to_be_visible()
    expect(page.get_by_text(alice.email)).to_be_visible()


def test_a_password_is_changed(
    open_page: Open, sign_in: SignIn, watched: Watched, alice: User
) -> None:
    page = open_page()
    sign_in(page, alice)
    page.goto("/app/account/")
    page.get_by_role("link", name="Change password").click()
    page.get_by_label("Old password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password confirmation").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Save the new password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
    assert watched.faults == []


def test_a_forgotten_password_is_reset_by_e_mail(
    open_page: Open, watched: Watched, barriers: Barriers, alice: User
) -> None:
    page = open_page()
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Forgotten password?").click()
    found = barriers(page)
    page.get_by_label("E-mail").fill(alice.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    found += barriers(page)
    link = link_of_mail(page)
    page.goto(link)
    found += barriers(page)
    page.get_by_role("textbox", name="New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password confirmation").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Save the new password").click()
    expect(page.get_by_text("Your new password is set.")).to_be_visible()
    page.get_by_label("E-mail").fill(alice.email)
    page.get_by_label("Password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    page.goto(link)
    expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()
    found += barriers(page)
    assert found == []
    assert watched.faults == []


def test_signing_out_everywhere_ends_the_other_browsers_too(
    open_page: Open, sign_in: SignIn, alice: User
) -> None:
    here, elsewhere = open_page(), open_page()
    sign_in(here, alice)
    sign_in(elsewhere, alice)
    here.goto("/app/account/")
    here.get_by_role("button", name="Sign out everywhere").click()
    expect(here.get_by_text("You are signed out on every device.")).to_be_visible()
    elsewhere.reload()
    expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()
