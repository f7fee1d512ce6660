"""Write everything but the keys into one encrypted file, while the site goes on."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.audit import Event
from accounts.errors import DomainError
from faces import backups, passphrases


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", help="a file that doesn't exist yet, or - for the standard output"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        passphrase = passphrases.of_backup(new=True)
        try:
            summary = self.write(options["file"], passphrase)
        except DomainError as error:
            raise CommandError(error.detail) from error
        except OSError as error:
            words = f"{options['file']} can't be written ({error.strerror})."
            raise CommandError(words) from error
        self.stderr.write(f"Backed up {summary.rows} rows of {summary.made_at}.")
        self.stderr.write(
            "FACE_TEMPLATE_KEY, SECRET_KEY and AUDIT_KEY are not in it: keep a copy of "
            "them elsewhere. Try it with: manage.py restore --check FILE"
        )

    def write(self, file: str, passphrase: str) -> backups.Summary:
        if file != "-":
            return backups.make(Path(file), passphrase)
        if sys.stdout.isatty():
            raise CommandError("A backup is no text: lead it into a file.")
        summary = backups.write(sys.stdout.buffer, passphrase)
        sys.stdout.buffer.flush()
        audit.write(Event.BACKUP, by=None, rows=summary.rows)
        return summary
