"""Who is on the photo: similarities, one-to-one assignment, margin, unknown.

NumPy and SciPy only. A probe is an embedding of a face on the photo, a template one
that was enrolled; the gallery holds the templates of the students who are possible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]
Outcome = Literal["matched", "ambiguous", "unknown"]

# float32 products differ in the last digits with the size of the batch: a similarity
# that equals the threshold on paper must not lose by rounding.
_ROUNDING: Final = 1e-6
# Templates a product. The few probes on the right take BLAS a quarter less time than on
# the left, and a part of the answer is turned round while it is in the cache.
_ROWS: Final = 1024
# Two students whom a photo confused once need this many margins between them, so that
# twins don't ask every class for a wider margin. A choice, not a measurement.
LOOK_ALIKE_MARGINS: Final = 2


@dataclass(frozen=True, eq=False)
class Gallery:
    """Templates and whose they are.

    ``embeddings`` is float32 (n, d), L2-normalised and C-contiguous; ``owners`` is
    int64 (n,): the student of each row. Both are sorted by student and read-only, as
    are ``student_ids`` (s,), each student once, ``starts`` (s,), a student's first row,
    and ``counts`` (s,), how many rows they have.

    Raises ValueError when shapes do not fit or a value is not finite.
    """

    embeddings: FloatArray
    owners: IdArray
    student_ids: IdArray = field(init=False)
    starts: NDArray[np.intp] = field(init=False)
    counts: NDArray[np.intp] = field(init=False)

    def __post_init__(self) -> None:
        owners = np.asarray(self.owners, dtype=np.int64)
        embeddings = np.asarray(self.embeddings, dtype=np.float32)
        if embeddings.ndim != 2 or owners.shape != embeddings.shape[:1]:
            raise ValueError("a gallery needs (n, d) embeddings and (n,) owners")
        _check_finite(embeddings)
        order = np.argsort(owners, kind="stable")
        owners = owners[order]
        student_ids, starts, counts = np.unique(
            owners, return_index=True, return_counts=True
        )
        embeddings = np.ascontiguousarray(embeddings[order])
        self._freeze("embeddings", embeddings)
        self._freeze("owners", owners)
        self._freeze("student_ids", student_ids)
        self._freeze("starts", starts)
        self._freeze("counts", counts)

    @classmethod
    def build(cls, templates: Sequence[tuple[int, FloatArray]]) -> Gallery:
        """A gallery of (student id, float32 (d,) embedding) pairs in any order.

        Raises ValueError when the embeddings are not all of one length and finite.
        """
        if not templates:
            return cls(np.empty((0, 0), np.float32), np.empty(0, np.int64))
        owners = np.array([owner for owner, _ in templates], dtype=np.int64)
        return cls(np.stack([vector for _, vector in templates]), owners)

    def __len__(self) -> int:
        """Number of templates."""
        return len(self.owners)

    def _freeze(self, name: str, array: NDArray[np.generic]) -> None:
        array.setflags(write=False)
        object.__setattr__(self, name, array)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A student and how similar the best of their templates is, -1 to 1."""

    student_id: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Match:
    """What is said of one face.

    ``student_id`` is set for ``matched`` alone. ``similarity`` is that of the student
    named, or of the closest one where none is; ``margin`` its lead over the best other
    student, None where there is no other. ``candidates`` are the closest students, best
    first, at most two.
    """

    outcome: Outcome
    student_id: int | None
    similarity: float | None
    margin: float | None
    candidates: tuple[Candidate, ...]


def similarities(probes: FloatArray, gallery: Gallery) -> tuple[IdArray, FloatArray]:
    """Every probe against every student: (s,) student ids and (m, s) cosines.

    A student counts with the best of their templates. ``probes`` is float32 (m, d),
    L2-normalised. Raises ValueError for another dimension and for NaN or infinity.
    """
    scores = _products(probes, gallery)
    if 0 < len(gallery.starts) < len(gallery):
        scores = np.maximum.reduceat(scores, gallery.starts, axis=1)
    return gallery.student_ids, scores


