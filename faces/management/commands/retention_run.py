"""Delete faces that must not be kept any longer, each with a receipt."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from classroom.models import Student
from faces import retention, runtime
from faces.consent import left_out


class Command(BaseCommand):
    help = (
        "Delete the faces of students who have left the school, whose consent was "
        "withdrawn or, where it is required, has expired. Only lists them without "
        "--delete. A worker does this every hour by itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--delete", action="store_true", help="really delete them")

    def handle(self, *args: Any, **options: Any) -> None:
        due = retention.due()
        for one in due:
            reason = one.reason.label
            self.stdout.write(f"{one.student}: {reason} (since {one.since})")
        self.say_who_waits()
        if not due:
            self.stdout.write("No face is due to be deleted.")
            return
        if not options["delete"]:
            self.stdout.write(
                f"Faces due: {len(due)}. Nothing was deleted: run it again with "
                "--delete."
            )
            return
        receipts = retention.run()
        self.stdout.write(f"Deleted faces, with a receipt each: {len(receipts)}.")

    def say_who_waits(self) -> None:
        """Name the faces that are kept and used by nobody: a choice for a person."""
        waiting = left_out(
            Student.objects.all(), model_id=runtime.active_model_id()
        ).count()
        if waiting:
            self.stdout.write(
                f"FACE_CONSENT={settings.FACE_CONSENT}: {waiting} enrolled students "
                "have no consent in force and are left out of every match."
            )
