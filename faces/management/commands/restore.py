"""Put a backup in the place of the database, all at once, or only try it (--check)."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from accounts.errors import DomainError
from faces import backups, passphrases
from faces.backups import Summary


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--check",
            action="store_true",
            help="read it to its end, open every face template, and change nothing",
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="even where the database holds people: they are gone then",
        )
        parser.add_argument(
            "--without-faces",
            action="store_true",
            help="even where no key opens the templates: all faces are enrolled anew",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.run(options)
        except DomainError as error:
            raise CommandError(error.detail) from error
        except DatabaseError as error:
            words = f"The database refused it and is as it was: {type(error).__name__}."
            raise CommandError(words) from error

    def run(self, options: dict[str, Any]) -> None:
        path, passphrase = options["file"], passphrases.of_backup(new=False)
        summary = self.tried(path, passphrase, lost=options["without_faces"])
        self.stdout.write(f"The backup of {summary.made_at} is whole:")
        for table, number in sorted(summary.counts.items()):
            if number:
                self.stdout.write(f"  {number:>9,} {table}")
        if options["check"]:
            return
        number = backups.restore(
            path, passphrase, summary=summary, replace=options["replace"]
        )
        self.stdout.write(f"Restored {number} rows. Everybody logs in anew.")

    def tried(self, path: Path, passphrase: str, *, lost: bool) -> Summary:
        """Read a backup to its end with the key at hand, or one that is asked for."""
        summary = backups.inspect(path, passphrase, settings.FACE_TEMPLATE_KEYS)
        shut = len(summary.broken)
        if not shut or lost:
            return summary
        self.stderr.write(f"FACE_TEMPLATE_KEY doesn't open {shut} face templates.")
        given = passphrases.template_key()
        keys = (*settings.FACE_TEMPLATE_KEYS, *given)
        if not given or backups.inspect(path, passphrase, keys).broken:
            raise CommandError(
                f"{shut} face templates stay shut, and nothing was changed. Set "
                "FACE_TEMPLATE_KEY to the key of the time of the backup, or use "
                "--without-faces and enrol all faces again."
            )
        self.stderr.write(
            "This key does. Add it to FACE_TEMPLATE_KEY before you go on:"
        )
        self.stderr.write("the site needs it for every photo.")
        return summary