def match(
    probes: FloatArray,
    gallery: Gallery,
    *,
    threshold: float,
    margin: float,
    look_alikes: Collection[frozenset[int]] = (),
) -> list[Match]:
    """One answer for each face of ONE photo, in order.

    No student is given to two faces: students are assigned to faces so that what the
    pairs exceed ``threshold`` by is largest in total. A face is ``matched`` when it
    gets a student at ``threshold`` or above who leads by at least ``margin`` over every
    other student, whatever the assignment. It is ``ambiguous`` when somebody is near
    enough but not clearly ahead, and ``unknown`` when nobody is near, or when the one
    who is was taken by a better face.

    ``look_alikes`` are pairs of student ids: between the two a lead counts from twice
    ``margin`` on, and a face with less of it is ambiguous with both as candidates.

    ``threshold`` and ``margin`` are cosines. Raises ValueError as ``similarities``.
    """
    scores = _products(probes, gallery)
    if not scores.size:
        return [_UNKNOWN] * len(scores)
    faces = _look(scores, gallery, threshold=threshold, margin=margin)
    taken = _assign(faces, threshold=threshold)
    found = [
        _judge(face, given=taken.get(index), threshold=threshold, margin=margin)
        for index, face in enumerate(faces)
    ]
    if not look_alikes:
        return found
    doubles = _doubles(look_alikes)
    needed = LOOK_ALIKE_MARGINS * margin
    return [
        _doubt(one, row, gallery, doubles=doubles, margin=needed)
        for one, row in zip(found, scores, strict=True)
    ]


_UNKNOWN: Final = Match("unknown", None, None, None, ())


class _Face(NamedTuple):
    """A face's two closest students, and those it can be given: id → similarity."""

    closest: tuple[Candidate, ...]
    likely: dict[int, float]


def _products(probes: FloatArray, gallery: Gallery) -> FloatArray:
    """Every probe against every template: float32 (m, n); raises ValueError."""
    probes = np.ascontiguousarray(probes, dtype=np.float32)
    if probes.ndim != 2:
        raise ValueError(f"probes must be (m, d), got {probes.shape}")
    _check_finite(probes)
    if not len(gallery):
        return np.empty((len(probes), 0), np.float32)
    if probes.shape[1] != gallery.embeddings.shape[1]:
        raise ValueError(
            f"probes have {probes.shape[1]} dimensions, "
            f"the gallery {gallery.embeddings.shape[1]}"
        )
    scores = np.empty((len(probes), len(gallery)), np.float32)
    for start in range(0, len(gallery), _ROWS):
        rows = slice(start, start + _ROWS)
        scores[:, rows] = (gallery.embeddings[rows] @ probes.T).T
    return scores


def _look(
    scores: FloatArray, gallery: Gallery, *, threshold: float, margin: float
) -> list[_Face]:
    """What each face's similarities to all templates, a row, say of the students.

    Only students within ``margin`` of a face's best are possible for it. Otherwise a
    face that is surely one student could be pushed on to somebody unlike it, to free
    that student for a worse face: the sum would grow and a wrong person be marked.

    Most faces are near one student or none. The rows are read twice for the two closest
    and once more only where the second is possible as well: with ten thousand
    templates, passes over all of them would cost as much as the product itself.
    """
    columns, best = _closest(scores, gallery)
    if len(gallery.starts) == 1:
        return [_Face((one,), _near((one,), threshold)) for one in best]
    own = _own(columns, gallery)
    kept = scores[own]
    scores[own] = -np.inf
    _, second = _closest(scores, gallery)
    scores[own] = kept
    faces = []
    for row, one, other in zip(scores, best, second, strict=True):
        likely: Sequence[Candidate] = (one,)
        if _possible(other.similarity, one.similarity, margin):
            likely = _within(row, gallery, best=one.similarity, margin=margin)
        faces.append(_Face((one, other), _near(likely, threshold)))
    return faces


def _closest(
    scores: FloatArray, gallery: Gallery
) -> tuple[NDArray[np.intp], list[Candidate]]:
    """Each face's closest student: its place in ``student_ids``, and who that is."""
    templates = scores.argmax(axis=1)
    columns = np.searchsorted(gallery.starts, templates, side="right") - 1
    ids = gallery.student_ids[columns].tolist()
    similarities = scores[np.arange(len(scores)), templates].tolist()
    return columns, list(map(Candidate, ids, similarities))


