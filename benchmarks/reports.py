"""Time the reports on a demo school of 10 classes x 40 students x 200 sessions.

    .venv/bin/python -m benchmarks.reports [--postgres URL] [--runs 15]

Builds the school in a temporary SQLite database, and in an empty PostgreSQL database
where one is named, asks Django for each report over all its sessions in a process of
its own (no network, no web server), and writes benchmarks/reports.md. Fails if the
median of a class's report is above 300 ms. Where median and processor's time lie far
apart, the machine was busy with something else.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "reports.md"
SIZE = "10x40x200"
LIMIT_MS = 300
LIMITED = "class"
DATABASES = ("SQLite", "PostgreSQL")


@dataclass(frozen=True)
class Line:
    """One report's figures on one database."""

    name: str
    median_ms: float
    slowest_ms: float
    processor_ms: float
    queries: int
    kilobytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", metavar="URL", help="an empty database")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--in-this-process", action="store_true")
    options = parser.parse_args()
    if options.in_this_process:
        print(json.dumps([asdict(line) for line in measured(options.runs)]))
        return
    with tempfile.TemporaryDirectory() as folder:
        urls = [f"sqlite:///{Path(folder) / 'school.sqlite3'}"]
        urls += [options.postgres] if options.postgres else []
        tables = {
            name: in_a_process(url, options.runs)
            for name, url in zip(DATABASES, urls, strict=False)
        }
    report = written(tables, options.runs)
    RESULT.write_text(report, encoding="utf-8")
    print(report)
    slow = [
        f"{database}: {line.name}"
        for database, lines in tables.items()
        for line in lines
        if line.name.startswith(LIMITED) and line.median_ms > LIMIT_MS
    ]
    if slow:
        sys.exit(f"Over {LIMIT_MS} ms: {', '.join(slow)}")


def in_a_process(url: str, runs: int) -> list[Line]:
    command = [sys.executable, "-m", "benchmarks.reports", "--in-this-process"]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "attendance_site.settings",
        "DATABASE_URL": url,
        "PUBLIC_URL": "http://localhost:8000",
        "REDIS_URL": "",
        "DEBUG": "0",
        "SECRET_KEY": "benchmark-only-" + "0123456789abcdefghij" * 3,
        "FACE_TEMPLATE_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    }
    done = subprocess.run(  # noqa: S603
        [*command, "--runs", str(runs)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    return [Line(**line) for line in json.loads(done.stdout.splitlines()[-1])]


def measured(runs: int) -> list[Line]:
    """Build the school in the database of the environment and ask for each report."""
    import django

    django.setup()
    logging.disable(logging.INFO)
    from django.core.management import call_command
    from django.db import connection

    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        call_command("migrate", verbosity=0)
        call_command("demo_school", size=SIZE, stdout=nowhere, stderr=nowhere)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as autovacuum does within minutes
    return list(ask_for_each(runs))


def reports() -> dict[str, str]:
    """Return the address of each report over all sessions, as an admin."""
    from attendance.models import Session
    from classroom.models import Classroom, Student

    classroom, student = Classroom.objects.first(), Student.objects.first()
    session = Session.objects.first()
    assert classroom and student and session
    pages, calls, files = "/app/reports", "/reports", "/export/reports"
    every, of_class = "?start=&end=", f"?class_id={classroom.pk}"
    return {
        "class, page": f"{pages}/classes/{classroom.pk}/{every}",
        "class, call": f"{calls}/classes/{classroom.pk}",
        "class, CSV": f"{files}/class{of_class}",
        "sessions of a class, page": f"{pages}/classes/{classroom.pk}/sessions/{every}",
        "grid of a class, page": f"{pages}/classes/{classroom.pk}/grid/{every}",
        "grid of a class, CSV": f"{files}/grid{of_class}",
        "grid of a class, XLSX": f"{files}/grid{of_class}&format=xlsx",
        "session, page": f"{pages}/sessions/{session.pk}/",
        "student, page": f"{pages}/students/{student.pk}/{every}",
        "school, page": f"{pages}/{every}",
        "school of 30 days, page": f"{pages}/",
        "absence lists, page": f"{pages}/absences/{every}",
    }


def ask_for_each(runs: int) -> Iterator[Line]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(email="admin@demo.school"))
    for name, address in reports().items():
        asked(client, address)  # fills the caches of the process, as the first visitor
        with CaptureQueriesContext(connection) as found:
            size = asked(client, address)
            queries = len(found)
        taken, busy = [], []
        for _run in range(runs):
            started, working = time.perf_counter(), time.process_time()
            asked(client, address)
            taken.append((time.perf_counter() - started) * 1000)
            busy.append((time.process_time() - working) * 1000)
        median = statistics.median
        yield Line(name, median(taken), max(taken), median(busy), queries, size / 1000)


def asked(client: Any, address: str) -> int:
    """Return the bytes of the answer; a file is read to its end."""
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return len(
        b"".join(answer.streaming_content) if answer.streaming else answer.content
    )


def written(tables: dict[str, list[Line]], runs: int) -> str:
    classes, students, sessions = (int(part) for part in SIZE.split("x"))
    parts = [
        "# Server time of the reports",
        "",
        "Made with `.venv/bin/python -m benchmarks.reports --postgres URL`: "
        f"{classes} classes of {students} students with {sessions} sessions each,",
        f"{classes * students * sessions:,} lines, and every report over all of them; "
        f"one process, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{runs} runs a report.",
        f"The target is {LIMIT_MS} ms at the median for a class's report.",
    ]
    for database, lines in tables.items():
        worst = max(
            (line for line in lines if line.name.startswith(LIMITED)),
            key=lambda line: line.median_ms,
        )
        parts += [
            "",
            f"## {database}",
            "",
            f"A class's report: {worst.median_ms:.0f} ms ({worst.name}).",
            "",
            "| report | median ms | slowest ms | processor ms | queries | kB |",
            "|---|---|---|---|---|---|",
        ]
        parts += [
            f"| {line.name} | {line.median_ms:.0f} | {line.slowest_ms:.0f} "
            f"| {line.processor_ms:.0f} | {line.queries} | {line.kilobytes:.0f} |"
            for line in lines
        ]
    return "\n".join([*parts, ""])


if __name__ == "__main__":
    main()
