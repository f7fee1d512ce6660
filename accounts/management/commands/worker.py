"""Run jobs, and what is due by the clock, until SIGTERM or Ctrl+C."""

import logging
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from accounts import jobs, queue

logger = logging.getLogger(__name__)

# A job that is asked to end puts itself back at its next step.
SECONDS_TO_END = 20


class Pulse(threading.Thread):
    """Renew the leases of what runs here, and look for what was left lying."""

    def __init__(self) -> None:
        super().__init__(name="pulse", daemon=True)

    def run(self) -> None:
        while not jobs.stopping.wait(settings.JOB_LEASE_SECONDS / 3):
            self.once()

    def once(self) -> None:
        try:
            jobs.beat()
            jobs.sweep()
        except DatabaseError as error:
            # It may be restarting; the next beat finds out.
            logger.error("the database does not answer: %s", error)
        finally:
            connection.close()


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--threads",
            type=int,
            default=settings.WORKER_THREADS,
            help="jobs at once (WORKER_THREADS, %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        consumer = queue.get().huey.create_consumer(
            workers=options["threads"],
            worker_type="thread",
            max_delay=1.0,
            graceful_signal="TERM",
            shutdown_timeout=SECONDS_TO_END,
        )
        pulse = Pulse()
        pulse.once()
        pulse.start()
        # The consumer's own flag, so that a signal is seen by the jobs as well.
        watch = threading.Thread(target=_forward, args=(consumer.stop_flag,))
        watch.daemon = True
        watch.start()
        self.stderr.write(f"The worker runs with {options['threads']} threads.")
        consumer.run()


def _forward(stop_flag: Any) -> None:
    stop_flag.wait()
    jobs.stopping.set()
