"""What is erased is gone from SQLite's files too, and a stolen copy opens nothing."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection
from django.test import override_settings
from pytest_django import Settings

from accounts.models import User
from attendance_site.environment import database
from classroom.erasure import erase_student
from classroom.models import Student
from classroom.scrubbing import scrub
from faces import retention, vault
from faces.erasure import withdraw_consent
from faces.models import FaceTemplate
from faces.tests.factories import make_template
from faces.tests.fakes import embedding_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "sqlite", reason="PostgreSQL keeps rows until VACUUM"
    ),
]

FACES = 40  # enough for pages of their own


def files() -> dict[str, bytes]:
    """Return the bytes of the database and of what lies beside it."""
    name = Path(str(connection.settings_dict["NAME"]))
    return {path.name: path.read_bytes() for path in name.parent.glob(f"{name.name}*")}


def holders(*pieces: bytes) -> set[str]:
    return {
        name for name, held in files().items() if any(piece in held for piece in pieces)
    }


def enrol(student: Student, number: int = FACES) -> list[bytes]:
    """Enrol a student; return the sealed embeddings as they lie on the disk."""
    made = [make_template(student, person) for person in range(1, number + 1)]
    return [bytes(template.sealed_embedding) for template in made]


def test_the_sealed_templates_lie_on_the_disk_before(students: list[Student]) -> None:
    assert holders(*enrol(students[0]))


def test_deleting_alone_would_leave_them_in_the_log(students: list[Student]) -> None:
    sealed = enrol(students[0])
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
    FaceTemplate.objects.all().delete()
    assert holders(*sealed)


@pytest.mark.parametrize("how", ["withdrawal", "whole", "retention"])
def test_after_an_erasure_no_file_holds_them(
    students: list[Student], alice: User, settings: Settings, how: str
) -> None:
    sealed = enrol(students[0])
    others = enrol(students[1])
    if how == "withdrawal":
        withdraw_consent(students[0], said_by="Cleo", by=alice)
    elif how == "whole":
        erase_student(students[0], by=alice)
    else:
        settings.FACE_RETENTION_DAYS = 0
        students[0].enrollments.all().delete()
        retention.hourly()
    assert holders(*sealed) == set()
    assert holders(*others)


def test_after_an_erasure_no_file_holds_the_name(
    students: list[Student], alice: User
) -> None:
    name = students[0].full_name.encode()
    assert holders(name)
    erase_student(students[0], by=alice)
    assert holders(name) == set()


def test_a_log_in_use_is_emptied_by_the_next_run(students: list[Student]) -> None:
    sealed = enrol(students[0])
    name = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(str(name))) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM faces_facetemplate").fetchone()
        FaceTemplate.objects.all().delete()
        assert not scrub()
        assert holders(*sealed)
        reader.rollback()
    retention.hourly()
    assert holders(*sealed) == set()


def test_the_setting_that_overwrites_is_on() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete")
        assert cursor.fetchone() == (1,)
    options = database("NO_SUCH_VARIABLE", default="sqlite:///x.sqlite3")["OPTIONS"]
    assert "secure_delete=ON" in str(options)


def test_without_that_setting_the_file_itself_would_hold_them(
    students: list[Student],
) -> None:
    sealed = enrol(students[0])
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete=OFF")
        try:
            FaceTemplate.objects.all().delete()
            assert scrub()
            assert holders(*sealed)
        finally:
            cursor.execute("PRAGMA secure_delete=ON")


def test_a_stolen_copy_gives_no_embedding_back(
    students: list[Student], tmp_path: Path
) -> None:
    enrol(students[0])
    scrub()
    copy = tmp_path / "stolen.sqlite3"
    shutil.copy(str(connection.settings_dict["NAME"]), copy)
    with closing(sqlite3.connect(copy)) as stolen:
        columns = "sealed_embedding, key_id, student_id, model_id, dimension"
        rows = stolen.execute(f"SELECT {columns} FROM faces_facetemplate").fetchall()  # noqa: S608
    assert len(rows) == FACES
    plain = {embedding_of(person).tobytes() for person in range(1, FACES + 1)}
    for row in rows:
        assert not any(piece in row[0] for piece in plain)
        assert opened(row, keys=(b"a guess of thirty-two bytes here",)) is None


def test_a_thief_who_renames_the_key_fails_too(students: list[Student]) -> None:
    (template,) = [make_template(students[0], 1)]
    guess = b"a guess of thirty-two bytes here"
    row = (
        bytes(template.sealed_embedding),
        vault.key_id(guess),
        template.student_id,
        template.model_id,
        template.dimension,
    )
    assert opened(row, keys=(guess,)) is None


def opened(row: tuple[bytes, str, int, str, int], keys: tuple[bytes, ...]) -> object:
    """Open a stolen row with keys of one's own; None where it stays shut."""
    with override_settings(FACE_TEMPLATE_KEYS=keys):
        try:
            return vault.open_sealed(
                row[0],
                key_id=row[1],
                student_id=row[2],
                model_id=row[3],
                dimension=row[4],
            )
        except vault.SealBroken:
            return None
