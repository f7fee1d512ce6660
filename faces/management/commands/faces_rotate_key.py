"""Encrypt every face template again with the first key of FACE_TEMPLATE_KEY."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from faces import vault
from faces.gallery import open_template
from faces.models import FaceTemplate

BATCH = 200  # rows a transaction: a stop in between loses nothing and can be resumed


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        old = FaceTemplate.objects.exclude(key_id=vault.active_key_id())
        waiting = list(old.values_list("pk", flat=True))
        if not waiting:
            self.stdout.write("All templates are encrypted with the first key already.")
            return
        broken: list[int] = []
        for start in range(0, len(waiting), BATCH):
            broken += rotate(waiting[start : start + BATCH])
            done = min(start + BATCH, len(waiting))
            self.stdout.write(f"\r{done} of {len(waiting)} templates", ending="")
            self.stdout.flush()
        self.stdout.write("")
        if broken:
            listed = ", ".join(str(pk) for pk in broken)
            raise CommandError(
                f"{len(broken)} templates can't be opened and were left as they are "
                f"({listed}). Is their key still in FACE_TEMPLATE_KEY?"
            )
        self.stdout.write("Done. The older keys can be taken out of FACE_TEMPLATE_KEY.")


@transaction.atomic
def rotate(template_ids: list[int]) -> list[int]:
    """Seal some templates with the first key; return the ids of the broken ones."""
    broken = []
    templates = FaceTemplate.objects.select_for_update().filter(pk__in=template_ids)
    for template in templates:
        embedding = open_template(template)
        if embedding is None:
            broken.append(template.pk)
            continue
        template.key_id, template.sealed_embedding = vault.seal(
            embedding, student_id=template.student_id, model_id=template.model_id
        )
        template.save(update_fields=["key_id", "sealed_embedding"])
    return broken
