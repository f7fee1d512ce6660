"""Let somebody who typed five wrong passwords try again at once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts.lockout import unlock


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="The login.")
        parser.add_argument("--address", help="Only for tries from this address.")

    def handle(self, *args: Any, **options: Any) -> None:
        if unlock(options["email"], address=options["address"], by=None):
            self.stdout.write(f"{options['email']} may sign in again.")
        else:
            self.stdout.write(f"Nothing is in the way of {options['email']}.")
