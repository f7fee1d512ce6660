"""From a face in front of the camera to the name on the screen, with two frames.

    python -m benchmarks.live

A real browser films an empty room into which somebody steps, twenty times; gunicorn
serves a class of 30 as it is installed. What counts is the time from the first video
frame with the face until the name stands in the list. Needs Chromium; two minutes.
"""

import os
import shutil
import sqlite3
import statistics
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final

import cv2
import django
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.school import PERSON
from benchmarks.serving import Site, site
from e2e.camera_film import write_film
from faces.engine import packs
from faces.engine.pipeline import FaceEngine
from faces.engine.samples import close_ups
from faces.engine.types import Image

TRIALS: Final = 20
RATE: Final = 10  # frames a second of the film
EMPTY: Final = 40  # frames before the face comes: the page is at work by then
STAYS: Final = 100  # frames
LONGEST: Final = 30_000  # milliseconds
TEACHER: Final = "teacher1@school.example"  # the only user of that school

# Note when the picture's middle stops being grey, and when a name is listed.
WATCH = """
window.seen = null;
window.named = null;
addEventListener("DOMContentLoaded", () => {
  const video = document.getElementById("video");
  const list = document.getElementById("arrivals");
  if (!video) return;
  const canvas = new OffscreenCanvas(32, 32);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const look = (now) => {
    pen.drawImage(video, 0, 0, 32, 32);
    const { data } = pen.getImageData(0, 0, 32, 32);
    let [low, high] = [255, 0];
    for (let i = 0; i < data.length; i += 4) {
      low = Math.min(low, data[i]);
      high = Math.max(high, data[i]);
    }
    if (window.seen === null && high - low > 60) window.seen = performance.now();
    if (window.seen === null) video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  new MutationObserver(() => { window.named ??= performance.now(); })
    .observe(list, { childList: true });
});
"""


def film(path: Path, photo: bytes, *, empty: int) -> None:
    """Write an empty room, then the person in it."""
    face = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    assert face is not None
    room: Image = np.full((480, 640, 3), 128, np.uint8)
    taken = room.copy()
    taken[:, 80:560] = face
    write_film(path, *[room] * empty, *[taken] * STAYS, rate=RATE)


def sign_in(page: Page) -> None:
    # Read for the password alone; the school is the server's own.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_site.settings")
    django.setup()
    from accounts.tests.factories import PASSWORD

    page.goto("/accounts/login/")
    page.fill("[name=username]", TEACHER)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/app/")


def trial(browser: Browser, school: Site, state: Path) -> float:
    """Return the seconds from the first frame with the face to the name."""
    context = browser.new_context(
        base_url=f"http://{school.address}",
        permissions=["camera"],
        storage_state=state,
    )
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(f"/app/classes/{school.class_id}/take/")
    page.locator("#arrivals li").first.wait_for(timeout=LONGEST)
    assert page.locator("#arrivals [data-name]").inner_text() == PERSON
    seen, named = page.evaluate("[window.seen, window.named]")
    context.close()
    return float(named - seen) / 1000


def forget_marks(folder: Path) -> None:
    database = sqlite3.connect(folder / "db.sqlite3", timeout=20)
    with closing(database), database:
        database.execute("DELETE FROM attendance_record")


def measure(folder: Path) -> list[float]:
    engine = FaceEngine(packs.load_pack(packs.EMBEDDED, device="cpu", threads=2))
    photo = close_ups(engine)[3]
    path, state = folder / "film.y4m", folder / "state.json"
    film(path, photo, empty=EMPTY)
    flags = [
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={path}",
    ]
    times = []
    with site(folder, photo, {}) as school, sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        context = browser.new_context(base_url=f"http://{school.address}")
        sign_in(context.new_page())
        context.storage_state(path=state)
        for number in range(TRIALS + 1):
            # Another moment of the page's rhythm each time.
            film(path, photo, empty=EMPTY + number % 7)
            times.append(trial(browser, school, state))
            forget_marks(folder)
        browser.close()
    return times[1:]  # the first one warms the browser up


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        times = sorted(measure(Path(folder)))
    print(f"{len(times)} times somebody stepped in front of the camera:")
    print(f"median {statistics.median(times):.2f} s to the name on the screen,")
    print(f"fastest {times[0]:.2f} s, slowest {times[-1]:.2f} s")


if __name__ == "__main__":
    main()
