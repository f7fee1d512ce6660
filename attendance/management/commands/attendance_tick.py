"""Open and close the sessions that are due; meant for every few minutes."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts import jobs
from attendance.tick import tick


class Command(BaseCommand):
    help = (
        "Open today's sessions of the timetable, close those that have ended and "
        "excuse planned absences. Safe to run twice, or on two machines."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = tick()
        # Where this is all that runs by the clock, archives must not lie for ever.
        jobs.end_overdue()
        self.stdout.write(
            f"Opened {done.opened}, closed {done.closed}, excused {done.excused}."
        )
