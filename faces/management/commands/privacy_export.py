"""Write down all that is held of one student, for a family that asks."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.template.loader import render_to_string

from classroom.erasure import export
from classroom.holdings import as_json
from classroom.models import Student
from classroom.privacy_views import sections
from faces.gallery import open_template
from faces.management.students import student_of
from faces.models import FaceTemplate

OWNER_ALONE = 0o600


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("student", help="the school's code of the student")
        parser.add_argument(
            "--format", choices=["json", "html"], default="json", help="%(default)s"
        )
        parser.add_argument(
            "--output", help="a new file, readable by you alone; else it is printed"
        )
        parser.add_argument(
            "--with-embeddings",
            action="store_true",
            help="add the decrypted numbers of the face templates: who has them has "
            "the face in the form that machines know it",
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        student = student_of(options["student"])
        held = export(student, by=None)
        if options["with_embeddings"]:
            held["held"]["embeddings"] = embeddings(student)
        if options["format"] == "json":
            text = as_json(held)
        else:
            context = {"student": student, "export": held, "sections": sections(held)}
            text = render_to_string("privacy/export.html", context)
        if options["output"]:
            self.write(Path(options["output"]), text)
        else:
            self.stdout.write(text)

    def write(self, path: Path, text: str) -> None:
        """Write a file that was not there before and that nobody else may read."""
        try:
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        self.stdout.write(f"Written to {path}. Delete it when it has been handed over.")


def embeddings(student: Student) -> list[dict[str, Any]]:
    """Return a student's templates opened; a broken one has no numbers."""
    found = []
    for template in FaceTemplate.objects.filter(student=student):
        vector = open_template(template)
        numbers = None if vector is None else [float(number) for number in vector]
        found.append({"template": template.pk, "numbers": numbers})
    return found
