"""Take the documents' pictures from a fresh demo school; no face is on any of them.

.venv/bin/python -m docs.screenshots      (needs make install-dev and chromium)
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from attendance_site.tests.live import Installation

FOLDER = Path(__file__).resolve().parent / "images"
DESKTOP = (1280, 800)
PHONE = (390, 780)
COLOURS = 128  # enough for pages, and small in git


@contextmanager
def signed_in(
    browser: Browser, url: str, login: tuple[str, str], *, size: tuple[int, int]
) -> Iterator[Page]:
    """Open a page as somebody of the demo school."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(f"{url}/accounts/login/")
    email, password = login
    page.fill("input[name=username]", email)
    page.fill("input[name=password]", password)
    page.click("main button")
    page.wait_for_url(f"{url}/app/")
    yield page
    context.close()


def save(page: Page, name: str) -> None:
    """Write what is on the screen as a small PNG."""
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS).save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    executable = shutil.which("chromium")
    if executable is None:
        sys.exit("chromium is missing: apt-get install chromium")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        school = Installation.make(Path(folder))
        school.manage("migrate", "--noinput", "--verbosity", "0")
        printed = school.manage("demo_school")
        teacher, admin = (
            (email, password)
            for email, password in re.findall(r"(\S+@demo\.school)\s+(\S+)", printed)
        )
        with school.serving() as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable)
            with signed_in(browser, url, teacher, size=DESKTOP) as page:
                save(page, "today")
                page.get_by_role("link", name="Mathematics").first.click()
                page.wait_for_load_state("networkidle")
                save(page, "class")
            with signed_in(browser, url, teacher, size=PHONE) as page:
                page.get_by_role("link", name="Take attendance").first.click()
                page.wait_for_load_state("networkidle")
                save(page, "take-phone")
            with signed_in(browser, url, admin, size=DESKTOP) as page:
                page.goto(f"{url}/admin/")
                save(page, "admin")
            browser.close()


if __name__ == "__main__":
    main()
