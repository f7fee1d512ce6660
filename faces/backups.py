"""Back up the whole installation into one encrypted file, check it, and restore it.

The key of the face templates is never in it: whoever finds a backup and guesses its
passphrase still has no face. A restore asks for that key and tries it on every
template before it touches the database.
"""

import contextlib
import gzip
import io
import json
import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts import audit, backup_rows
from accounts.audit import Event
from accounts.backup_archive import ArchiveReader, ArchiveWriter, BackupUnreadable
from accounts.errors import DomainError
from accounts.models import User
from faces import gallery, vault
from faces.models import FaceTemplate

FORMAT: Final = 1
TEMPLATES: Final = "faces.facetemplate"
PART: Final = ".rollbook-part"
DAY: Final = 24 * 3600  # seconds
COMPRESSION: Final = 6  # zlib's middle: sealed templates don't get smaller anyway

Migrations = list[list[str]]


class BackupRefused(DomainError):
    code = "backup_refused"
    default_detail = "This backup can't be restored here."


@dataclass(frozen=True, slots=True)
class Summary:
    """What is in a backup, and which templates the keys at hand can't open."""

    made_at: str
    migrations: Migrations
    counts: dict[str, int]
    broken: list[int] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(self.counts.values())


# --- Making one ---------------------------------------------------------------------


def make(path: Path, passphrase: str) -> Summary:
    """Write a backup that is there whole or not at all, while the site goes on.

    Raises BackupRefused where the file exists or the database lacks migrations, and
    OSError where the file can't be written.
    """
    if path.exists():
        raise BackupRefused(f"{path} exists already; a backup overwrites nothing.")
    _remove_leftovers(path.parent)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(part, flags, 0o600), "wb") as target:
            summary = write(target, passphrase)
            target.flush()
            os.fsync(target.fileno())
        # Read again before it gets its name: a disk that lies is found today.
        inspect(part, passphrase)
        part.replace(path)
        _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)
    audit.write(Event.BACKUP, by=None, rows=summary.rows)
    return summary


def write(target: IO[bytes], passphrase: str) -> Summary:
    """Write a backup to an open file or a pipe; raises BackupRefused."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise BackupRefused("The database is older than this version: migrate first.")
    archive = ArchiveWriter(target, passphrase)
    packed = gzip.GzipFile("", "wb", COMPRESSION, archive, mtime=0)
    with backup_rows.snapshot(), packed:
        manifest = {
            "format": FORMAT,
            "made_at": timezone.now().isoformat(timespec="seconds"),
            "migrations": _applied(),
        }
        last = json.dumps(manifest)
        packed.write(f"{last}\n".encode())
        for last in backup_rows.lines(apps):
            packed.write(last.encode())
    archive.finish()
    counts = json.loads(last)["end"]
    return Summary(str(manifest["made_at"]), _applied(), counts)


def _applied() -> Migrations:
    loader = MigrationExecutor(connection).loader
    applied = set(loader.applied_migrations) & set(loader.disk_migrations)
    return sorted([app, name] for app, name in applied)


def _remove_leftovers(folder: Path) -> None:
    """Remove what a killed backup left behind: encrypted, and of no use."""
    limit = time.time() - DAY
    for left in folder.glob(f".*{PART}"):
        with contextlib.suppress(FileNotFoundError):
            if left.stat().st_mtime < limit:
                left.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut; Windows can't open a folder."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- Reading one --------------------------------------------------------------------


def inspect(path: Path, passphrase: str, keys: tuple[bytes, ...] = ()) -> Summary:
    """Read a backup to its end; raises BackupUnreadable unless it is whole.

    With `keys` every template is opened, and those that stay shut are named.
    """
    with _opened(path, passphrase) as reading:
        manifest = _manifest(next(reading, ""))
        counts: Counter[str] = Counter()
        broken: list[int] = []
        end = None
        table, names = "", list[str]()
        for line in reading:
            value = json.loads(line)
            if isinstance(value, list):
                counts[table] += 1
                if table == TEMPLATES and keys:
                    broken += _shut(dict(zip(names, value, strict=True)), keys)
            elif "end" in value:
                end = value["end"]
            else:
                table, names = value["table"], value["columns"]
                counts[table] = 0
    if end != dict(counts):
        raise BackupUnreadable("The backup is incomplete.")
    return Summary(manifest["made_at"], manifest["migrations"], dict(counts), broken)


@contextlib.contextmanager
def _opened(path: Path, passphrase: str) -> Iterator[Iterator[str]]:
    archive = io.BufferedReader(ArchiveReader(path, passphrase))
    with archive, gzip.open(archive, "rt", encoding="utf-8") as lines:
        try:
            yield iter(lines)
        except (ValueError, EOFError, OSError) as error:
            raise BackupUnreadable("The backup is damaged.") from error


def _manifest(line: str) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(line or "{}")
    if manifest.get("format") != FORMAT:
        raise BackupUnreadable("The backup was made by another version of Rollbook.")
    return manifest


def _shut(row: dict[str, Any], keys: tuple[bytes, ...]) -> list[int]:
    """Return the template's id in a list, or [] where a key opens it."""
    template = FaceTemplate()
    for name in ("id", "key_id", "student_id", "model_id", "dimension"):
        setattr(template, name, row[name])
    sealed = FaceTemplate._meta.get_field("sealed_embedding")
    try:
        vault.open_sealed(
            bytes(sealed.to_python(row["sealed_embedding"])),
            key_id=template.key_id,
            student_id=template.student_id,
            model_id=template.model_id,
            dimension=template.dimension,
            keys=keys,
        )
    except vault.SealBroken:
        return [template.id]
    return []


