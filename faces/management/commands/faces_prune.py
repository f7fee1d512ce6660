"""Remove the face templates of models that are no longer in use."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from faces import runtime
from faces.engine.errors import EngineError
from faces.models import FaceTemplate
from faces.services import needs_new_photo


class Command(BaseCommand):
    help = (
        "Remove face templates of other models than the active one. Only counts "
        "without --delete."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--delete", action="store_true", help="really remove them")
        parser.add_argument(
            "--model-id", default="", help="only those of this model, as listed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            active = runtime.active_model_id()
        except EngineError as error:
            raise CommandError(str(error)) from error
        if options["model_id"] == active:
            raise CommandError(f"{active} is in use: its templates stay.")
        old = FaceTemplate.objects.of_other_models(active)
        if options["model_id"]:
            old = old.of_model(options["model_id"])
        counts = (
            old.order_by("model_id")
            .values_list("model_id")
            .annotate(Count("pk"), Count("student", distinct=True))
        )
        for model_id, templates, students in counts:
            self.stdout.write(
                f"{model_id}: {templates} templates of {students} students"
            )
        if not counts:
            self.stdout.write(f"Only {active} has templates: nothing to remove.")
            return
        self.warn(active)
        if not options["delete"]:
            self.stdout.write("Nothing was removed: run it again with --delete.")
            return
        removed, _kinds = old.delete()
        self.stdout.write(f"Removed {removed} templates. There is no way back.")

    def warn(self, active: str) -> None:
        waiting = needs_new_photo(model_id=active).count()
        if waiting:
            self.stdout.write(
                self.style.WARNING(
                    f"{waiting} students have no photo for {active} yet: without these "
                    "templates switching back does not help them any more."
                )
            )
