"""A worker killed again and again in an archive: nothing is lost, nothing twice."""

from pathlib import Path

import pytest

from accounts.models import User
from attendance_site.tests.killing import enrol_nobody, killed_import
from faces.tests.photos import astronaut, group_photo, six_close_ups

pytestmark = pytest.mark.django_db(transaction=True)

KILLS = 5
CODES = [f"S{number}" for number in range(7)]
# Photos of many, so that the archive outlasts the kills on a fast machine too.
CROWDS = [f"S{at % 7}_{at + 10}.jpg" for at in range(42)]


def school() -> dict[str, bytes]:
    """Return seven people's photos, and files that must be refused."""
    people = [*six_close_ups(), astronaut()]
    photos = {f"{code}.jpg": photo for code, photo in zip(CODES, people, strict=True)}
    return {
        **photos,
        # Other bytes each, or they would be refused as sent twice.
        **{name: group_photo() + name.encode() for name in CROWDS},
        "S0_2.jpg": group_photo(),
        "S1_2.jpg": people[2],
        "S3_2.jpg": b"\xff\xd8\xff\xe0 this is a damaged photo, and a long one too",
        "nobody.jpg": people[4] + b"and more",
    }


def test_every_photo_is_enrolled_once_or_has_its_reason_whatever_dies(
    admin: User, tmp_path: Path
) -> None:
    enrol_nobody(CODES)
    seen = killed_import(admin, school(), kills=KILLS, seed=7, temp=tmp_path)
    assert (seen.state, seen.kills) == ("done", KILLS)
    assert {row["file"]: (row["result"], row["reason"]) for row in seen.rows} == {
        **{f"{code}.jpg": ("enrolled", "consent_missing") for code in CODES},
        **dict.fromkeys(CROWDS, ("refused", "multiple_faces")),
        "S0_2.jpg": ("refused", "multiple_faces"),
        "S1_2.jpg": ("refused", "duplicate_face"),
        "S3_2.jpg": ("refused", "unreadable_image"),
        "nobody.jpg": ("unknown", "unknown_student"),
    }
    assert seen.templates == dict.fromkeys(CODES, 1)
    # Not even for a moment was a photo on the disk, and no archive stays.
    assert (seen.plain, seen.left) == ([], [])
