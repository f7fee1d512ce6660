"""Write the beginning of a data protection impact assessment of this installation."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from faces.dpia import assessment
from faces.engine.errors import EngineError


class Command(BaseCommand):
    help = (
        "Write the beginning of a data protection impact assessment (DPIA) in "
        "Markdown, filled in from the running configuration. What only the school "
        "knows is left open and marked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", help="a new file; else it is printed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = assessment()
        except EngineError as error:
            raise CommandError(str(error)) from error
        if not options["output"]:
            self.stdout.write(text)
            return
        try:
            with Path(options["output"]).open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}") from error
        self.stdout.write(f"Written to {options['output']}.")
