"""Kill a real worker ten times, at random moments, in the middle of one archive.

`.venv/bin/python -m benchmarks.kill_imports [seed]`. It ends with an error unless every
photo was enrolled once or listed with its reason, and nothing of a photo lay open.
"""

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

KILLS = 10
PHOTOS = 60
PEOPLE = 6


def main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ["DATABASE_URL"] = f"sqlite:///{place / 'db.sqlite3'}"
        os.environ["IMPORT_SPOOL_DIR"] = str(place / "spool")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_site.settings")
        import django

        django.setup()
        run(place / "temp", seed)


def run(temp: Path, seed: int) -> None:
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
    print(f"{seen.kills} kills, {seen.seconds} s, job {seen.state}, ends: {ends}")
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


if __name__ == "__main__":
    main()
