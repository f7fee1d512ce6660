"""Create an admin: `manage.py create_admin --teacher-id … --full-name … --email …`."""

import os
import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from accounts.models import Role, User

PASSWORD_VARIABLE = "ADMIN_PASSWORD"  # noqa: S105 - the name, not a password


class Command(BaseCommand):
    help = (
        "Create an admin. The password comes from --password, from the environment "
        f"variable {PASSWORD_VARIABLE}, or is asked for."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--teacher-id", required=True, help="The school's code.")
        parser.add_argument("--full-name", required=True)
        parser.add_argument("--email", required=True, help="The login.")
        parser.add_argument(
            "--password",
            help="Others on this machine may see it in the list of processes: "
            f"{PASSWORD_VARIABLE} or the prompt is safer.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        admin = User(
            teacher_id=options["teacher_id"].strip(),
            full_name=options["full_name"].strip(),
            email=options["email"],
            role=Role.ADMIN,
        )
        try:
            refuse_faults(lambda: admin.full_clean(exclude=["password"]))
        except DatabaseError as error:
            raise CommandError(
                f"The database can't be asked ({error}). If it is new, run "
                "`manage.py migrate` first."
            ) from error
        password = options["password"] or os.environ.get(PASSWORD_VARIABLE)
        password = password or ask_password()
        refuse_faults(lambda: validate_password(password, admin), field="password")
        admin.set_password(password)
        admin.save()
        self.stdout.write(
            self.style.SUCCESS(f"Created the admin {admin.full_name} <{admin.email}>.")
        )


def ask_password() -> str:
    """Ask twice; raises CommandError if nobody is there or the two differ."""
    if not sys.stdin.isatty():
        raise CommandError(
            f"No password: give --password, set {PASSWORD_VARIABLE}, "
            "or run this in a terminal."
        )
    try:
        password = getpass("Password: ")
        if getpass("Password again: ") != password:
            raise CommandError("The two passwords differ; nothing was created.")
    except (KeyboardInterrupt, EOFError) as error:
        raise CommandError("Stopped; nothing was created.") from error
    return password


def refuse_faults(check: Any, *, field: str = "") -> None:
    """Run a check; raises CommandError with all its faults in one line."""
    try:
        check()
    except ValidationError as error:
        if hasattr(error, "error_dict"):
            faults = [
                f"{name}: {' '.join(messages)}"
                for name, messages in error.message_dict.items()
            ]
        else:
            faults = [f"{field}: {' '.join(error.messages)}"]
        raise CommandError(" ".join(faults)) from error
