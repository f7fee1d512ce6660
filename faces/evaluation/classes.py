"""Classes drawn from known people: who is recognised, who is taken for whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faces.evaluation.rates import FloatArray, IntArray
from faces.matching import Gallery, Match, match

SIZES: Final = (10, 30, 100, 300)
ENROLLED: Final = 3  # photos a student, as the enrolment page asks for
SEED: Final = 2026
_PLACES: Final = 600  # students drawn for each size: 60 classes of 10, 2 of 300


@dataclass(frozen=True, slots=True)
class ClassResult:
    """What became of photos shown to classes of one size.

    ``right``, ``wrong``, ``ambiguous`` and ``unknown`` count photos of students of the
    class; ``strangers`` are photos of people outside it, ``strangers_named`` those
    that were taken for a student.
    """

    size: int
    classes: int
    right: int
    wrong: int
    ambiguous: int
    unknown: int
    strangers: int
    strangers_named: int

    @property
    def shown(self) -> int:
        """Photos of students of the class."""
        return self.right + self.wrong + self.ambiguous + self.unknown


def enrolment(
    people: IntArray, accepted: NDArray[np.bool_], *, photos: int = ENROLLED
) -> NDArray[np.bool_]:
    """Which photos are enrolled: the first ``photos`` accepted ones of each person.

    One of a person's photos is always kept to be shown, so who has three enrols two.
    """
    chosen = np.zeros(len(people), dtype=bool)
    for person in np.unique(people):
        own = people == person
        rows = np.flatnonzero(own & accepted)
        chosen[rows[: min(photos, int(own.sum()) - 1)]] = True
    return chosen


def sizes_for(people: int) -> list[int]:
    """The class sizes that so many people can fill; all of them where that is none."""
    fitting = [size for size in SIZES if size <= people]
    return fitting or [people]


def identify(
    embeddings: FloatArray,
    people: IntArray,
    enrolled: NDArray[np.bool_],
    *,
    size: int,
    threshold: float,
    margin: float,
    seed: int = SEED,
) -> ClassResult:
    """Draw classes of ``size`` and show each the other photos of its students.

    ``enrolled`` marks the templates; everybody with one can be drawn. Each class also
    sees up to ``size`` photos of people outside it. Equal seeds draw equal classes.
    Raises ValueError where fewer than ``size`` people are enrolled.
    """
    known = np.unique(people[enrolled])
    if not 0 < size <= len(known):
        raise ValueError(f"a class of {size} needs as many people, not {len(known)}")
    drawn = 1 if size == len(known) else max(_PLACES // size, 1)
    random = np.random.default_rng(seed)
    students: list[tuple[int, Match]] = []
    strangers: list[Match] = []
    for _ in range(drawn):
        members = random.choice(known, size=size, replace=False)
        inside = np.isin(people, members)
        rows = np.flatnonzero(inside & enrolled)
        gallery = Gallery(embeddings[rows], people[rows])
        outside = np.flatnonzero(~inside & ~enrolled)
        outside = random.permutation(outside)[:size]
        shown = np.flatnonzero(inside & ~enrolled)
        found = _answers(embeddings, shown, gallery, threshold, margin)
        students.extend(zip(people[shown].tolist(), found, strict=True))
        strangers.extend(_answers(embeddings, outside, gallery, threshold, margin))
    return ClassResult(
        size=size,
        classes=drawn,
        right=sum(one.student_id == person for person, one in students),
        wrong=sum(one.student_id not in (None, person) for person, one in students),
        ambiguous=sum(one.outcome == "ambiguous" for _, one in students),
        unknown=sum(one.outcome == "unknown" for _, one in students),
        strangers=len(strangers),
        strangers_named=sum(one.outcome == "matched" for one in strangers),
    )


def _answers(
    embeddings: FloatArray,
    rows: Iterable[int],
    gallery: Gallery,
    threshold: float,
    margin: float,
) -> list[Match]:
    # One photo a call: faces of one photo would compete for the same student.
    return [
        match(embeddings[[row]], gallery, threshold=threshold, margin=margin)[0]
        for row in rows
    ]
