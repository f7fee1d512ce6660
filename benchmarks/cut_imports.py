"""An archive of photos whose worker is killed again and again (`make reliability`)."""

from collections import Counter
from pathlib import Path
from typing import Final

from attendance_site.tests.killing import Outcome, enrol_nobody, killed_import

PEOPLE: Final = 6


def import_under_kills(
    place: Path, *, kills: int, photos: int, seed: int
) -> tuple[Outcome, dict[str, int]]:
    """Return what there was to see, and how many templates each student should have.

    The caller has a database with tables that another process can open.
    """
    from accounts.models import Role, User
    from benchmarks.many_photos import photos_of

    temp = place / "temp"
    temp.mkdir()
    ada = User.objects.create_user(
        "ada@school.example", teacher_id="a1", full_name="Ada", role=Role.ADMIN
    )
    # Six students with many photos each, so that nearly all are enrolled.
    named = {
        f"S{at % PEOPLE}_{at + 1}.jpg": photo
        for at, photo in enumerate(photos_of(photos).values())
    }
    enrol_nobody([f"S{number}" for number in range(PEOPLE)])
    seen = killed_import(ada, named, kills=kills, seed=seed, temp=temp)
    enrolled = Counter(
        row["student_id"] for row in seen.rows if row["result"] == "enrolled"
    )
    return seen, dict(enrolled)
