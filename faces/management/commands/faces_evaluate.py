"""Measure how well a pack tells people apart, on photos of known people.

FOLDER holds one folder a person with that person's photos; the largest face of a photo
counts. Photos are read, never changed or copied.
"""

from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from faces import runtime
from faces.engine import packs
from faces.engine.errors import EngineError
from faces.engine.pipeline import FaceEngine
from faces.evaluation import advice, classes, photos, report, tables
from faces.evaluation.photos import EvaluationError, Photos
from faces.evaluation.rates import pairs_of, rate

MARGINS = (0.0, 0.03, 0.05, 0.08, 0.10)


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="person/photo.jpg")
        parser.add_argument("--model", help="a pack's name or folder; else FACE_MODEL")
        parser.add_argument(
            "--output", type=Path, help="write the report, charts and scores here"
        )
        parser.add_argument("--threshold", type=float, help="else the pack's own")
        parser.add_argument("--margin", type=float, help="else the pack's own")
        parser.add_argument(
            "--sessions",
            type=float,
            default=advice.WANTED_SESSIONS,
            help="recommend a threshold for one wrong mark in so many sessions of 30 "
            "(default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            paths = photos.find(options["folder"])
            engine = _engine(options["model"])
            # Percent and time go to stderr, so that the report can be piped.
            bar = tqdm(paths, unit=" photos", disable=options["verbosity"] < 1)
            found = photos.read(engine, bar)
        except (EvaluationError, EngineError) as error:
            raise CommandError(str(error)) from error
        threshold = _given(options["threshold"], engine.threshold)
        margin = _given(options["margin"], engine.margin)
        pairs = pairs_of(found.embeddings, found.people)
        lines = [
            f"# {engine.model_id} on {len(found.names)} people",
            "",
            *_about_detection(found),
            *report.about_pairs(pairs, threshold=threshold),
            *_about_classes(found, threshold, margin),
            *_about_margins(found, threshold, margin),
            *report.in_words(
                pairs,
                threshold=threshold,
                margin=margin,
                sessions=options["sessions"],
            ),
        ]
        self.stdout.write("\n".join(lines))
        if options["output"] is not None:
            names = [f"{path.parent.name}/{path.name}" for path in found.paths]
            scored = report.Scored(found.embeddings, found.people, names, pairs)
            title = engine.model_id
            try:
                report.write(
                    options["output"], lines, scored, title=title, threshold=threshold
                )
            except OSError as error:
                raise CommandError(str(error)) from error
            self.stdout.write(f"\nWritten to {options['output']}.")


def _engine(model: str | None) -> FaceEngine:
    if model is None:
        return runtime.get_engine()
    loaded = packs.load_pack(
        model,
        root=runtime.pack_root(),
        device=settings.FACE_DEVICE,
        threads=runtime.threads_a_photo(),
    )
    return FaceEngine(loaded)


def _given(value: float | None, default: float) -> float:
    return default if value is None else value


def _about_detection(found: Photos) -> list[str]:
    with_face = rate(len(found.paths), found.readable)
    lines = [
        "## Detection",
        "",
        f"A face was found on {with_face.errors} of {with_face.trials} photos: "
        f"{with_face.value:.2%} [{with_face.low:.2%}, {with_face.high:.2%}]; "
        f"{found.several} show several. The standard review would enrol "
        f"{int(found.accepted.sum())}.",
        "",
    ]
    for words, paths in (
        ("No face found", found.without_face),
        ("Unreadable", found.unreadable),
    ):
        if paths:
            listed = ", ".join(f"{path.parent.name}/{path.name}" for path in paths[:10])
            more = f" and {len(paths) - 10} more" if len(paths) > 10 else ""
            lines += [f"{words}: {listed}{more}.", ""]
    return lines


def _about_classes(found: Photos, threshold: float, margin: float) -> list[str]:
    enrolled = classes.enrolment(found.people, found.accepted)
    people = len(np.unique(found.people[enrolled]))
    lines = [
        "## In classes",
        "",
        f"The first {classes.ENROLLED} accepted photos of a person are enrolled, the "
        f"others are shown; threshold {threshold:.4g}, margin {margin:.4g}. Classes "
        f"are drawn at random (seed {classes.SEED}); strangers are people outside the "
        "class.",
        "",
    ]
    if not people:
        return [*lines, "No photo passes the standard review: nobody is enrolled.", ""]
    results = [
        classes.identify(
            found.embeddings,
            found.people,
            enrolled,
            size=size,
            threshold=threshold,
            margin=margin,
        )
        for size in _sizes(people)
    ]
    return [*lines, *tables.class_table(results), ""]


def _sizes(people: int) -> list[int]:
    """The usual sizes; where nobody would be left as a stranger, half as well."""
    sizes = classes.sizes_for(people)
    if sizes[-1] == people and len(sizes) == 1 and people > 2:
        return [people // 2, people]
    return sizes


def _about_margins(found: Photos, threshold: float, margin: float) -> list[str]:
    """What the margin costs and saves, with one photo enrolled: the hard case."""
    enrolled = classes.enrolment(found.people, found.accepted, photos=1)
    people = len(np.unique(found.people[enrolled]))
    if not people:
        return []
    size = classes.sizes_for(people)[-1]
    rows = []
    for value in sorted({*MARGINS, margin}):
        one = classes.identify(
            found.embeddings,
            found.people,
            enrolled,
            size=size,
            threshold=threshold,
            margin=value,
        )
        rows.append((f"{value:.4g}", one.right, one.wrong, one.ambiguous, one.unknown))
    return [
        "## The margin",
        "",
        f"One photo enrolled each, classes of {size}, threshold {threshold:.4g}:",
        "",
        *tables.table(["margin", "right", "wrong", "ambiguous", "unknown"], rows),
        "",
    ]
