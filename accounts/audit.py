"""The audit log: write an event with what it tells, and find what was changed later.

    with transaction.atomic():
        ...the change itself...
        audit.write(Event.CORRECTED, by=user, on=student, record=7, to="late")

Write last in a transaction: writers take turns until each one's is over, and a lock
that is taken after the log's could wait for a writer that waits for the log.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from numbers import Integral, Real
from typing import Any, Final

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.audit_models import AuditEntry, AuditHead, Event, kind_of
from accounts.models import User

__all__ = [
    "AuditEntry",
    "Event",
    "Fault",
    "Line",
    "plain",
    "verify",
    "write",
    "write_all",
]

HEAD: Final = 1
BEGINNING: Final = ""  # what the first row names as the seal before it
ROWS_A_CHUNK: Final = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """An event to be written; `details` hold ids, figures and codes, and no names."""

    event: Event
    on: models.Model | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """A place where the log isn't what was written; `code` is stable."""

    number: int
    code: str
    detail: str


def write(
    event: Event,
    *,
    by: User | None,
    on: models.Model | None = None,
    **details: Any,
) -> AuditEntry:
    """Add one event: who did it, to which row, and ids, figures or codes about it.

    It belongs to the caller's transaction and goes with it. `details` must be what
    JSON can hold, and no name, address or text of a person.
    """
    return write_all([Line(event, on, details)], by=by)[0]


@transaction.atomic(savepoint=False)
def write_all(lines: Iterable[Line], *, by: User | None) -> list[AuditEntry]:
    """Add several events of one transaction; three queries, however many there are."""
    lines = list(lines)
    if not lines:
        return []
    head = _locked_head()
    now = timezone.now()
    key_id, key = next(iter(_keys(settings.AUDIT_KEYS).items()))
    entries = []
    for line in lines:
        entry = AuditEntry(
            number=head.number + 1,
            at=now,
            event=line.event.value,
            actor_id=by.pk if by is not None else None,
            subject=kind_of(line.on) if line.on is not None else "",
            subject_id=line.on.pk if line.on is not None else None,
            details=plain(line.details),
            previous=head.last_seal,
            key_id=key_id,
        )
        entry.seal = _seal(key, _content(entry))
        head.number, head.last_seal = entry.number, entry.seal
        entries.append(entry)
    AuditEntry.objects.bulk_create(entries)
    head.key_id, head.seal = key_id, _seal(key, _head_content(head))
    head.save()
    return entries


def _locked_head() -> AuditHead:
    head, made = AuditHead.objects.select_for_update().get_or_create(pk=HEAD)
    last = AuditEntry.objects.order_by("number").last() if made else None
    if last is not None:
        # Somebody took the row away: a number is left out, so that it stays visible.
        head.number, head.last_seal = last.number + 1, last.seal
    return head


def verify() -> Iterator[Fault]:
    """Yield every fault of the log in order: nothing for one that is whole.

    A changed row is `edited`, a gap `missing`, a row of another copy of the log
    `replaced`, rows taken off the end `cut_off`, and `unknown_key` says that AUDIT_KEY
    lacks a key that sealed them. It sees nothing of an older copy put in place of all.
    """
    keys = _keys(settings.AUDIT_KEYS)
    before, expected = BEGINNING, 1
    for entry in AuditEntry.objects.order_by("number").iterator(ROWS_A_CHUNK):
        if entry.number != expected:
            yield _gap(expected, entry.number - 1)
        elif entry.previous != before:
            detail = "It doesn't follow the row before it."
            yield Fault(entry.number, "replaced", detail)
        if entry.key_id not in keys:
            detail = f"AUDIT_KEY has no key {entry.key_id}, which sealed it."
            yield Fault(entry.number, "unknown_key", detail)
        elif not _fits(keys[entry.key_id], _content(entry), entry.seal):
            yield Fault(entry.number, "edited", "Its content doesn't fit its seal.")
        before, expected = entry.seal, entry.number + 1
    yield from _check_head(keys, last=expected - 1, seal=before)


def _check_head(keys: dict[str, bytes], *, last: int, seal: str) -> Iterator[Fault]:
    head = AuditHead.objects.filter(pk=HEAD).first()
    if head is None:
        if last:
            yield Fault(last, "head_missing", "The row that counts the log is gone.")
        return
    key = keys.get(head.key_id)
    if key is None:
        detail = f"AUDIT_KEY has no key {head.key_id}, which sealed the count."
        yield Fault(head.number, "unknown_key", detail)
    elif not _fits(key, _head_content(head), head.seal):
        yield Fault(head.number, "head_edited", "The log's count was changed.")
    elif head.number > last:
        yield Fault(
            last + 1,
            "cut_off",
            f"The last {head.number - last} rows are missing: {head.number} were "
            "written.",
        )
    elif (head.number, head.last_seal) != (last, seal):
        yield Fault(last, "replaced", "The last row is not the one that was written.")


def _gap(first: int, last: int) -> Fault:
    rows = f"Row {first} is" if first == last else f"Rows {first} to {last} are"
    return Fault(first, "missing", f"{rows} missing.")


@lru_cache(maxsize=4)
def _keys(secrets: tuple[str, ...]) -> dict[str, bytes]:
    """Return the keys by their public ids; the first one seals."""
    derived = [
        hmac.digest(secret.encode(), b"rollbook/audit-log/1", "sha256")
        for secret in secrets
    ]
    return {hashlib.sha256(b"audit-key" + key).hexdigest()[:16]: key for key in derived}


def _content(entry: AuditEntry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "event": entry.event,
        "actor": entry.actor_id,
        "subject": entry.subject,
        "subject_id": entry.subject_id,
        "details": entry.details,
        "previous": entry.previous,
    }


def _head_content(head: AuditHead) -> dict[str, Any]:
    return {"head": head.number, "last_seal": head.last_seal}


def _seal(key: bytes, content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _fits(key: bytes, content: dict[str, Any], seal: str) -> bool:
    return hmac.compare_digest(_seal(key, content), seal)


def plain(value: Any) -> Any:
    """Return a value as the database will give it back, whichever it is."""
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        # PostgreSQL keeps decimals: it knows no minus nought, and gives a large float
        # without a fraction back as a whole number.
        number = float(value)
        return int(number) if number.is_integer() else number
    return str(value)
