"""One encrypted file holds everything but the keys, and gives it back whole."""

import base64
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from accounts import audit, backup_archive, backup_rows
from accounts.audit import AuditEntry, Event
from accounts.models import User
from accounts.tests.factories import PASSWORD
from classroom.models import Classroom, Student
from conftest import ApiFactory
from faces import backups
from faces.models import FaceTemplate
from faces.tests.factories import make_template
from faces.tests.photos import astronaut, six_close_ups, upload

pytestmark = pytest.mark.django_db(transaction=True)

PASSPHRASE = "four plums in an orchard"


@pytest.fixture(autouse=True)
def passphrase(settings: Settings) -> None:
    settings.BACKUP_PASSPHRASE = PASSPHRASE


@pytest.fixture(autouse=True)
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn passphrases into keys quickly; what it costs is no part of these tests."""
    monkeypatch.setitem(backup_archive.COST, "n", 2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "school.backup"


def backup(file: Path) -> None:
    call_command("backup", str(file), stderr=StringIO())


def restore(file: Path, *options: str) -> str:
    out = StringIO()
    call_command("restore", str(file), *options, stdout=out, stderr=StringIO())
    return out.getvalue()


def everything() -> dict[str, list[Any]]:
    """Return all rows but the audit log's, to which both commands add."""
    return {
        label: list(model._base_manager.order_by("pk").values_list())
        for label, model in backup_rows.tables(apps).items()
        if not label.startswith("accounts.audit")
    }


def test_all_rows_come_back_to_the_microsecond(
    file: Path, students: list[Student], alice: User
) -> None:
    make_template(students[0], 1, by=alice)
    audit.write(Event.ENROLLED, by=alice, on=students[0], similarity=0.61803398874)
    before = everything()
    backup(file)
    students[1].delete()
    FaceTemplate.objects.all().delete()
    Student.objects.update(full_name="Overwritten")
    restore(file, "--replace")
    assert everything() == before
    assert list(audit.verify()) == []
    events = AuditEntry.objects.order_by("-number").values_list("event", flat=True)
    assert events[0] == "restored"


def test_after_it_new_rows_get_new_numbers(file: Path, students: list[Student]) -> None:
    backup(file)
    restore(file, "--replace")
    taken = {student.pk for student in students}
    new = Student.objects.create(student_id="NEW", full_name="Nora New")
    assert new.pk not in taken


def test_faces_are_recognised_after_it(
    file: Path, api: ApiFactory, alice: User, maths: Classroom, students: list[Student]
) -> None:
    client = api(alice)
    photo = six_close_ups()[0]
    form = {"student_id": students[0].pk, "file": upload(photo)}
    assert client.post("/face/register", form, "multipart").status_code == 201
    backup(file)
    FaceTemplate.objects.all().delete()
    restore(file, "--replace")

    def verify(photo: bytes) -> Any:
        form = {"class_id": maths.pk, "file": upload(photo)}
        return client.post("/face/verify", form, "multipart").json()

    assert verify(photo)["student"]["id"] == students[0].pk
    assert verify(astronaut())["matched"] is False


