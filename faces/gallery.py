"""Galleries of opened templates, cached in the process and checked at every use.

One query lists the templates that belong to a gallery now. Where the list is the one
the cached gallery was built from, the cache is right, whoever changed what in which
process; else only the templates that are new get decrypted.
"""

import datetime as dt
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from classroom.models import Student
from faces.consent import comparable
from faces.matching import Gallery
from faces.models import FaceTemplate
from faces.vault import SealBroken, open_sealed

logger = logging.getLogger(__name__)

MAX_GALLERIES = 256  # 30 students × 3 templates × 128 numbers are 46 kB each

# The moment makes the key right even where a restored database reuses an id.
RowKey = tuple[int, dt.datetime]
Scope = tuple[str, int | None]


@dataclass(frozen=True, slots=True)
class Entry:
    rows: tuple[tuple[int, dt.datetime, int], ...] = ()
    vectors: dict[RowKey, NDArray[np.float32]] = field(default_factory=dict)
    gallery: Gallery | None = None


_entries: OrderedDict[Scope, Entry] = OrderedDict()
_lock = threading.Lock()


def for_class(classroom_id: int, *, model_id: str) -> Gallery:
    """Return the templates of the students who sit in a class today.

    Costs one query, and a second one where templates are new to this process.
    """
    templates = FaceTemplate.objects.filter(
        student__in=Student.objects.in_class(classroom_id)
    )
    return _current((model_id, classroom_id), templates)


def for_school(*, model_id: str) -> Gallery:
    """Return the templates of all students, for the look-alike check at enrolment."""
    return _current((model_id, None), FaceTemplate.objects.all())


def number_kept(*, model_id: str) -> int:
    """Return how many templates the school's gallery has if all of them open."""
    return comparable(FaceTemplate.objects.of_model(model_id)).count()


def forget() -> None:
    """Drop every opened embedding of this process."""
    with _lock:
        _entries.clear()


def _current(scope: Scope, templates: QuerySet[FaceTemplate]) -> Gallery:
    templates = comparable(templates.filter(model_id=scope[0]))
    templates = templates.order_by("student_id", "id")
    rows = tuple(templates.values_list("id", "created_at", "student__pk"))
    with _lock:
        known = _entries.get(scope, Entry())
    if known.gallery is not None and known.rows == rows:
        return known.gallery
    fresh = _build(rows, known.vectors)
    with _lock:
        _entries[scope] = fresh
        _entries.move_to_end(scope)
        while len(_entries) > MAX_GALLERIES:
            _entries.popitem(last=False)
    assert fresh.gallery is not None  # noqa: S101  (for the type checker)
    return fresh.gallery


def _build(
    rows: tuple[tuple[int, dt.datetime, int], ...],
    known: dict[RowKey, NDArray[np.float32]],
) -> Entry:
    missing = [row[0] for row in rows if row[:2] not in known]
    opened = dict(known)
    for template in FaceTemplate.objects.filter(pk__in=missing) if missing else ():
        vector = open_template(template)
        if vector is not None:
            opened[template.pk, template.created_at] = vector
    vectors = {row[:2]: opened[row[:2]] for row in rows if row[:2] in opened}
    pairs = [(row[2], vectors[row[:2]]) for row in rows if row[:2] in vectors]
    return Entry(rows, vectors, Gallery.build(pairs))


def open_template(template: FaceTemplate) -> NDArray[np.float32] | None:
    """Return a template's embedding, or None with a log line where it is broken."""
    try:
        return open_sealed(
            bytes(template.sealed_embedding),
            key_id=template.key_id,
            student_id=template.student_id,
            model_id=template.model_id,
            dimension=template.dimension,
        )
    except SealBroken as error:
        logger.error("face template %s is skipped: %s", template.pk, error)
        return None
