"""An archive of photos on disk, encrypted under a key of its own, until its job ends.

The key is never beside the file: it is sealed with FACE_TEMPLATE_KEY in the row of the
job. Chunks have a fixed size, so that any part of the archive can be read alone; each
is bound to its file and place, so none can be moved, and the size is sealed with the
key, so none can be cut off.
"""

import contextlib
import datetime as dt
import io
import os
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from accounts.errors import DomainError
from faces import vault

CHUNK = 256 * 1024  # bytes of plaintext
TAG = 16  # bytes that AES-GCM adds to each
KEY_BYTES = 32
KEY_ID_LENGTH = 16
SIZE_BYTES = 8
# Older than any job may get; a younger file may belong to an upload under way.
OLDEST = dt.timedelta(hours=24)


class ArchiveLost(DomainError):
    code = "archive_lost"
    default_detail = "The archive is no longer there. Upload it again."


@dataclass(frozen=True, slots=True)
class Spooled:
    """A written archive: its name in the spool, its key and its size in bytes."""

    name: str
    key: bytes
    size: int

    def sealed(self) -> bytes:
        """Return key and size, encrypted for the job's row."""
        plain = self.key + self.size.to_bytes(SIZE_BYTES)
        nonce = os.urandom(vault.NONCE_BYTES)
        cipher = AESGCM(settings.FACE_TEMPLATE_KEYS[0])
        ciphertext = cipher.encrypt(nonce, plain, _key_bound_to(self.name))
        return vault.active_key_id().encode("ascii") + nonce + ciphertext


def unsealed(name: str, sealed: bytes | memoryview | None) -> Spooled:
    """Open what `Spooled.sealed` returned; raises ArchiveLost."""
    sealed = bytes(sealed or b"")
    key_id, rest = sealed[:KEY_ID_LENGTH], sealed[KEY_ID_LENGTH:]
    keys = {vault.key_id(key).encode("ascii"): key for key in _template_keys()}
    if key_id not in keys:
        raise ArchiveLost
    nonce, ciphertext = rest[: vault.NONCE_BYTES], rest[vault.NONCE_BYTES :]
    try:
        plain = AESGCM(keys[key_id]).decrypt(nonce, ciphertext, _key_bound_to(name))
    except InvalidTag as error:
        raise ArchiveLost from error
    return Spooled(name, plain[:KEY_BYTES], int.from_bytes(plain[KEY_BYTES:]))


def _template_keys() -> tuple[bytes, ...]:
    return tuple(settings.FACE_TEMPLATE_KEYS)


def _key_bound_to(name: str) -> bytes:
    return f"import-archive-key/1/{name}".encode()


def _chunk_bound_to(name: str) -> bytes:
    return f"import-archive/1/{name}".encode()


def _nonce(number: int) -> bytes:
    # The key belongs to this file alone, so a counter never repeats under it.
    return number.to_bytes(vault.NONCE_BYTES)


def _path(name: str) -> Path:
    return Path(settings.IMPORT_SPOOL_DIR) / f"{name}.archive"


class SpoolWriter:
    """Encrypts what is written; the plain bytes of up to one chunk wait in memory."""

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex
        self._key = os.urandom(KEY_BYTES)
        self._cipher = AESGCM(self._key)
        self._waiting = bytearray()
        self._chunks = self._size = 0
        path = _path(self.name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._file: BinaryIO = os.fdopen(os.open(path, flags, 0o600), "wb")

    def write(self, data: bytes) -> None:
        self._size += len(data)
        self._waiting += data
        while len(self._waiting) >= CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]))
            del self._waiting[:CHUNK]

    def finish(self) -> Spooled:
        """Write the rest and close the file."""
        if self._waiting:
            self._seal(bytes(self._waiting))
            self._waiting.clear()
        self._file.close()
        return Spooled(self.name, self._key, self._size)

    def destroy(self) -> None:
        """Close and remove the file, whatever became of it."""
        self._file.close()
        destroy(self.name)

    def _seal(self, plain: bytes) -> None:
        bound = _chunk_bound_to(self.name)
        self._file.write(self._cipher.encrypt(_nonce(self._chunks), plain, bound))
        self._chunks += 1


class SpoolReader(io.RawIOBase):
    """Reads a spooled archive like a file; raises ArchiveLost for a changed one."""

    def __init__(self, spooled: Spooled) -> None:
        self._spooled = spooled
        self._cipher = AESGCM(spooled.key)
        self._at = 0
        self._kept = (-1, b"")
        try:
            self._file = _path(spooled.name).open("rb")
        except OSError as error:
            raise ArchiveLost from error

    def close(self) -> None:
        self._kept = (-1, b"")
        self._file.close()
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._spooled.size}
        self._at = max(0, base[whence] + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._at >= self._spooled.size:
            return 0
        number, offset = divmod(self._at, CHUNK)
        part = self._chunk(number)[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _chunk(self, number: int) -> bytes:
        if self._kept[0] != number:
            self._file.seek(number * (CHUNK + TAG))
            ciphertext = self._file.read(CHUNK + TAG)
            bound = _chunk_bound_to(self._spooled.name)
            try:
                plain = self._cipher.decrypt(_nonce(number), ciphertext, bound)
            except (InvalidTag, ValueError) as error:
                raise ArchiveLost from error
            self._kept = (number, plain)
        return self._kept[1]


def open_spooled(spooled: Spooled) -> io.BufferedReader:
    """Return an archive as a file to read; raises ArchiveLost."""
    return io.BufferedReader(SpoolReader(spooled), CHUNK)


def destroy(name: str) -> None:
    """Remove an archive; one that is gone is no fault."""
    with contextlib.suppress(FileNotFoundError):
        _path(name).unlink()


def names() -> list[str]:
    """Return the names of the archives in the spool."""
    return [path.stem for path in Path(settings.IMPORT_SPOOL_DIR).glob("*.archive")]


def destroy_others(wanted: Iterable[str]) -> None:
    """Remove the archives that no job needs, once they are older than any job."""
    folder = Path(settings.IMPORT_SPOOL_DIR)
    if not folder.is_dir():
        return
    names = set(wanted)
    limit = time.time() - OLDEST.total_seconds()
    for path in folder.glob("*.archive"):
        with contextlib.suppress(FileNotFoundError):
            if path.stem not in names and path.stat().st_mtime < limit:
                path.unlink()
