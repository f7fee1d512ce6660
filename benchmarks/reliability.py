"""Try to break it: damaged photos, dying servers, power cuts. Writes reliability.md.

    python -m benchmarks.reliability                    the full sizes, some hours
    python -m benchmarks.reliability --mutants 2000 --kills 10 --marks 100

The tests run the same code in small (`attendance_site/tests/test_mutated_uploads.py`,
`test_power_cut.py`, `test_killed_worker.py`, `deploy/tests/test_replicas.py`). It ends
with an error where a promise is broken.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

REPORT: Final = Path(__file__).with_name("reliability.md")
LONGEST: Final = 5.0  # seconds: of an answer to a damaged photo, and until it is back
MORE_MEMORY: Final = 100  # MB
# The most marks between two troubles that school.py's sessions last for.
MOST_MARKS: Final = 250

INTRODUCTION: Final = """\
# Reliability

Made with `make reliability`, which ends with an error where a promise is broken. The
sizes that were run are in each table; the tests run the same in small."""


@dataclass(frozen=True, slots=True)
class Row:
    """One promise: what was seen, what was promised, and whether it was kept."""

    what: str
    seen: str
    promised: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    words: str
    rows: list[Row]
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--marks", type=int, default=MOST_MARKS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)  # PostgreSQL runs as a user of its own
        prepare(place)
        from benchmarks.machine import this_machine

        about = this_machine({}).sentence()
        parts = [
            timed(damaged_photos, place, options.mutants, options.seed),
            timed(dying_servers, place, options.marks, options.seed),
            timed(cut_imports, place, options.kills, options.seed),
            timed(cut_commands, place, options.kills, options.seed),
        ]
    REPORT.write_text(markdown(about, parts), "utf-8")
    print(REPORT.read_text("utf-8"))
    broken = [row.what for part in parts for row in part.rows if not row.kept]
    sys.exit(f"Not kept: {', '.join(broken)}" if broken else 0)


def prepare(place: Path) -> None:
    """Give this process a database and keys of its own; nothing else is touched."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "attendance_site.settings",
        "DATABASE_URL": f"sqlite:///{place / 'db.sqlite3'}",
        "IMPORT_SPOOL_DIR": str(place / "spool"),
        "REDIS_URL": "",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def timed(
    run: Callable[[Path, int, int], Part], place: Path, size: int, seed: int
) -> Part:
    start = time.monotonic()
    part = run(place, size, seed)
    print(f"{part.title}: {time.monotonic() - start:.0f} s", flush=True)
    return Part(part.title, part.words, part.rows, time.monotonic() - start)


def none(what: str, number: int) -> Row:
    return Row(what, f"{number:,}", "none", not number)


def damaged_photos(place: Path, number: int, seed: int) -> Part:
    from attendance_site.tests.barrage import barrage

    seen = barrage(place / "barrage", number=number, seed=seed)
    more = seen.memory_after - seen.memory_before
    listed = ", ".join(
        f"{name}: {count:,}" for name, count in seen.answers.most_common()
    )
    return Part(
        "Damaged photos",
        f"{number:,} files of ten kinds of damage in JPEG, PNG, WebP and HEIC (seed "
        f"{seed}), sent by two clients to `/face/verify`, `/attendance/group` and "
        f"`/face/register` of one worker. Answers: {listed}.",
        [
            Row("files sent", f"{seen.kinds.total():,}", f"{number:,}", True),
            none(
                "answers of 500 and above, throttled or without JSON", len(seen.faults)
            ),
            Row(
                "the slowest answer",
                f"{seen.slowest:.2f} s ({seen.slowest_kind})",
                f"under {LONGEST:g} s",
                seen.slowest < LONGEST,
            ),
            Row(
                "memory of the worker",
                f"{seen.memory_before:.0f} MB before, {seen.memory_after:.0f} after, "
                f"{seen.memory_most:.0f} for moments",
                f"back within {MORE_MEMORY} MB",
                more < MORE_MEMORY,
            ),
        ],
        0.0,
    )


