"""Show the main job in the terminal: enrol, take one photo, print the register.

Works in a database of its own in memory; the school's is not touched.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from attendance import demo
from attendance.models import Record
from attendance.recognition import GroupResult, mark_group
from faces import runtime
from faces.engine.samples import close_ups, packaged_group_photo


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--photos",
            type=Path,
            metavar="FOLDER",
            help="Only write the demo's photos into a folder, to try the API with.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["photos"]:
            self.write_photos(options["photos"])
            return
        with database_in_memory():
            call_command("migrate", verbosity=0, interactive=False)
            self.show()

    def write_photos(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        people = close_ups(runtime.get_engine())
        for number, photo in enumerate(people, start=1):
            (folder / f"person-{number}.jpg").write_bytes(photo)
        (folder / "group.jpg").write_bytes(packaged_group_photo().read_bytes())
        self.stdout.write(f"{len(people)} people and their group photo are in {folder}")

    def show(self) -> None:
        started = time.perf_counter()
        engine = runtime.get_engine()
        self.say(f"Engine     {engine.model_id} on {engine.provider}", started)

        school = demo.build()
        started = time.perf_counter()
        demo.enrol_faces(school, demo.photos())
        self.say(f"Enrolled   {len(school.students)} students, one photo each", started)

        photo = packaged_group_photo().read_bytes()
        started = time.perf_counter()
        result = mark_group(school.enrolled, [photo], by=school.teachers[0])
        self.say(f"Marked     {len(result.recognised)} from one group photo", started)
        self.print_register(school, result)

    def say(self, text: str, started: float) -> None:
        milliseconds = (time.perf_counter() - started) * 1000
        self.stdout.write(f"{text:<58}{milliseconds:>8.0f} ms")

    def print_register(self, school: demo.School, result: GroupResult) -> None:
        self.stdout.write(f"\n{school.enrolled.class_name}, today")
        self.stdout.write(f"{'Student':<20}{'Status':<12}{'Similarity':>10}")
        for record in Record.objects.select_related("student").order_by(
            "student__full_name"
        ):
            self.stdout.write(
                f"{record.student.full_name:<20}{record.get_status_display():<12}"
                f"{record.confidence_score or 0:>10.2f}"
            )
        for student in result.not_seen:
            self.stdout.write(f"{student.full_name:<20}{'not seen':<12}")
        self.stdout.write(
            f"\nA face counts from a similarity of {runtime.threshold():.2f}. "
            "The photo was read in memory and is gone."
        )


@contextmanager
def database_in_memory() -> Iterator[None]:
    """Put an empty SQLite database in place of the configured one."""
    configured = connections.settings["default"]
    connections["default"].close()
    connections.settings["default"] = {
        **configured,
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {},
    }
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = configured
        del connections["default"]