def _own(
    columns: NDArray[np.intp], gallery: Gallery
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each face meets the templates of its student: rows and columns (k,)."""
    counts = gallery.counts[columns]
    before = np.cumsum(counts) - counts
    faces = np.repeat(np.arange(len(columns)), counts)
    within = np.arange(counts.sum()) - before[faces]
    return faces, gallery.starts[columns][faces] + within


def _within(
    row: FloatArray, gallery: Gallery, *, best: float, margin: float
) -> list[Candidate]:
    """The students who are within ``margin`` of a face's ``best``."""
    students = np.maximum.reduceat(row, gallery.starts)
    near = np.flatnonzero(students >= best - margin - _ROUNDING)
    return [
        Candidate(student, similarity)
        for student, similarity in zip(
            gallery.student_ids[near].tolist(), students[near].tolist(), strict=True
        )
        if _possible(similarity, best, margin)
    ]


def _possible(similarity: float, best: float, margin: float) -> bool:
    return similarity > best - margin or similarity == best


def _near(students: Sequence[Candidate], threshold: float) -> dict[int, float]:
    return {
        one.student_id: one.similarity
        for one in students
        if _reaches(one.similarity, threshold)
    }


def _reaches(similarity: float, threshold: float) -> bool:
    return similarity >= threshold - _ROUNDING


def _assign(faces: Sequence[_Face], *, threshold: float) -> dict[int, int]:
    """Face → student, each at most once."""
    open_faces = [index for index, face in enumerate(faces) if face.likely]
    if not open_faces:
        return {}
    students = sorted({student for face in faces for student in face.likely})
    place = {student: index for index, student in enumerate(students)}
    gain = np.zeros((len(open_faces), len(students)))
    for row, index in enumerate(open_faces):
        for student, similarity in faces[index].likely.items():
            gain[row, place[student]] = similarity - threshold + 2 * _ROUNDING
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return {
        open_faces[row]: students[column]
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if students[column] in faces[open_faces[row]].likely
    }


def _judge(face: _Face, *, given: int | None, threshold: float, margin: float) -> Match:
    similarity, others = face.closest[0].similarity, face.closest[1:]
    if given is not None:
        similarity = face.likely[given]
        others = tuple(one for one in face.closest if one.student_id != given)
    lead = similarity - others[0].similarity if others else None
    if given is None:
        # The best student is not near, or went to a better face; anybody else who is
        # near leaves the question open.
        near = [one for one in face.closest if _reaches(one.similarity, threshold)]
        outcome: Outcome = "ambiguous" if len(near) > 1 else "unknown"
        return Match(outcome, None, similarity, lead, face.closest)
    if lead is not None and lead < margin - _ROUNDING:
        return Match("ambiguous", None, similarity, lead, face.closest)
    return Match("matched", given, similarity, lead, face.closest)


def _doubles(look_alikes: Collection[frozenset[int]]) -> dict[int, list[int]]:
    """Student → those who look like them."""
    doubles: dict[int, list[int]] = defaultdict(list)
    for pair in look_alikes:
        for student in pair:
            doubles[student] += sorted(pair - {student})
    return doubles


def _doubt(
    found: Match,
    row: FloatArray,
    gallery: Gallery,
    *,
    doubles: dict[int, list[int]],
    margin: float,
) -> Match:
    """Take a match back whose student leads a look-alike by less than ``margin``."""
    if found.student_id is None or found.similarity is None:
        return found
    others = [
        Candidate(student, _similarity(row, gallery, student))
        for student in doubles.get(found.student_id, ())
        if student in gallery.student_ids
    ]
    closest = max(others, key=lambda one: one.similarity, default=None)
    if closest is None or found.similarity - closest.similarity >= margin - _ROUNDING:
        return found
    both = (Candidate(found.student_id, found.similarity), closest)
    return Match("ambiguous", None, found.similarity, found.margin, both)


def _similarity(row: FloatArray, gallery: Gallery, student: int) -> float:
    """A student's best template, of the face's similarities to all templates."""
    column = int(np.searchsorted(gallery.student_ids, student))
    start = gallery.starts[column]
    return float(row[start : start + gallery.counts[column]].max())


def _check_finite(array: FloatArray) -> None:
    if not np.isfinite(array).all():
        raise ValueError("an embedding holds NaN or infinity")
