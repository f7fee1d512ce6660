"""Kill commands with SIGKILL at random moments, as a power cut would, and look at it.

SIGKILL proves what a process leaves behind. What a disk loses in a real power cut is
SQLite's part (WAL, `synchronous=NORMAL`: the newest commits may be gone, none is half
there) and, for a backup, fsync's before the file gets its name.
"""

import base64
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from accounts.backup_archive import BackupUnreadable
from attendance_site.tests.live import LONGEST_WAIT, TEMPLATE_KEY, Installation
from faces import backups, vault

OTHER_KEY = b"another key for tests, 32 bytes."
PASSPHRASE = "four plums in an orchard"
DIMENSION = 128
# Three batches of faces_rotate_key and a half.
TEMPLATES = 700

FILL = """
import sys
from classroom.models import Student
from faces import runtime, vault
from faces.models import FaceTemplate
import numpy as np
number, dimension = int(sys.argv[1]), int(sys.argv[2])
student = Student.objects.create(student_id="S1", full_name="Cleo Castro")
model = runtime.active_model_id()
rows = []
for at in range(number):
    vector = np.full(dimension, at, np.float32)
    key_id, sealed = vault.seal(vector, student_id=student.pk, model_id=model)
    rows.append(FaceTemplate(student=student, model_id=model, dimension=dimension,
        key_id=key_id, sealed_embedding=sealed, quality={}))
FaceTemplate.objects.bulk_create(rows)
"""


@dataclass
class Cuts:
    """What there was to see after each kill, and in the end."""

    kills: int = 0
    old: int = 0  # kills after which all was as before
    between: int = 0  # kills after which some of several steps were done, each whole
    new: int = 0  # kills that came too late
    faults: list[str] = field(default_factory=list)
    finished: bool = False


def key_text(*keys: bytes) -> str:
    return ",".join(base64.urlsafe_b64encode(key).decode() for key in keys)


def school(folder: Path) -> Installation:
    """Make an installation with TEMPLATES templates, the n-th of which says n."""
    installation = Installation.make(folder)
    installation.manage("migrate", "--noinput", "--verbosity", "0")
    script = f"import sys; sys.argv[1:] = ['{TEMPLATES}', '{DIMENSION}']\n{FILL}"
    installation.manage("shell", "--verbosity", "0", "--command", script)
    return installation


def states(installation: Installation, cuts: Cuts) -> dict[str, int]:
    """Return how many templates each key opens; one that none opens is a fault."""
    database = sqlite3.connect(installation.database)
    columns = "id, sealed_embedding, key_id, student_id, model_id"
    query = f"SELECT {columns} FROM faces_facetemplate ORDER BY id"  # noqa: S608
    with closing(database):
        rows = database.execute(query).fetchall()
        (whole,) = database.execute("PRAGMA integrity_check").fetchone()
    if whole != "ok" or len(rows) != TEMPLATES:
        cuts.faults.append(f"{len(rows)} templates, integrity {whole}")
    found: dict[str, int] = {}
    for at, (number, sealed, key_id, student_id, model_id) in enumerate(rows):
        found[key_id] = found.get(key_id, 0) + 1
        try:
            opened = vault.open_sealed(
                sealed,
                key_id=key_id,
                student_id=student_id,
                model_id=model_id,
                dimension=DIMENSION,
                keys=(TEMPLATE_KEY, OTHER_KEY),
            )
        except vault.SealBroken as error:
            cuts.faults.append(f"template {number}: {error}")
            continue
        if not np.array_equal(opened, np.full(DIMENSION, at, np.float32)):
            cuts.faults.append(f"template {number} holds something else")
    return found


def tear(installation: Installation) -> None:
    """Do to one template what a half-written one would look like."""
    database = sqlite3.connect(installation.database)
    change = "UPDATE faces_facetemplate SET sealed_embedding = substr("
    rest = (
        "sealed_embedding, 1, 100) WHERE id = (SELECT min(id) FROM faces_facetemplate)"
    )
    with closing(database), database:
        database.execute(change + rest)


