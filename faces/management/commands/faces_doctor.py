"""Check the face engine: what runs, how fast, and what to change."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from faces.diagnosis import Diagnosis, diagnose


class Command(BaseCommand):
    help = "Check the face engine; the exit code is 1 where something is wrong."
    requires_system_checks = []  # it is there to mend what they find

    def handle(self, *args: Any, **options: Any) -> None:
        found = diagnose()
        for label, value in lines_of(found):
            self.stdout.write(f"{label:<20} {value}")
        for line in found.advice:
            self.stdout.write(self.style.WARNING(f"Advice: {line}"))
        for line in found.faults:
            self.stdout.write(self.style.ERROR(f"Wrong: {line}"))
        if not found.healthy:
            raise CommandError(f"Found wrong: {len(found.faults)}.")
        self.stdout.write(self.style.SUCCESS("The face engine is well."))


def lines_of(found: Diagnosis) -> list[tuple[str, str]]:
    lines = list(found.versions.items())
    lines += [
        ("device asked for", found.device),
        ("providers there", ", ".join(found.available)),
        ("providers running", ", ".join(found.running) or "none"),
        ("threads a photo", str(found.threads)),
        ("photos may wait", str(found.queue)),
    ]
    if found.pack is not None:
        pack = found.pack
        lines += [
            ("model", f"{pack.model_id} ({pack.dimension} numbers, {pack.licence})"),
            ("threshold", f"{pack.threshold} ({pack.threshold_source})"),
            ("detector sha256", pack.detector.sha256),
            ("recogniser sha256", pack.recogniser.sha256),
        ]
    if found.timing is not None:
        timing = found.timing
        size = f"{timing.width} x {timing.height}, {timing.faces} faces"
        lines += [
            ("detection", f"{timing.detection:.1f} ms ({size}, as 640 pixels)"),
            ("second look", f"{timing.second_look:.1f} ms for all faces"),
        ]
        if timing.faces:
            lines.append(("embedding", f"{timing.embedding_per_face:.1f} ms a face"))
    if found.memory:
        now, most = found.memory["now"], found.memory["most"]
        lines.append(("memory", f"{now:.0f} MB now, {most:.0f} MB at most"))
    return lines