# --- Restoring one ------------------------------------------------------------------


def restore(
    path: Path,
    passphrase: str,
    *,
    summary: Summary,
    replace: bool = False,
    by: User | None = None,
) -> int:
    """Put a backup in the place of all rows, at once or not at all; return how many.

    `summary` is what `inspect` said of it. Raises BackupRefused where the database
    holds people and `replace` isn't asked for, or where the versions don't fit.
    """
    states = _prepare(summary, replace=replace)
    with transaction.atomic(), _opened(path, passphrase) as reading:
        next(reading)
        number = backup_rows.replace_all(states, _groups(reading))
    ContentType.objects.clear_cache()
    gallery.forget()
    call_command("migrate", interactive=False, verbosity=0)
    audit.write(Event.RESTORED, by=by, rows=number, made_at=summary.made_at)
    return number


def _prepare(summary: Summary, *, replace: bool) -> Any:
    """Bring the tables to the backup's version; return its models."""
    executor = MigrationExecutor(connection)
    wanted = {(app, name) for app, name in summary.migrations}
    if unknown := wanted - set(executor.loader.disk_migrations):
        app, name = min(unknown)
        raise BackupRefused(
            f"The backup was made by a newer version (it has {app}.{name}): install "
            "that one first."
        )
    applied = {(app, name) for app, name in _applied()}
    if applied and _people() and not replace:
        raise BackupRefused(
            "The database holds people already. --replace puts the backup in the "
            "place of everything there."
        )
    if applied and applied != wanted:
        raise BackupRefused(
            "The backup is of an older version than the database: restore it into a "
            "database without tables, and it is brought up to date."
        )
    last = _last_of_each(wanted, executor)
    if not applied:
        executor.migrate(last)
    return executor.loader.project_state(last).apps


def _last_of_each(
    wanted: set[tuple[str, str]], executor: MigrationExecutor
) -> list[tuple[str, str]]:
    """Return the migrations of a set that no other one of it builds on."""
    nodes = executor.loader.graph.node_map
    known = [key for key in wanted if key in nodes]  # squashed ones are not
    return [
        key
        for key in known
        if not any(child.key in wanted for child in nodes[key].children)
    ]


def _people() -> bool:
    table = User._meta.db_table
    return table in connection.introspection.table_names() and User.objects.exists()


def _groups(
    reading: Iterator[str],
) -> Iterator[tuple[str, list[str], Iterator[list[Any]]]]:
    """Yield each table with its columns and rows, read as they are asked for."""
    heads: list[dict[str, Any]] = []

    def rows() -> Iterator[list[Any]]:
        for line in reading:
            value = json.loads(line)
            if not isinstance(value, list):
                heads.append(value)
                return
            yield value

    for _ in rows():  # the first line is a head
        raise BackupUnreadable("The backup is damaged.")
    while heads and "table" in heads[-1]:
        head = heads.pop()
        yield head["table"], head["columns"], rows()
