"""Erase a student, or the face alone, for good and with a receipt."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classroom.consent_models import ErasureReason, ErasureReceipt
from classroom.erasure import erase_student, what_is_held
from classroom.models import Student
from faces.erasure import erase_face
from faces.management.students import student_of

FACE_ALONE = ("face_templates", "look_alikes")


class Command(BaseCommand):
    help = (
        "Erase all that is held of a student, or the face alone. Says first what it "
        "is and asks; --dry-run only says it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("student", help="the school's code of the student")
        parser.add_argument(
            "--face-only", action="store_true", help="keep the student and the register"
        )
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--dry-run", action="store_true", help="change nothing")
        how.add_argument("--yes", action="store_true", help="don't ask")

    def handle(self, *args: Any, **options: Any) -> None:
        student = student_of(options["student"])
        face_only = options["face_only"]
        self.say_what_goes(student, face_only)
        if options["dry_run"]:
            self.stdout.write("Nothing was erased.")
            return
        if not options["yes"]:
            self.ask(student)
        self.say_receipt(erase(student, face_only))

    def say_what_goes(self, student: Student, face_only: bool) -> None:
        self.stdout.write(f"{student}:")
        for held in what_is_held(student):
            if not held.number:
                continue
            goes = held.goes and (not face_only or held.name in FACE_ALONE)
            fate = "is erased" if goes else "stays"
            self.stdout.write(f"  {held.title}: {held.number} {fate}")

    def ask(self, student: Student) -> None:
        self.stdout.write("There is no way back but a backup.")
        if input("Type the student's ID to go on: ").strip() != student.student_id:
            raise CommandError("That is another ID. Nothing was erased.")

    def say_receipt(self, receipt: ErasureReceipt | None) -> None:
        if receipt is None:
            self.stdout.write("There was no face to erase.")
            return
        self.stdout.write(
            f"Erased. Receipt {receipt.number}: /app/receipts/{receipt.pk}/\n"
            f"Backups from before hold it until {receipt.backups_until} "
            "(BACKUP_RETENTION_DAYS). After restoring one of them run this again."
        )


def erase(student: Student, face_only: bool) -> ErasureReceipt | None:
    if face_only:
        return erase_face(student, reason=ErasureReason.REQUEST, by=None)
    return erase_student(student, by=None)
