"""A spooled archive is nothing but noise without the key in its job's row."""

import io
import os
from pathlib import Path

import pytest
from pytest_django import Settings

from faces import spool
from faces.spool import CHUNK, ArchiveLost, Spooled, SpoolReader, SpoolWriter

CONTENT = os.urandom(CHUNK) + b"a photo that nobody may find" * 1000 + os.urandom(CHUNK)


@pytest.fixture
def folder(spool_folder: Path) -> Path:
    return spool_folder


def spooled(content: bytes = CONTENT) -> Spooled:
    writer = SpoolWriter()
    for at in range(0, len(content), 100_000):
        writer.write(content[at : at + 100_000])
    return writer.finish()


def file_of(archive: Spooled, folder: Path) -> Path:
    return folder / f"{archive.name}.archive"


def test_what_is_written_is_read_again() -> None:
    with SpoolReader(spooled()) as file:
        assert file.readall() == CONTENT


def test_any_part_is_read_alone() -> None:
    with SpoolReader(spooled()) as file:
        file.seek(-CHUNK - 10, io.SEEK_END)
        assert io.BufferedReader(file).read(20) == CONTENT[-CHUNK - 10 :][:20]


def test_the_file_shows_nothing_of_the_archive(folder: Path) -> None:
    assert b"nobody may find" not in file_of(spooled(), folder).read_bytes()


def test_nobody_else_may_read_the_file(folder: Path) -> None:
    assert file_of(spooled(), folder).stat().st_mode & 0o077 == 0


def test_a_changed_byte_is_found(folder: Path) -> None:
    archive = spooled()
    content = bytearray(file_of(archive, folder).read_bytes())
    content[CHUNK + 50] ^= 1
    file_of(archive, folder).write_bytes(content)
    with SpoolReader(archive) as file, pytest.raises(ArchiveLost):
        file.readall()


def test_an_end_that_was_cut_off_is_found(folder: Path) -> None:
    archive = spooled()
    content = file_of(archive, folder).read_bytes()
    file_of(archive, folder).write_bytes(content[: CHUNK + spool.TAG])
    with SpoolReader(archive) as file, pytest.raises(ArchiveLost):
        file.readall()


def test_a_sealed_key_opens_its_own_archive_alone() -> None:
    first, second = spooled(), spooled()
    assert spool.unsealed(first.name, first.sealed()) == first
    with pytest.raises(ArchiveLost):
        spool.unsealed(second.name, first.sealed())


def test_a_sealed_key_opens_after_a_new_key_came_in_front(settings: Settings) -> None:
    archive = spooled()
    sealed = archive.sealed()
    settings.FACE_TEMPLATE_KEYS = (os.urandom(32), *settings.FACE_TEMPLATE_KEYS)
    assert spool.unsealed(archive.name, sealed) == archive


def test_without_a_key_nothing_opens() -> None:
    with pytest.raises(ArchiveLost):
        spool.unsealed(spooled().name, None)


def test_old_archives_without_a_job_are_removed(folder: Path) -> None:
    left, needed, fresh = spooled(), spooled(), spooled()
    for archive in (left, needed):
        os.utime(file_of(archive, folder), (0, 0))
    spool.destroy_others([needed.name])
    kept = {path.stem for path in folder.iterdir()}
    assert kept == {needed.name, fresh.name}
