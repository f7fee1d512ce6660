"""An encrypted archive: written as a stream, and of no use without its passphrase.

A line that names the format, a line with what the passphrase needs to become a key
(scrypt, RFC 7914), and chunks of AES-256-GCM. A chunk's nonce is its number and
whether it is the last one (STREAM: Hoang, Reyhanitabar, Rogaway and Vizár, 2015), so
none can be moved, repeated or cut off without being noticed.
"""

import io
import json
import os
from pathlib import Path
from typing import IO, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from accounts.errors import DomainError

MAGIC: Final = b"ROLLBOOK BACKUP 1\n"
CHUNK: Final = 64 * 1024  # bytes of plaintext
TAG: Final = 16  # bytes that AES-GCM adds to each
KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
LONGEST_HEADER: Final = 500  # bytes
# OWASP's password storage cheat sheet; 128 MB of memory for each try.
COST: Final = {"n": 2**17, "r": 8, "p": 1}
MOST_COST: Final = {"n": 2**20, "r": 16, "p": 4}  # of a file that somebody else made


class BackupUnreadable(DomainError):
    code = "backup_unreadable"
    default_detail = "This is no backup of Rollbook."


class ArchiveWriter(io.RawIOBase):
    """Encrypts what is written; `finish` makes the archive whole."""

    def __init__(self, target: IO[bytes], passphrase: str) -> None:
        salt = os.urandom(SALT_BYTES)
        header = {"kdf": "scrypt", **COST, "salt": salt.hex()}
        self._bound = json.dumps(header).encode("ascii")
        self._cipher = AESGCM(_key(passphrase, salt, COST))
        self._target = target
        self._waiting = bytearray()
        self._chunks = 0
        target.write(MAGIC + self._bound + b"\n")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        # The last chunk must be known as such, so one is always kept.
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), is_last=False)
            del self._waiting[:CHUNK]
        return len(data)

    def finish(self) -> None:
        self._seal(bytes(self._waiting), is_last=True)
        self._waiting.clear()

    def _seal(self, plain: bytes, *, is_last: bool) -> None:
        nonce = _nonce(self._chunks, is_last=is_last)
        self._target.write(self._cipher.encrypt(nonce, plain, self._bound))
        self._chunks += 1


class ArchiveReader(io.RawIOBase):
    """Reads an archive as it was written; raises BackupUnreadable for another one."""

    def __init__(self, path: Path, passphrase: str) -> None:
        try:
            self._source = path.open("rb")
        except OSError as error:
            detail = f"{path} can't be read ({error.strerror})."
            raise BackupUnreadable(detail) from error
        try:
            self._bound = self._header()
            self._cipher = AESGCM(_key_of(self._bound, passphrase))
        except BackupUnreadable:
            self._source.close()
            raise
        self._next = self._source.read(CHUNK + TAG)
        self._plain = memoryview(b"")
        self._chunks = 0

    def _header(self) -> bytes:
        if self._source.read(len(MAGIC)) != MAGIC:
            raise BackupUnreadable
        return self._source.readline(LONGEST_HEADER).rstrip(b"\n")

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._source.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        while not self._plain and self._next:
            self._plain = memoryview(self._opened())
        size = min(len(buffer), len(self._plain))
        buffer[:size] = self._plain[:size]
        self._plain = self._plain[size:]
        return size

    def _opened(self) -> bytes:
        sealed, self._next = self._next, self._source.read(CHUNK + TAG)
        nonce = _nonce(self._chunks, is_last=not self._next)
        try:
            plain = self._cipher.decrypt(nonce, sealed, self._bound)
        except (InvalidTag, ValueError) as error:
            detail = (
                "The backup was changed or cut off."
                if self._chunks
                else "The passphrase is wrong, or the backup was changed or cut off."
            )
            raise BackupUnreadable(detail) from error
        self._chunks += 1
        return plain


def _nonce(number: int, *, is_last: bool) -> bytes:
    # The key belongs to this archive alone, so a counter never repeats under it.
    return number.to_bytes(11) + bytes([is_last])


def _key_of(header: bytes, passphrase: str) -> bytes:
    try:
        read = json.loads(header)
        cost = {name: int(read[name]) for name in COST}
        salt = bytes.fromhex(read["salt"])
        known = read["kdf"] == "scrypt"
    except (ValueError, KeyError, TypeError) as error:
        raise BackupUnreadable from error
    if not known or any(not 1 <= cost[name] <= MOST_COST[name] for name in cost):
        raise BackupUnreadable
    try:
        return _key(passphrase, salt, cost)
    except ValueError as error:
        raise BackupUnreadable from error


def _key(passphrase: str, salt: bytes, cost: dict[str, int]) -> bytes:
    kdf = Scrypt(salt=salt, length=KEY_BYTES, **cost)
    return kdf.derive(passphrase.encode())
