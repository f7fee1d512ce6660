"""Send thousands of damaged photos to a real server and watch it."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from threading import Lock
from typing import Any

from tqdm import tqdm

from attendance_site.tests.live import Browser, Installation
from attendance_site.tests.mutants import FORMATS, Mutant, mutants, whole
from attendance_site.tests.processes import children, megabytes, our_gunicorns
from faces.tests.photos import upload

PASSWORD = "plum-orchard-47"
CLIENTS = 2
# Each admin may send 1,200 a minute, and a server answers 3,500.
ADMINS = 6
WARM_UP = 40  # good photos before memory is looked at


@dataclass
class Seen:
    """What a server answered, how long it took at most, and its memory in MB."""

    answers: Counter[str] = field(default_factory=Counter)  # "status code"
    kinds: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0  # seconds
    slowest_kind: str = ""
    memory_before: float = 0.0
    memory_after: float = 0.0
    memory_most: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def note(self, mutant: Mutant, status: int, body: Any, seconds: float) -> None:
        code = body.get("code", "") if isinstance(body, dict) else "no JSON"
        with self.lock:
            self.answers[f"{status} {code}".strip()] += 1
            self.kinds[mutant.kind] += 1
            # A photo that was throttled was not looked at.
            if status >= 500 or status == 429 or code == "no JSON":
                self.faults.append(f"{mutant.kind}: {status} {code}")
            if seconds > self.slowest:
                self.slowest, self.slowest_kind = seconds, mutant.kind


def barrage(folder: Path, *, number: int, seed: int) -> Seen:
    """Run a server with one worker and send it `number` mutants, and good photos."""
    installation = Installation.make(folder)
    installation.manage("migrate", "--noinput", "--verbosity", "0")
    for at in range(ADMINS):
        words = [f"--teacher-id=a{at}", "--full-name=Ada", f"--email=ada{at}@a.example"]
        installation.manage("create_admin", *words, ADMIN_PASSWORD=PASSWORD)
    with installation.serving() as url:
        return _under_fire(url, number=number, seed=seed)


def _under_fire(url: str, *, number: int, seed: int) -> Seen:
    browsers = [_admin(url, at) for at in range(ADMINS)]
    body = {"class_name": "Maths", "class_code": "MAT"}
    me = browsers[0].get("/auth/me")[1]["id"]
    class_id = browsers[0].post("/classes", {**body, "teacher_id": me})[1]["id"]
    student = {"student_id": "S1", "full_name": "Cleo", "class_id": class_id}
    student_id = browsers[0].post("/students", student)[1]["id"]
    targets = cycle(
        [
            ("/face/verify", {"class_id": class_id}),
            ("/face/verify", {"class_id": class_id}),
            ("/attendance/group", {"class_id": class_id}),
            ("/face/register", {"student_id": student_id}),
        ]
    )
    (server,) = our_gunicorns()
    (worker,) = children(server)
    seen = Seen()
    good = {form: whole(form) for form in FORMATS}
    _send_good(browsers[0], class_id, good, WARM_UP)
    seen.memory_before = megabytes(worker)

    def send(shot: tuple[Mutant, tuple[str, dict[str, int]], Browser]) -> None:
        mutant, (path, form), browser = shot
        start = time.monotonic()
        sent = {**form, "file": upload(mutant.content, mutant.name)}
        status, answer = browser.send_photos(path, sent)
        seen.note(mutant, status, answer, time.monotonic() - start)

    shots: Iterator[Any] = zip(
        mutants(number, seed=seed), targets, cycle(browsers), strict=False
    )
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = pool.map(send, shots)
        for _ in tqdm(answers, total=number, unit="photo", disable=None):
            pass
    # A request or two after the last one, so that its memory is not in use any more.
    _send_good(browsers[0], class_id, good, WARM_UP)
    seen.memory_after = megabytes(worker)
    seen.memory_most = megabytes(worker, "VmHWM")
    assert children(server) == [worker], "the worker died and another took its place"
    return seen


def _admin(url: str, at: int) -> Browser:
    browser = Browser(url)
    login = {"email": f"ada{at}@a.example", "password": PASSWORD}
    browser.token = browser.post("/auth/login", login)[1]["access_token"]
    return browser


def _send_good(
    browser: Browser, class_id: int, photos: dict[str, bytes], number: int
) -> None:
    for _, (form, photo) in zip(range(number), cycle(photos.items()), strict=False):
        sent = {"class_id": class_id, "file": upload(photo, f"photo.{form}")}
        status, answer = browser.send_photos("/face/verify", sent)
        assert status == 200, answer
