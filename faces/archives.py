"""Look into an archive of photos without unpacking it, and refuse dangerous ones."""

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.errors import DomainError

MAX_FILES: Final = 5000
# Photos are compressed already: they shrink by a few per cent, text by ten, bombs by
# a thousand.
MAX_RATIO: Final = 100
SMALL: Final = 1024 * 1024  # bytes that are no bomb at any ratio
MAX_DIRECTORY: Final = 8 * 1024 * 1024  # bytes of the list of files

PHOTOS: Final = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"}
NESTED: Final = {
    *(".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar"),
    *(".jar", ".cab", ".iso"),
}
# What systems add by themselves; nobody wants to read of it.
NOISE: Final = {"thumbs.db", "desktop.ini"}

# APPNOTE.TXT 6.3.10 (PKWARE), 4.3.16 and 4.4.4.
_END_OF_DIRECTORY: Final = struct.Struct("<4s4H2LH")
_LONGEST_COMMENT: Final = 0xFFFF
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000  # plain, strong, and a masked list of files
_PATCH: Final = 0x20
_SYMLINK: Final = 0o120000
_KIND_OF_FILE: Final = 0o170000
_METHODS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class ArchiveRefused(DomainError):
    status = 422


class NotAnArchive(ArchiveRefused):
    code = "archive_unreadable"
    default_detail = _("This is no ZIP archive, or it is damaged. Make it again.")


class TooManyFiles(ArchiveRefused):
    code = "archive_too_many_files"
    default_detail = _("An archive may hold up to 5,000 photos. Split it.")


class EncryptedArchive(ArchiveRefused):
    code = "archive_encrypted"
    default_detail = _("The archive has a password. Make it again without one.")


class UnsafePath(ArchiveRefused):
    code = "archive_unsafe_path"
    default_detail = _("The archive has a file that points outside of it.")


class NestedArchive(ArchiveRefused):
    code = "archive_nested"
    default_detail = _("The archive holds another archive. Unpack that one first.")


class ArchiveBomb(ArchiveRefused):
    code = "archive_bomb"
    default_detail = _("The archive would unpack to far more than it is.")


class EmptyArchive(ArchiveRefused):
    code = "archive_empty"
    default_detail = _("There is nothing in this archive.")


class UnknownCompression(ArchiveRefused):
    code = "archive_compression"
    default_detail = _("The archive is compressed in an unusual way. Make a plain ZIP.")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive; `number` is its place in the archive's own list."""

    number: int
    name: str
    size: int

    @property
    def is_photo(self) -> bool:
        return PurePosixPath(self.name).suffix.lower() in PHOTOS


class PhotoArchive:
    """A ZIP of photos that was found harmless; raises ArchiveRefused."""

    def __init__(self, file: IO[bytes]) -> None:
        _check_directory(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise NotAnArchive from error
        self._files = self._zip.infolist()
        _check(self._files)
        self.entries = [
            Entry(number, info.filename, info.file_size)
            for number, info in enumerate(self._files)
            if not info.is_dir() and not _is_noise(info.filename)
        ]
        if not self.entries:
            raise EmptyArchive

    def read(self, entry: Entry) -> bytes:
        """Return a file's bytes, up to its declared size; raises NotAnArchive."""
        try:
            return self._zip.read(self._files[entry.number])
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            raise NotAnArchive from error


def _check_directory(file: IO[bytes]) -> None:
    """Refuse a list of files that is too long to be read at all."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _LONGEST_COMMENT - _END_OF_DIRECTORY.size))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END_OF_DIRECTORY.size:
        raise NotAnArchive
    _, _, _, _, files, length, _, _ = _END_OF_DIRECTORY.unpack_from(tail, at)
    # Both are at their highest where the real figures are in a 64-bit record.
    if files > 2 * MAX_FILES or length > MAX_DIRECTORY:
        raise TooManyFiles
    file.seek(0)


def _check(files: list[zipfile.ZipInfo]) -> None:
    if sum(not info.is_dir() for info in files) > MAX_FILES:
        raise TooManyFiles
    for info in files:
        _check_one(info)
    if sum(info.file_size for info in files) > 4 * settings.IMPORT_MAX_MB * 1024**2:
        raise ArchiveBomb


def _check_one(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise EncryptedArchive
    is_link = info.external_attr >> 16 & _KIND_OF_FILE == _SYMLINK
    if is_link or _leads_out(info.orig_filename):
        raise UnsafePath(file=info.filename[:200])
    if PurePosixPath(info.filename).suffix.lower() in NESTED:
        raise NestedArchive(file=info.filename[:200])
    if info.compress_type not in _METHODS or info.flag_bits & _PATCH:
        raise UnknownCompression
    if info.file_size > max(SMALL, MAX_RATIO * info.compress_size):
        raise ArchiveBomb(file=info.filename[:200])


def _leads_out(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]


def _is_noise(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return hidden or path.name.lower() in NOISE


def json_safe(name: str) -> str:
    """Return a file's name as it can be stored and shown."""
    clean: Any = name.encode("utf-8", "replace").decode()
    return str(clean).replace("\x00", "")[-255:]