def killed(
    installation: Installation, *arguments: str, after: float, **variables: str
) -> float | None:
    """Run a command and kill it after some seconds.

    Returns None for a kill, and for a command that had ended the seconds it took.
    """
    start = time.monotonic()
    process = subprocess.Popen(  # noqa: S603  our own command
        [sys.executable, "manage.py", *arguments],
        cwd=installation.project,
        env=installation.environment(**variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None
    return time.monotonic() - start


def rotation(folder: Path, *, kills: int, seed: int) -> Cuts:
    """Kill a rotation of the template key again and again; go on each time."""
    installation, cuts = school(folder), Cuts()
    dice = random.Random(seed)  # noqa: S311  (no secret: it repeats the moments)
    first, second = OTHER_KEY, TEMPLATE_KEY
    longest = _seconds(
        installation, "faces_rotate_key", FACE_TEMPLATE_KEY=key_text(first, second)
    )
    while cuts.kills < kills:
        if states(installation, cuts).get(vault.key_id(first)) == TEMPLATES:
            first, second = second, first  # it got through: turn it round
        variables = {"FACE_TEMPLATE_KEY": key_text(first, second)}
        moment = dice.uniform(0.3, 1.0) * longest
        took = killed(installation, "faces_rotate_key", after=moment, **variables)
        if took is not None:
            longest = took  # the machine is faster now
            continue
        cuts.kills += 1
        done = states(installation, cuts).get(vault.key_id(first), 0)
        cuts.old += done == 0
        cuts.new += done == TEMPLATES
        cuts.between += 0 < done < TEMPLATES
    installation.manage("faces_rotate_key", FACE_TEMPLATE_KEY=key_text(first, second))
    cuts.finished = states(installation, cuts) == {vault.key_id(first): TEMPLATES}
    return cuts


def backup(folder: Path, *, kills: int, seed: int) -> Cuts:
    """Kill a backup again and again: its file is whole or not there."""
    installation, cuts = school(folder), Cuts()
    place = folder / "backups"
    place.mkdir()
    variables = {"BACKUP_PASSPHRASE": PASSPHRASE}
    dice = random.Random(seed)  # noqa: S311  (no secret: it repeats the moments)
    longest = _seconds(installation, "backup", str(place / "first"), **variables)
    number = 0
    while cuts.kills < kills:
        number += 1
        file = place / f"{number}.backup"
        moment = dice.uniform(0.3, 1.1) * longest
        took = killed(installation, "backup", str(file), after=moment, **variables)
        if took is not None:
            longest = took  # the machine is faster now
            continue
        cuts.kills += 1
        cuts.new += file.exists()
        cuts.old += not file.exists()
        if file.exists():
            _check(file, cuts)
        if states(installation, cuts) != {vault.key_id(TEMPLATE_KEY): TEMPLATES}:
            cuts.faults.append("the database was changed")
    installation.manage("backup", str(place / "last"), **variables)
    _check(place / "last", cuts)
    cuts.finished = not cuts.faults
    return cuts


def _check(file: Path, cuts: Cuts) -> None:
    try:
        summary = backups.inspect(file, PASSPHRASE, (TEMPLATE_KEY,))
    except BackupUnreadable as error:
        cuts.faults.append(f"{file.name}: {error.detail}")
        return
    if summary.broken or summary.counts[backups.TEMPLATES] != TEMPLATES:
        cuts.faults.append(f"{file.name} is not whole")


def _seconds(installation: Installation, *arguments: str, **variables: str) -> float:
    """Return how long a command takes here, so that kills come while it works."""
    start = time.monotonic()
    installation.manage(*arguments, **variables)
    took = time.monotonic() - start
    assert took < LONGEST_WAIT
    return took
