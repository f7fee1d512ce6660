"""Time every admin page on a demo school of 20 classes x 40 students x 60 days.

    .venv/bin/python benchmarks/admin.py [--size 20x40x60] [--runs 15]

Builds the school in a temporary SQLite database, asks Django for each page in this
process (no network, no web server), and writes benchmarks/admin.md: the median and the
slowest of the runs in milliseconds, the median of the processor's time, and the number
of queries. Fails if a median is above 400 ms. Where the two medians lie far apart, the
machine was busy with something else.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "admin.md"
LIMIT_MS = 400


@dataclass(frozen=True)
class Line:
    """One page's figures."""

    name: str
    median_ms: float
    slowest_ms: float
    processor_ms: float
    queries: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="20x40x60")
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start_django(Path(folder))
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        started = time.perf_counter()
        call_command("demo_school", size=options.size, stdout=open(os.devnull, "w"))  # noqa: PTH123, SIM115
        built = time.perf_counter() - started
        lines = list(measure(options.runs))
    report = written(lines, options.size, options.runs, built)
    RESULT.write_text(report, encoding="utf-8")
    print(report)
    slow = [line.name for line in lines if line.median_ms > LIMIT_MS]
    if slow:
        sys.exit(f"Over {LIMIT_MS} ms: {', '.join(slow)}")


def start_django(folder: Path) -> None:
    sys.path.insert(0, str(ROOT))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "attendance_site.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'school.sqlite3'}",
        "PUBLIC_URL": "http://localhost:8000",
        "REDIS_URL": "",
        "DEBUG": "0",
        "SECRET_KEY": "benchmark-only-" + "0123456789abcdefghij" * 3,
        "FACE_TEMPLATE_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    }
    import django

    django.setup()


def pages() -> dict[str, str]:
    from accounts.models import User
    from attendance.models import Record, Session
    from classroom.models import Classroom, Student

    classroom, student = Classroom.objects.first(), Student.objects.first()
    session, record = Session.objects.first(), Record.objects.first()
    teacher = User.objects.filter(classrooms__isnull=False).first()
    assert classroom and student and session and record and teacher
    classes, students = "/admin/classroom/classroom/", "/admin/classroom/student/"
    sessions, records = "/admin/attendance/session/", "/admin/attendance/record/"
    people, templates = "/admin/accounts/user/", "/admin/faces/facetemplate/"
    day = session.date
    look_up = "app_label=classroom&model_name=enrollment"
    return {
        "overview": "/admin/",
        "engine": "/admin/engine/",
        "teachers": people,
        "a teacher": f"{people}{teacher.pk}/change/",
        "delete a teacher": f"{people}{teacher.pk}/delete/",
        "classes": classes,
        "a class": f"{classes}{classroom.pk}/change/",
        "delete a class": f"{classes}{classroom.pk}/delete/",
        "roll-over": f"{classes}roll-over/",
        "students": students,
        "students, search": f"{students}?q=adeyemi",
        "students without a face": f"{students}?class=any&face=none",
        "students of a class": f"{students}?class={classroom.pk}",
        "a student": f"{students}{student.pk}/change/",
        "delete a student": f"{students}{student.pk}/delete/",
        "look up a student": f"/admin/autocomplete/?term=ada&{look_up}"
        "&field_name=student",
        "face templates": templates,
        "sessions": sessions,
        "sessions of a class": f"{sessions}?class={classroom.pk}",
        "a session": f"{sessions}{session.pk}/change/",
        "records": records,
        "records, last page": f"{records}?p={Record.objects.count() // 50}",
        "records, search": f"{records}?q=adeyemi",
        "records of a class": f"{records}?class={classroom.pk}",
        "records of a day": f"{records}?session__date__year={day.year}"
        f"&session__date__month={day.month}&session__date__day={day.day}",
        "absent records": f"{records}?status__exact=absent",
        "a record": f"{records}{record.pk}/change/",
        "a record's history": f"{records}{record.pk}/history/",
    }


def measure(runs: int) -> Iterator[Line]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User

    client = Client(headers={"host": "localhost"})
    admin = User.objects.get(email="admin@demo.school")
    client.force_login(admin)
    for name, address in pages().items():
        asked(client, address)  # fills the caches of the process, as the first visitor
        with CaptureQueriesContext(connection) as found:
            asked(client, address)
            queries = len(found)
        taken, busy = [], []
        for _run in range(runs):
            started, working = time.perf_counter(), time.process_time()
            asked(client, address)
            taken.append((time.perf_counter() - started) * 1000)
            busy.append((time.process_time() - working) * 1000)
        median = statistics.median
        yield Line(name, median(taken), max(taken), median(busy), queries)


def asked(client: Any, address: str) -> None:
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, (address, answer.status_code)


def written(lines: list[Line], size: str, runs: int, built: float) -> str:
    rows = [
        f"| {line.name} | {line.median_ms:.0f} | {line.slowest_ms:.0f} "
        f"| {line.processor_ms:.0f} | {line.queries} |"
        for line in lines
    ]
    worst = max(lines, key=lambda line: line.median_ms)
    busiest = max(lines, key=lambda line: line.processor_ms)
    classes, students, days = (int(part) for part in size.split("x"))
    return "\n".join(
        [
            "# Server time of the admin's pages",
            "",
            f"Made with `.venv/bin/python benchmarks/admin.py --size {size}`: "
            f"{classes} classes of {students} students, {days} days of registers,",
            "three templates a student; SQLite, one process, "
            f"{os.cpu_count()} cores, Python {platform.python_version()}, {runs} runs "
            f"a page. The school was built in {built:.0f} s.",
            "",
            f"Slowest median: {worst.median_ms:.0f} ms ({worst.name}); the target is "
            f"{LIMIT_MS} ms. Most processor time: {busiest.processor_ms:.0f} ms "
            f"({busiest.name}).",
            "",
            "| page | median ms | slowest ms | processor ms | queries |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    main()
