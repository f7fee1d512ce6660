"""Kill a real worker in the middle of an archive, again and again, and look at it.

The caller has a database that another process can open, and its tables.
"""

import io
import json
import os
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection
from django.db.models import Count

from accounts.models import Job, User
from attendance_site.environment import BASE_DIR
from classroom.models import Student
from faces import photo_import
from faces.import_models import UNFINISHED, ImportedPhoto
from faces.models import FaceTemplate
from faces.spool import SpoolWriter

LEASE = 1  # seconds; short, so that the next worker doesn't wait for long
LONGEST = 300  # seconds until an import counts as stuck


@dataclass(frozen=True)
class Outcome:
    """What there was to see when the import had ended."""

    state: str
    rows: list[dict[str, str]]
    templates: dict[str, int]  # by the student's code
    kills: int
    plain: list[str]  # files in which a photo lay open
    left: list[str]  # archives that nobody removed
    seconds: float


def archive(photos: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as packed:
        for name, photo in photos.items():
            packed.writestr(name, photo)
    return stream.getvalue()


def begun(owner: User, photos: dict[str, bytes]) -> Job:
    writer = SpoolWriter()
    writer.write(archive(photos))
    return photo_import.begin(writer.finish(), owner=owner)


def killed_import(
    owner: User, photos: dict[str, bytes], *, kills: int, seed: int, temp: Path
) -> Outcome:
    """Import photos while the worker is killed with SIGKILL at random moments."""
    start = time.monotonic()
    job = begun(owner, photos)
    # Not a secret of anybody: the order of the kills can be repeated with the seed.
    dice = random.Random(seed)  # noqa: S311
    done, plain = 0, set[str]()
    while done < kills and not is_finished(job):
        one_life(job, temp, dice)
        done += 1
        plain.update(plain_files(photos, temp))
    with worker(temp):
        wait_until(lambda: is_finished(job))
        # The row ends first and its file a moment later, by the worker or the sweep.
        wait_until(lambda: not archives())
    job.refresh_from_db()
    return Outcome(
        state=job.state,
        rows=job.result.get("rows", []),
        templates=templates(),
        kills=done,
        plain=sorted(plain.union(plain_files(photos, temp))),
        left=archives(),
        seconds=round(time.monotonic() - start, 1),
    )


def one_life(job: Job, temp: Path, dice: random.Random) -> None:
    """Start a worker and kill it a little after it got something done, or before."""
    before = ends(job)
    with worker(temp) as process:
        # Most moments lie in the middle of photos; some in the start of a worker.
        if dice.random() < 0.8:
            wait_until(lambda: ends(job) > before or is_finished(job))
        time.sleep(dice.uniform(0.0, 0.3))
        process.kill()
        process.wait()


@contextmanager
def worker(temp: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker", "--threads", "1"],
        cwd=BASE_DIR,
        env=os.environ
        | {
            "DATABASE_URL": database_url(),
            "IMPORT_SPOOL_DIR": str(settings.IMPORT_SPOOL_DIR),
            "JOB_LEASE_SECONDS": str(LEASE),
            "TMPDIR": str(temp),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def database_url() -> str:
    """Return the address of the database that this process uses now."""
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    password = f":{quote(known['PASSWORD'])}" if known["PASSWORD"] else ""
    place = f"{known['HOST']}:{known['PORT'] or 5432}"
    return f"postgres://{known['USER']}{password}@{place}/{known['NAME']}"


def wait_until(happened: Callable[[], bool]) -> None:
    limit = time.monotonic() + LONGEST
    while not happened():
        assert time.monotonic() < limit, "the import is stuck"
        time.sleep(0.02)


def is_finished(job: Job) -> bool:
    return not Job.objects.unfinished().filter(pk=job.pk).exists()


def ends(job: Job) -> int:
    """Return how many photos have their end."""
    photos = ImportedPhoto.objects.filter(job=job)
    return photos.exclude(state__in=UNFINISHED).count()


def archives() -> list[str]:
    return [path.name for path in Path(settings.IMPORT_SPOOL_DIR).glob("*.archive")]


def templates() -> dict[str, int]:
    rows = FaceTemplate.objects.order_by().values_list("student__student_id")
    return dict(rows.annotate(number=Count("pk")))


# POSIX drops all locks of a process on a file that it closes once: reading the database
# here would leave this process's own connections with what was there before.
SEARCH = """
import json, pathlib, sys
asked = json.load(sys.stdin)
parts = [bytes.fromhex(part) for part in asked["parts"]]
for name in asked["paths"]:
    path = pathlib.Path(name)
    content = path.read_bytes() if path.is_file() else b""
    if any(part in content for part in parts):
        print(path.name)
"""


def plain_files(photos: dict[str, bytes], temp: Path) -> list[str]:
    """Return the files that a worker could have written, with a part of a photo."""
    paths = [*temp.rglob("*"), *Path(settings.IMPORT_SPOOL_DIR).rglob("*")]
    if connection.vendor == "sqlite":
        database = Path(str(connection.settings_dict["NAME"]))
        paths += database.parent.glob(f"{database.name}*")
    asked = {
        "parts": [photo[len(photo) // 2 :][:32].hex() for photo in photos.values()],
        "paths": [str(path) for path in paths],
    }
    command = [sys.executable, "-c", SEARCH]
    found = subprocess.run(  # noqa: S603  our own words
        command, input=json.dumps(asked), check=True, capture_output=True, text=True
    )
    return found.stdout.split()


def enrol_nobody(codes: list[str]) -> None:
    """Add students without a face."""
    Student.objects.bulk_create(
        Student(student_id=code, full_name=f"Somebody {code}") for code in codes
    )