def test_it_goes_into_a_database_without_tables(
    file: Path, tmp_path: Path, students: list[Student], alice: User
) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    backup(file)
    keys = [base64.urlsafe_b64encode(key) for key in django_settings.FACE_TEMPLATE_KEYS]
    variables = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'other.sqlite3'}",
        "BACKUP_PASSPHRASE": PASSPHRASE,
        "FACE_TEMPLATE_KEY": b",".join(keys).decode(),
        "AUDIT_KEY": ",".join(django_settings.AUDIT_KEYS),
    }
    count = "from classroom.models import Student; print(Student.objects.count())"
    for arguments in (["restore", str(file)], ["shell", "-v", "0", "-c", count]):
        done = subprocess.run(  # noqa: S603  our own command
            [sys.executable, "manage.py", *arguments],
            cwd=django_settings.BASE_DIR,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(len(students))


def test_nobody_can_read_it_without_the_passphrase(
    file: Path, students: list[Student], settings: Settings
) -> None:
    backup(file)
    content = file.read_bytes()
    assert b"Cleo" not in content
    assert file.stat().st_mode & 0o077 == 0
    settings.BACKUP_PASSPHRASE = "a stranger's guess"
    with pytest.raises(CommandError, match="passphrase is wrong"):
        restore(file, "--check")


def test_the_keys_are_not_in_it(file: Path, students: list[Student]) -> None:
    make_template(students[0], 1)
    backup(file)
    with backups._opened(file, PASSPHRASE) as reading:
        text = "".join(reading)
    (key,) = django_settings.FACE_TEMPLATE_KEYS
    secrets = [base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode()]
    secrets += [key.hex(), django_settings.SECRET_KEY, *django_settings.AUDIT_KEYS]
    assert "Cleo" in text
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.parametrize("place", [30, 200, -1])
def test_one_changed_byte_is_found(
    file: Path, students: list[Student], place: int
) -> None:
    backup(file)
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(CommandError):
        restore(file, "--check")


@pytest.mark.parametrize("kept", [0, 10, 150, -1, -17])
def test_one_that_was_cut_off_is_found(
    file: Path, students: list[Student], kept: int
) -> None:
    backup(file)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(CommandError):
        restore(file, "--check")


def test_a_chunk_more_or_less_is_found(
    file: Path, students: list[Student], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.backup_archive.CHUNK", 64)
    backup(file)
    content = file.read_bytes()
    head = content.index(b"}\n") + 2
    sealed = 64 + 16
    for changed in (content[: head + sealed], content + content[head : head + sealed]):
        file.write_bytes(changed)
        with pytest.raises(CommandError):
            restore(file, "--check")


def test_a_database_with_people_is_not_overwritten_unasked(
    file: Path, students: list[Student]
) -> None:
    backup(file)
    with pytest.raises(CommandError, match="--replace"):
        restore(file)


def test_without_the_templates_key_nothing_is_changed(
    file: Path, students: list[Student], settings: Settings
) -> None:
    make_template(students[0], 1)
    backup(file)
    Student.objects.update(full_name="Newer")
    settings.FACE_TEMPLATE_KEYS = (b"another key of thirty-two bytes!",)
    with pytest.raises(CommandError, match="1 face templates stay shut"):
        restore(file, "--replace")
    assert set(Student.objects.values_list("full_name", flat=True)) == {"Newer"}
    restore(file, "--replace", "--without-faces")
    assert "Newer" not in set(Student.objects.values_list("full_name", flat=True))


def test_the_key_may_be_given_when_it_is_asked_for(
    file: Path,
    students: list[Student],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_template(students[0], 1)
    backup(file)
    (key,) = django_settings.FACE_TEMPLATE_KEYS
    settings.FACE_TEMPLATE_KEYS = (b"another key of thirty-two bytes!",)
    typed = base64.urlsafe_b64encode(key).decode()
    monkeypatch.setattr("faces.passphrases.asked", lambda question: typed)
    assert "is whole" in restore(file, "--check")


def test_a_failed_restore_leaves_the_database_as_it_was(
    file: Path, students: list[Student], monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(file)
    Student.objects.update(full_name="Newer")
    before = everything()

    def broken() -> None:
        raise backup_archive.BackupUnreadable

    monkeypatch.setattr(connection, "check_constraints", broken)
    with pytest.raises(CommandError):
        restore(file, "--replace")
    monkeypatch.undo()
    assert everything() == before


def test_one_of_a_newer_version_is_refused(
    file: Path, students: list[Student], monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = [*backups._applied(), ["faces", "9999_of_the_future"]]
    monkeypatch.setattr(backups, "_applied", lambda: newer)
    backup(file)
    monkeypatch.undo()
    django_settings.BACKUP_PASSPHRASE = PASSPHRASE
    with pytest.raises(CommandError, match=r"newer version .*9999_of_the_future"):
        restore(file, "--replace")


def test_it_overwrites_no_file(file: Path, students: list[Student]) -> None:
    file.write_text("something of value")
    with pytest.raises(CommandError, match="exists already"):
        backup(file)
    assert file.read_text() == "something of value"


def test_what_was_written_meanwhile_is_not_in_it(
    file: Path, students: list[Student], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = backup_rows.lines

    def interrupted(apps: Any) -> Any:
        reading = lines(apps)
        yield next(reading)
        write_elsewhere()
        yield from reading

    monkeypatch.setattr(backup_rows, "lines", interrupted)
    backup(file)
    assert Student.objects.filter(full_name="Mia Meanwhile").exists()
    assert backups.inspect(file, PASSPHRASE).counts["classroom.student"] == 3


def write_elsewhere() -> None:
    """Add a student through another connection; it must not have to wait."""
    from threading import Thread

    def work() -> None:
        Student.objects.create(student_id="MEAN", full_name="Mia Meanwhile")
        connection.close()

    thread = Thread(target=work)
    thread.start()
    thread.join()


def test_a_short_passphrase_is_refused(file: Path, settings: Settings) -> None:
    settings.BACKUP_PASSPHRASE = "plum"
    with pytest.raises(CommandError, match="at least 12"):
        backup(file)
    assert not file.exists()


def test_no_half_of_a_backup_stays(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(CommandError, match="No space left"):
        backup(file)
    assert list(file.parent.iterdir()) == []