def dying_servers(place: Path, marks: int, seed: int) -> Part:
    from deploy.tests import trouble
    from deploy.tests.cluster import cluster

    folder = place / "replicas"
    folder.mkdir()
    with cluster(folder) as replicas:
        school: dict[str, Any] = json.loads(
            replicas.manage("-m", "deploy.tests.school")
        )
        known = trouble.enrolled_here_matched_there(replicas, school)
        seen = trouble.in_trouble(replicas, school, each=marks)
    listed = ", ".join(
        f"{name or 'none'}: {n:,}" for name, n in sorted(seen.answers.items())
    )
    wanted = {"log in": 302, "a page": 200, "the last of many tries": 429}
    fell_back = {name: seen.after_redis[name] for name in wanted}
    return Part(
        "Two replicas",
        f"Two gunicorns behind nginx with PostgreSQL and Redis on this machine, "
        f"{len(school['tokens'])} clients that mark students without a pause, and "
        f"{marks} marks between two troubles. {seen.asked:,} requests, answers by "
        f"status: {listed}.",
        [
            Row(
                "a face enrolled on one, at the other's next request",
                "known" if known == [False, True] else str(known),
                "known",
                known == [False, True],
            ),
            Row("marks answered with 200", f"{len(seen.marked):,}", "", True),
            none("of them missing in the register", seen.missing),
            none("of them there twice", seen.doubled + seen.strangers),
            none("records without their history", seen.half_written),
            *(
                Row(
                    f"back after {what}",
                    f"{took:.1f} s",
                    f"{LONGEST:g} s",
                    took <= LONGEST,
                )
                for what, took in seen.back_after.items()
            ),
            Row(
                "without Redis: log in, a page, the 30th wrong try",
                ", ".join(str(status) for status in fell_back.values()),
                "302, 200, 429",
                fell_back == wanted,
            ),
            none("other faults", len(seen.faults)),
        ],
        0.0,
    )


def cut_imports(place: Path, kills: int, seed: int) -> Part:
    from benchmarks.cut_imports import import_under_kills

    photos = max(60, kills * 4)
    seen, enrolled = import_under_kills(place, kills=kills, photos=photos, seed=seed)
    named = sum(
        bool(row["result"] in {"enrolled", "already"} or row["reason"])
        for row in seen.rows
    )
    return Part(
        "Power cut: an import",
        f"A worker killed with SIGKILL at random moments in one archive of {photos} "
        f"photos (seed {seed}); the next one goes on.",
        [
            Row("kills", str(seen.kills), str(kills), seen.kills == kills),
            Row("the job in the end", seen.state, "done", seen.state == "done"),
            Row(
                "photos enrolled or with a reason",
                str(named),
                str(photos),
                named == photos,
            ),
            none("templates too many or too few", int(seen.templates != enrolled)),
            none(
                "files with a part of a photo, archives left",
                len(seen.plain) + len(seen.left),
            ),
        ],
        0.0,
    )


def cut_commands(place: Path, kills: int, seed: int) -> Part:
    from attendance_site.tests import power_cut

    rows = []
    for name in ("rotation", "backup"):
        cuts: power_cut.Cuts = getattr(power_cut, name)(
            place / name, kills=kills, seed=seed
        )
        seen = f"{cuts.kills} ({cuts.old} all old, {cuts.between} between whole steps, "
        seen += f"{cuts.new} all new)"
        rows += [
            Row(f"{name}: kills", seen, str(kills), cuts.kills == kills),
            none(f"{name}: anything half done", len(cuts.faults)),
            Row(
                f"{name}: the next run",
                "finished" if cuts.finished else "failed",
                "finishes",
                cuts.finished,
            ),
        ]
    return Part(
        "Power cut: a key rotation and a backup",
        f"`faces_rotate_key` over {power_cut.TEMPLATES} templates and `backup`, killed "
        f"with SIGKILL at random moments (seed {seed}). After each kill every template "
        "is opened, the database's integrity checked, and a backup that is there read "
        "to its end.",
        rows,
        0.0,
    )


def markdown(about: str, parts: list[Part]) -> str:
    from faces.evaluation.tables import table

    text = [INTRODUCTION, about]
    for part in parts:
        rows = [
            (row.what, row.seen, row.promised, "yes" if row.kept else "**no**")
            for row in part.rows
        ]
        lines = table(["", "seen", "promised", "kept"], rows)
        text += [f"## {part.title}", part.words, "\n".join(lines)]
        text.append(f"It took {part.seconds:.0f} s.")
    return "\n\n".join(text) + "\n"


if __name__ == "__main__":
    main()
