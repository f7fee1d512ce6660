"""Open next year's classes with today's rosters and archive this year's.

Without `--yes` it only says what it would do. The admin has a page for the same that
can treat each class on its own.
"""

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import DomainError
from classroom.rollover import (
    current_years,
    first_day_of,
    following_year,
    preview,
    roll_over,
    steps_for,
)


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from", metavar="YEAR", help="The year that ends (default: the latest)."
        )
        parser.add_argument(
            "--to", metavar="YEAR", help="The next year (default: the one after)."
        )
        parser.add_argument(
            "--starts-on",
            type=dt.date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="First day of the new seats (default: 1 August, or today).",
        )
        parser.add_argument(
            "--raise-grade",
            action="store_true",
            help="Count up the first number of names and codes: 7A becomes 8A.",
        )
        parser.add_argument("--yes", action="store_true", help="Do it.")

    def handle(self, *args: Any, **options: Any) -> None:
        from_year = options["from"] or next(iter(current_years()), "")
        if not from_year:
            raise CommandError("There are no current classes to roll over.")
        to_year = options["to"] or following_year(from_year)
        if not to_year:
            raise CommandError(f"The year after '{from_year}' is unclear: give --to.")
        starts_on = options["starts_on"] or first_day_of(to_year)
        steps = steps_for(from_year, raise_grade=options["raise_grade"])
        try:
            self.show(preview(steps, school_year=to_year), to_year, starts_on)
            if not options["yes"]:
                self.stdout.write("Nothing was changed. Do it with --yes.")
                return
            done = roll_over(steps, school_year=to_year, starts_on=starts_on)
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(
            f"Opened {done.made}, archived {done.archived}, gave {done.seats} seats."
        )

    def show(self, lines: Any, to_year: str, starts_on: dt.date) -> None:
        self.stdout.write(f"{to_year}, from {starts_on}")
        for line in lines:
            there = " (is there already)" if line.target else ""
            self.stdout.write(
                f"  {line.step.classroom.class_code:<16} -> "
                f"{line.step.new_code:<16} {line.new:>4} students{there}"
            )
