"""A real browser on a real server, watched for everything that should not happen."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Page,
    Request,
    expect,
)
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.tests.factories import PASSWORD
from classroom.models import Classroom, Student
from classroom.tests.factories import make_student
from e2e.camera_film import write_film
from faces.services import register
from faces.tests.photos import six_close_ups

# Playwright's loop runs in the thread of the tests, and Django would refuse queries.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# A machine that runs other things as well needs more than Playwright's five seconds.
expect.set_options(timeout=20_000)

REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  window.reportViolation(`${event.violatedDirective} ${event.blockedURI}`));
"""

# The people of the packaged group photo, from left to right.
SIX = ("Ada Abel", "Ben Birk", "Cat Cole", "Dov Dahl", "Eli Egge", "Fay Falk")
FAKE_CAMERA = "--use-fake-device-for-media-stream"

Barriers = Callable[[Page], list[str]]
Film = Callable[..., Page]
Open = Callable[..., Page]
SignIn = Callable[[Page, User], None]


class Watched:
    """What a browser complained about, and which other hosts it called."""

    def __init__(self, server: LiveServer) -> None:
        self.host = urlsplit(server.url).netloc
        self.faults: list[str] = []

    def attach(self, context: BrowserContext) -> None:
        context.expose_binding("reportViolation", self.on_violation)
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("request", self.on_request)
        context.on("console", self.on_console)
        context.on("weberror", lambda error: self.faults.append(f"error {error.error}"))

    def on_violation(self, source: object, text: str) -> None:
        self.faults.append(f"policy {text}")

    def on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != self.host:
            self.faults.append(f"foreign host {request.url}")

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"console {message.text}")


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
) -> dict[str, Any]:
    path = shutil.which("chromium")
    if path is None:
        pytest.exit("Chromium is missing: apt-get install chromium", returncode=1)
    return {**browser_type_launch_args, "executable_path": path}


@pytest.fixture(autouse=True)
def uncollected_static_files(settings: Settings) -> None:
    """Serve today's files, whatever an earlier `collectstatic` left behind."""
    plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": plain}}


@pytest.fixture
def watched(live_server: LiveServer) -> Watched:
    return Watched(live_server)


@pytest.fixture
def open_page(
    browser: Browser, live_server: LiveServer, watched: Watched
) -> Iterator[Open]:
    """Return a function that opens an empty page in a fresh, watched browser."""
    contexts: list[BrowserContext] = []

    def open_one(**options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **options)
        watched.attach(context)
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def film(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    live_server: LiveServer,
    watched: Watched,
    tmp_path: Path,
) -> Iterator[Film]:
    """Return a function that opens a page whose camera films the given pictures."""
    browsers = []

    def open_one(*frames: Any, repeat: int = 1, **options: Any) -> Page:
        path = tmp_path / "film.y4m"
        write_film(path, *frames, repeat=repeat)
        flags = [FAKE_CAMERA, f"--use-file-for-fake-video-capture={path}"]
        browser = browser_type.launch(**browser_type_launch_args, args=flags)
        browsers.append(browser)
        granted = {"permissions": ["camera"], **options}
        context = browser.new_context(base_url=live_server.url, **granted)
        watched.attach(context)
        return context.new_page()

    yield open_one
    for browser in browsers:
        browser.close()


@pytest.fixture
def six(maths: Classroom, alice: User) -> list[Student]:
    """Return the students of maths, each enrolled from the packaged group photo."""
    students = [make_student(name, maths) for name in SIX]
    for student, photo in zip(students, six_close_ups(), strict=True):
        register(student, [photo], by=alice)
    return students


@pytest.fixture
def sign_in() -> SignIn:
    """Return a function that signs in through the page, as a person does."""

    def fill_in(page: Page, user: User) -> None:
        page.goto("/accounts/login/")
        page.get_by_label("E-mail").fill(user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/app/")
        expect(page.get_by_role("banner")).to_contain_text(user.full_name)

    return fill_in


@pytest.fixture
def barriers() -> Callable[[Page], list[str]]:
    """Return a function that lists what axe finds on a page."""

    def find(page: Page) -> list[str]:
        found = Axe().run(page).response["violations"]
        return [
            f"{fault['id']}: {node['html']}"
            for fault in found
            for node in fault["nodes"]
        ]

    return find
