"""Do what is due by the clock where no worker runs; meant for every few minutes."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts import jobs, lockout
from attendance import evidence
from attendance.tick import tick
from faces import retention


class Command(BaseCommand):
    help = (
        "Open today's sessions of the timetable, close those that have ended, excuse "
        "planned absences, and delete what must not be kept any longer. Safe to run "
        "twice, or on two machines."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = tick()
        # Where this is all that runs by the clock, nothing must lie for ever: archives,
        # faces of leavers, hashes of photos, failed log-ins.
        jobs.end_overdue()
        faces = retention.hourly()
        evidence.forget()
        lockout.forget()
        self.stdout.write(
            f"Opened {done.opened}, closed {done.closed}, excused {done.excused}, "
            f"deleted faces {faces}."
        )
