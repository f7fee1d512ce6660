"""Ask whoever runs a command for a secret, or take it from the configuration."""

import base64
import binascii
import getpass
import sys

from django.conf import settings
from django.core.management.base import CommandError

SHORTEST = 12  # characters
KEY_BYTES = 32  # AES-256


def of_backup(*, new: bool) -> str:
    """Return the passphrase of a backup: BACKUP_PASSPHRASE, or what a person types.

    Raises CommandError where nobody can be asked, or for a `new` one that is too short
    or typed differently the second time.
    """
    passphrase = settings.BACKUP_PASSPHRASE or asked("Passphrase of the backup: ")
    if not passphrase:
        raise CommandError("Set BACKUP_PASSPHRASE: there is nobody here to ask.")
    if not new:
        return passphrase
    if len(passphrase) < SHORTEST:
        raise CommandError(f"A passphrase has at least {SHORTEST} characters.")
    if not settings.BACKUP_PASSPHRASE and asked("Once more: ") != passphrase:
        raise CommandError("The two are not the same.")
    return passphrase


def template_key() -> tuple[bytes, ...]:
    """Ask for a key of face templates; () where nobody can be asked or none is given.

    Raises CommandError for what is no key.
    """
    text = asked("FACE_TEMPLATE_KEY of the time of the backup: ")
    if not text:
        return ()
    try:
        key = base64.urlsafe_b64decode(text)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise CommandError("A key is the urlsafe base64 of 32 bytes.")
    return (key,)


def asked(question: str) -> str:
    """Return what a person types unseen, or "" where there is none."""
    return getpass.getpass(question).strip() if sys.stdin.isatty() else ""
