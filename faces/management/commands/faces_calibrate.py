"""Judge threshold and margin by the school's own templates, and name look-alikes.

Templates are opened in memory alone. What is printed names students: it is for admins.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from classroom.models import Enrollment, Student
from faces import runtime
from faces.engine.errors import EngineError
from faces.evaluation import advice, report
from faces.evaluation.look_alikes import (
    LookAlikes,
    OddTemplate,
    look_alikes,
    odd_templates,
)
from faces.evaluation.rates import FloatArray, IntArray, pairs_of
from faces.gallery import open_template
from faces.models import FaceTemplate
from faces.services import DUPLICATE_SIMILARITY

LISTED = 20  # look-alikes and odd photos; the worst come first


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """The school's templates: row ids, whose they are (n,), embeddings (n, d)."""

    ids: list[int]
    owners: IntArray
    embeddings: FloatArray


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--output",
            type=Path,
            help="write the report, charts and scores here (scores carry template ids)",
        )
        parser.add_argument(
            "--sessions",
            type=float,
            default=advice.WANTED_SESSIONS,
            help="recommend a threshold for one wrong mark in so many sessions of 30 "
            "(default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            model_id, threshold = runtime.active_model_id(), runtime.threshold()
        except EngineError as error:
            raise CommandError(str(error)) from error
        margin = runtime.margin()
        opened = _open(model_id, quiet=options["verbosity"] < 1)
        students = len(np.unique(opened.owners))
        if students < 2:
            raise CommandError(
                f"Students with photos for {model_id}: {students}. Enrol at least two, "
                "with two photos or more each."
            )
        pairs = pairs_of(opened.embeddings, opened.owners)
        lines = [f"# {len(opened.ids)} templates of {students} students ({model_id})"]
        lines += ["", *report.about_pairs(pairs, threshold=threshold)]
        lines += report.in_words(
            pairs, threshold=threshold, margin=margin, sessions=options["sessions"]
        )
        lines += _about_look_alikes(opened, threshold, margin)
        lines += _about_odd_templates(opened, threshold)
        self.stdout.write("\n".join(lines))
        if options["output"] is None:
            return
        names = [str(pk) for pk in opened.ids]
        scored = report.Scored(opened.embeddings, opened.owners, names, pairs)
        folder = options["output"]
        try:
            report.write(folder, lines, scored, title=model_id, threshold=threshold)
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"\nWritten to {folder}: it names students, keep it safe.")


def _open(model_id: str, *, quiet: bool) -> Opened:
    templates = FaceTemplate.objects.filter(model_id=model_id).order_by("id")
    rows = tqdm(
        templates.iterator(),
        total=templates.count(),
        unit=" templates",
        disable=quiet,
    )
    found = [
        (template.pk, template.student_id, embedding)
        for template in rows
        # A broken one is named in the log and left out.
        if (embedding := open_template(template)) is not None
    ]
    return Opened(
        ids=[pk for pk, _, _ in found],
        owners=np.array([owner for _, owner, _ in found], np.int64),
        embeddings=np.stack([embedding for _, _, embedding in found])
        if found
        else np.empty((0, 0), np.float32),
    )


def _about_look_alikes(opened: Opened, threshold: float, margin: float) -> list[str]:
    """Students whose templates reach the threshold with somebody else's."""
    close = look_alikes(opened.embeddings, opened.owners, at_least=threshold)
    lines = ["", "## Students who could be confused", ""]
    if not close:
        return [*lines, f"None: no two students are {threshold:.2f} alike."]
    shown = close[:LISTED]
    people = _students({one.first for one in shown} | {one.second for one in shown})
    classes = _classes(people)
    lines += [
        f"- {_name(people[one.first])} and {_name(people[one.second])}: "
        f"{_closeness(one, classes)}"
        for one in shown
    ]
    if len(close) > LISTED:
        lines.append(f"- and {len(close) - LISTED} pairs more")
    return [
        *lines,
        "",
        f"In one class, a photo within {margin:.2f} of both is left to the teacher. "
        "More photos of both, taken in the classroom's light, tell them apart better; "
        f"a larger FACE_MATCH_MARGIN (now {margin:.2f}) asks more often.",
    ]


def _closeness(one: LookAlikes, classes: dict[int, dict[int, str]]) -> str:
    words = f"{one.similarity:.2f}"
    if one.similarity >= DUPLICATE_SIMILARITY:
        words += ", perhaps one person enrolled twice, or twins"
    mine, theirs = classes[one.first], classes[one.second]
    shared = sorted(mine[pk] for pk in mine.keys() & theirs.keys())
    return words + (f", both in {', '.join(shared)}" if shared else ", no common class")


def _about_odd_templates(opened: Opened, threshold: float) -> list[str]:
    """Photos that are unlike the same student's others."""
    odd = odd_templates(opened.embeddings, opened.owners, below=threshold)
    if not odd:
        return []
    shown = odd[:LISTED]
    people = _students({one.person for one in shown})
    lines = [
        "",
        "## Photos unlike the student's others",
        "",
        *(_odd(one, people[one.person], opened.ids) for one in shown),
    ]
    if len(odd) > LISTED:
        lines.append(f"- and {len(odd) - LISTED} more")
    return [*lines, "", "They may show somebody else: remove and enrol again."]


def _odd(one: OddTemplate, student: Student, ids: Sequence[int]) -> str:
    return (
        f"- {_name(student)}: template {ids[one.row]} is at most "
        f"{one.similarity:.2f} like the others"
    )


def _students(ids: Iterable[int]) -> dict[int, Student]:
    return Student.objects.in_bulk(list(ids))


def _classes(students: Iterable[int]) -> dict[int, dict[int, str]]:
    """For each student, the classes they sit in now: id and name."""
    seats = Enrollment.objects.current().filter(student_id__in=students)
    found: defaultdict[int, dict[int, str]] = defaultdict(dict)
    for seat in seats.select_related("classroom"):
        found[seat.student_id][seat.classroom_id] = seat.classroom.class_name
    return found


def _name(student: Student) -> str:
    return f"{student.full_name} ({student.student_id}, id {student.pk})"
