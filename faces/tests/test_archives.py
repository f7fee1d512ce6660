"""Archives are looked into before they are read; dangerous ones are refused whole."""

import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from pytest_django import Settings

from faces import archives
from faces.archives import ArchiveRefused, PhotoArchive


def packed(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return stream.getvalue()


def code_of(content: bytes) -> str:
    with pytest.raises(ArchiveRefused) as caught:
        PhotoArchive(io.BytesIO(content))
    return caught.value.code


def with_flags(flags: int) -> bytes:
    """Return an archive whose one file is marked so (APPNOTE.TXT 4.4.4)."""
    content = bytearray(packed(("S1.jpg", b"secret"), method=zipfile.ZIP_STORED))
    directory = content.index(b"PK\x01\x02")
    struct.pack_into("<H", content, directory + 8, flags)
    return bytes(content)


def with_symlink() -> bytes:
    link = zipfile.ZipInfo("S1.jpg")
    link.external_attr = 0o120777 << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    return stream.getvalue()


def with_long_directory() -> bytes:
    """Return an archive that claims a list of files of a gigabyte."""
    content = bytearray(packed(("S1.jpg", b"photo")))
    at = content.rindex(b"PK\x05\x06")
    struct.pack_into("<L", content, at + 12, 2**30)
    return bytes(content)


def bomb() -> bytes:
    return packed(("S1.jpg", bytes(20 * 1024 * 1024)))


CASES: list[tuple[str, Callable[[], bytes]]] = [
    ("archive_unreadable", lambda: b"this is no archive"),
    ("archive_unreadable", lambda: packed(("S1.jpg", b"x" * 999))[:-40]),
    ("archive_unsafe_path", lambda: packed(("../../S1.jpg", b"x"))),
    ("archive_unsafe_path", lambda: packed(("/etc/S1.jpg", b"x"))),
    ("archive_unsafe_path", lambda: packed(("..\\S1.jpg", b"x"))),
    ("archive_unsafe_path", lambda: packed(("C:/S1.jpg", b"x"))),
    ("archive_unsafe_path", with_symlink),
    ("archive_encrypted", lambda: with_flags(0x0001)),
    ("archive_encrypted", lambda: with_flags(0x0041)),
    ("archive_encrypted", lambda: with_flags(0x2000)),
    ("archive_compression", lambda: with_flags(0x0020)),
    ("archive_empty", lambda: packed(("photos/", b""))),
    ("archive_nested", lambda: packed(("more.zip", b"x"))),
    ("archive_bomb", bomb),
    ("archive_too_many_files", with_long_directory),
    ("archive_compression", lambda: packed(("S1.jpg", b"x"), method=zipfile.ZIP_LZMA)),
]


@pytest.mark.parametrize(("code", "make"), CASES)
def test_a_dangerous_archive_is_refused_with_a_code(
    code: str, make: Callable[[], bytes]
) -> None:
    assert code_of(make()) == code


def test_an_archive_of_too_many_files_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archives, "MAX_FILES", 3)
    content = packed(*[(f"S{number}.jpg", b"x") for number in range(4)])
    assert code_of(content) == "archive_too_many_files"


def test_an_archive_that_unpacks_to_too_much_is_refused(settings: Settings) -> None:
    settings.IMPORT_MAX_MB = 0
    assert code_of(packed(("S1.jpg", b"x"))) == "archive_bomb"


def test_files_that_systems_add_are_passed_over() -> None:
    content = packed(
        ("photos/S1.jpg", b"x"),
        ("__MACOSX/photos/._S1.jpg", b"x"),
        ("photos/.DS_Store", b"x"),
        ("photos/Thumbs.db", b"x"),
    )
    names = [entry.name for entry in PhotoArchive(io.BytesIO(content)).entries]
    assert names == ["photos/S1.jpg"]
