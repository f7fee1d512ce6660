"""Does the time of a log-in tell whether an account exists?

    .venv/bin/python -m benchmarks.login_timing [--pairs 200]

Sends wrong passwords for known and for unknown accounts, in pairs and in random order,
each from an address of its own, to the API and to the page: Django in this process, a
temporary database, the product's own password hasher. Times are the processor's, of
the one thread that answers: another program that runs blurs a clock on the wall, and
would hide a difference. That both take the same queries to the database is a test
(accounts/tests/test_lockout.py).

Writes benchmarks/login_timing.md and fails unless both bounds hold for each door:

- the 95 % bootstrap interval of the median difference lies within 5 % of the median;
- whoever guesses from a single time is right in at most 60 % of cases (the area under
  the ROC curve; 50 % is a coin).
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "login_timing.md"
WIDEST = 0.05  # of the median
BEST_GUESS = 0.60
WARM_UP = 5
RESAMPLES = 5000
SEED = 7


@dataclass(frozen=True)
class Figures:
    """One door: medians in milliseconds, their difference, and how well one guesses."""

    door: str
    known_ms: float
    unknown_ms: float
    low_ms: float
    high_ms: float
    guess: float

    @property
    def bound_ms(self) -> float:
        return WIDEST * self.known_ms

    @property
    def holds(self) -> bool:
        near = -self.bound_ms <= self.low_ms and self.high_ms <= self.bound_ms
        return near and self.guess <= BEST_GUESS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=200)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        doors = [figures(door, measured(door, pairs)) for door in ("API", "page")]
    report = written(doors, pairs)
    RESULT.write_text(report, encoding="utf-8")
    print(report)
    missed = [door.door for door in doors if not door.holds]
    if missed:
        sys.exit(f"The time tells: {', '.join(missed)}")


def prepare(folder: Path) -> None:
    """Set Django up on a temporary database with one teacher in it."""
    os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'logins.sqlite3'}"
    os.environ["REDIS_URL"] = ""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_site.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from accounts.models import User

    logging.disable(logging.CRITICAL)
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SECURE_SSL_REDIRECT = False
    call_command("migrate", verbosity=0)
    User.objects.create_user(
        "known@school.example",
        "plum-orchard-47",
        teacher_id="T1",
        full_name="Known Teacher",
    )


def measured(door: str, pairs: int) -> NDArray[np.float64]:
    """Return the times (pairs, 2) in milliseconds: known, unknown."""
    dice = np.random.default_rng(SEED)
    times = np.zeros((pairs + WARM_UP, 2))
    for row in range(pairs + WARM_UP):
        for column in dice.permutation(2):
            email = ("known", f"unknown{row}")[column] + "@school.example"
            times[row, column] = once(door, email, address=f"10.{column}.{row}.1")
    return times[WARM_UP:]


def once(door: str, email: str, *, address: str) -> float:
    from django.core.cache import cache
    from django.test import Client

    cache.clear()
    client = Client(REMOTE_ADDR=to_address(address))
    name = "email" if door == "API" else "username"
    path = "/auth/login" if door == "API" else "/accounts/login/"
    body: Any = {name: email, "password": "a-wrong-password"}
    begun = time.thread_time()
    answer = (
        client.post(path, body, content_type="application/json")
        if door == "API"
        else client.post(path, body)
    )
    taken = time.thread_time() - begun
    if answer.status_code not in {200, 401}:
        raise SystemExit(f"{door}: unexpected status {answer.status_code}")
    return taken * 1000


def to_address(text: str) -> str:
    """Keep each part of an address below 256 however many rows there are."""
    first, second, row, last = text.split(".")
    return f"{first}.{second}.{int(row) // 250}.{int(row) % 250 + int(last)}"


def figures(door: str, times: NDArray[np.float64]) -> Figures:
    dice = np.random.default_rng(SEED)
    differences = times[:, 0] - times[:, 1]
    draws = dice.choice(differences, (RESAMPLES, len(differences)))
    low, high = np.percentile(np.median(draws, axis=1), [2.5, 97.5])
    area = mannwhitneyu(times[:, 0], times[:, 1]).statistic / len(times) ** 2
    known, unknown = np.median(times, axis=0)
    guess = max(area, 1 - area)
    return Figures(door, known, unknown, float(low), float(high), float(guess))


def written(doors: list[Figures], pairs: int) -> str:
    rows = "\n".join(
        f"| {one.door} | {one.known_ms:.1f} | {one.unknown_ms:.1f} "
        f"| {one.low_ms:+.2f} to {one.high_ms:+.2f} | ±{one.bound_ms:.1f} "
        f"| {one.guess:.0%} | {'yes' if one.holds else '**no**'} |"
        for one in doors
    )
    return f"""# Does the time of a log-in tell whether an account exists?

`.venv/bin/python -m benchmarks.login_timing`: {pairs} pairs of wrong passwords a door,
Python {platform.python_version()}, {os.cpu_count()} cores; processor's time of the
thread that answers. The bounds: the 95 %
interval of the median difference within {WIDEST:.0%} of the median, and a guess from
one time right in at most {BEST_GUESS:.0%} of cases.

| door | known, ms | unknown, ms | difference, ms | bound, ms | best guess | holds |
|---|---|---|---|---|---|---|
{rows}
"""


if __name__ == "__main__":
    main()
