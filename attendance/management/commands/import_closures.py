"""Take a school's days off from an iCalendar file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from attendance.calendars import CalendarUnreadable, import_closures, read_calendar


class Command(BaseCommand):
    help = "Add or update the days off that an iCalendar file (.ics) holds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--dry-run", action="store_true", help="Show what is found, save nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        try:
            found = read_calendar(file.read_bytes())
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror}.") from error
        except CalendarUnreadable as error:
            raise CommandError(f"{file}: {error.detail}") from error
        for closure in found.closures:
            days = f"{closure.first_date} – {closure.last_date}"
            self.stdout.write(f"{days}  {closure.name}")
        for event in found.skipped:
            self.stdout.write(f"Left out: {event.name} ({event.reason})")
        if options["dry_run"]:
            self.stdout.write("Nothing was saved.")
            return
        done = import_closures(found.closures, by=None)
        self.stdout.write(f"Added {done.added}, updated {done.updated}.")
