"""Kill a real worker ten times, at random moments, in the middle of one archive.

`.venv/bin/python -m benchmarks.kill_imports 1 2 3` (seeds) writes
benchmarks/kill_imports.md. It ends with an error unless every photo was enrolled once
or listed with its reason, and nothing of a photo lay open.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

KILLS = 10
PHOTOS = 60
PEOPLE = 6
RESULT = Path(__file__).with_suffix(".md")
HEAD = f"""# Workers killed in the middle of an import

Written by `python -m benchmarks.kill_imports 1 2 3`. An archive of {PHOTOS} photos is
imported by `manage.py worker`, which gets SIGKILL up to {KILLS} times, at moments drawn
from the seed: most while photos are read, some while it starts. Then one is left alive.
Each run ends with an error unless every photo has one end, there are as many templates
as lines that say "enrolled", and neither a part of a photo nor an archive is left on
disk.

| Seed | Kills | Seconds | Ends | Templates |
|---|---|---|---|---|
"""


def main() -> None:
    seeds = [int(word) for word in sys.argv[1:]] or [1]
    if len(seeds) == 1:
        print(once(seeds[0]))
        return
    # A process a seed: a database is set up once in the life of one.
    lines = [line_of(seed) for seed in seeds]
    RESULT.write_text(HEAD + "".join(lines), encoding="utf-8")
    print(RESULT.read_text(encoding="utf-8"))


def line_of(seed: int) -> str:
    command = [sys.executable, "-m", "benchmarks.kill_imports", str(seed)]
    found = subprocess.run(  # noqa: S603  our own words
        command, check=True, stdout=subprocess.PIPE, text=True
    )
    return found.stdout.splitlines()[-1] + "\n"


def once(seed: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ["DATABASE_URL"] = f"sqlite:///{place / 'db.sqlite3'}"
        os.environ["IMPORT_SPOOL_DIR"] = str(place / "spool")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_site.settings")
        import django

        django.setup()
        return run(place / "temp", seed)


def run(temp: Path, seed: int) -> str:
    """Return a line of the result's table."""
    from django.core.management import call_command

    from accounts.models import Role, User
    from attendance_site.tests.killing import enrol_nobody, killed_import
    from benchmarks.many_photos import photos_of

    temp.mkdir()
    call_command("migrate", verbosity=0)
    ada = User.objects.create_user(
        "ada@school.example", teacher_id="a1", full_name="Ada", role=Role.ADMIN
    )
    # Six students with ten photos each, so that nearly all are enrolled.
    photos = {
        f"S{at % PEOPLE}_{at + 1}.jpg": photo
        for at, photo in enumerate(photos_of(PHOTOS).values())
    }
    enrol_nobody([f"S{number}" for number in range(PEOPLE)])
    seen = killed_import(ada, photos, kills=KILLS, seed=seed, temp=temp)
    ends: dict[str, int] = {}
    for row in seen.rows:
        end = f"{row['result']} {row['reason']}".strip()
        ends[end] = ends.get(end, 0) + 1
    enrolled = Counter(
        row["student_id"] for row in seen.rows if row["result"] == "enrolled"
    )
    assert seen.state == "done"
    assert len(seen.rows) == PHOTOS
    ended = {"enrolled", "already"}
    assert all(row["result"] in ended or row["reason"] for row in seen.rows)
    # As many templates as lines that say so: none is missing, none is there twice.
    assert seen.templates == dict(enrolled)
    assert (seen.plain, seen.left) == ([], [])
    counts = ", ".join(f"{number} {end}" for end, number in ends.items())
    total = sum(seen.templates.values())
    return f"| {seed} | {seen.kills} | {seen.seconds} | {counts} | {total} |"


if __name__ == "__main__":
    main()
