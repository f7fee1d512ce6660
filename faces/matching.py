"""Who is on the photo: similarities, one-to-one assignment, margin, unknown.

NumPy and SciPy only. A probe is an embedding of a face on the photo, a template one
that was enrolled; the gallery holds the templates of the students who are possible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]
Outcome = Literal["matched", "ambiguous", "unknown"]

# float32 products differ in the last digits with the size of the batch: a similarity
# that equals the threshold on paper must not lose by rounding.
_ROUNDING: Final = 1e-6
# Two students whom a photo confused once need this many margins between them, so that
# twins don't ask every class for a wider margin. A choice, not a measurement.
LOOK_ALIKE_MARGINS: Final = 2


@dataclass(frozen=True, eq=False)
class Gallery:
    """Templates and whose they are.

    ``embeddings`` is float32 (n, d), L2-normalised and C-contiguous; ``owners`` is
    int64 (n,): the student of each row. Both are sorted by student and read-only, as
    are ``student_ids`` (s,), each student once, and ``starts`` (s,), a student's
    first row.

    Raises ValueError when shapes do not fit or a value is not finite.
    """

    embeddings: FloatArray
    owners: IdArray
    student_ids: IdArray = field(init=False)
    starts: NDArray[np.intp] = field(init=False)

    def __post_init__(self) -> None:
        owners = np.asarray(self.owners, dtype=np.int64)
        embeddings = np.asarray(self.embeddings, dtype=np.float32)
        if embeddings.ndim != 2 or owners.shape != embeddings.shape[:1]:
            raise ValueError("a gallery needs (n, d) embeddings and (n,) owners")
        _check_finite(embeddings)
        order = np.argsort(owners, kind="stable")
        owners = owners[order]
        student_ids, starts = np.unique(owners, return_index=True)
        embeddings = np.ascontiguousarray(embeddings[order])
        self._freeze("embeddings", embeddings)
        self._freeze("owners", owners)
        self._freeze("student_ids", student_ids)
        self._freeze("starts", starts)

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
    faces = [_look(row, gallery, threshold=threshold, margin=margin) for row in scores]
    taken = _assign(faces, threshold=threshold)
    found = [
        _judge(
            face, gallery, given=taken.get(index), threshold=threshold, margin=margin
        )
        for index, face in enumerate(faces)
    ]
    doubles = _doubles(look_alikes)
    needed = LOOK_ALIKE_MARGINS * margin
    return [
        _doubt(one, row, gallery, doubles=doubles, margin=needed)
        for one, row in zip(found, scores, strict=True)
    ]


_UNKNOWN: Final = Match("unknown", None, None, None, ())


@dataclass(frozen=True, slots=True)
class _Face:
    """A face's two closest students, and those it can be given, by similarity.

    Students are columns: indices into ``Gallery.student_ids``.
    """

    closest: tuple[tuple[int, float], ...]
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
    return np.asarray(probes @ gallery.embeddings.T)


def _look(
    row: FloatArray, gallery: Gallery, *, threshold: float, margin: float
) -> _Face:
    """What one face's similarities to all templates say of the students.

    Only students within ``margin`` of a face's best are possible for it. Otherwise a
    face that is surely one student could be pushed on to somebody unlike it, to free
    that student for a worse face: the sum would grow and a wrong person be marked.

    Most faces are near one student or none. The row is read twice for the two closest
    and once more only where the second is possible as well: with ten thousand
    templates, passes over all of them would cost as much as the product itself.
    """
    best = _closest(row, gallery)
    if len(gallery.starts) == 1:
        return _Face((best,), _near([best], threshold))
    own = slice(gallery.starts[best[0]], _end(gallery, best[0]))
    kept = row[own].copy()
    row[own] = -np.inf
    second = _closest(row, gallery)
    row[own] = kept
    if not _possible(second[1], best[1], margin):
        return _Face((best, second), _near([best], threshold))
    students = np.maximum.reduceat(row, gallery.starts)
    likely = [
        (int(column), float(students[column]))
        for column in np.flatnonzero(students >= second[1] - margin)
        if _possible(float(students[column]), best[1], margin)
    ]
    return _Face((best, second), _near(likely, threshold))


def _closest(row: FloatArray, gallery: Gallery) -> tuple[int, float]:
    """The student whose template is closest, as a column, and how close."""
    template = row.argmax()
    column = np.searchsorted(gallery.starts, template, side="right") - 1
    return int(column), float(row[template])


def _end(gallery: Gallery, column: int) -> int:
    following = gallery.starts[column + 1 : column + 2]
    return int(following[0]) if following.size else len(gallery)


def _possible(similarity: float, best: float, margin: float) -> bool:
    return similarity > best - margin or similarity == best


def _near(students: Sequence[tuple[int, float]], threshold: float) -> dict[int, float]:
    return {
        column: similarity
        for column, similarity in students
        if _reaches(similarity, threshold)
    }


def _reaches(similarity: float, threshold: float) -> bool:
    return similarity >= threshold - _ROUNDING


def _assign(faces: Sequence[_Face], *, threshold: float) -> dict[int, int]:
    """Face → student (column), each at most once."""
    open_faces = [index for index, face in enumerate(faces) if face.likely]
    if not open_faces:
        return {}
    columns = sorted({column for face in faces for column in face.likely})
    place = {column: index for index, column in enumerate(columns)}
    gain = np.zeros((len(open_faces), len(columns)))
    for row, index in enumerate(open_faces):
        for column, similarity in faces[index].likely.items():
            gain[row, place[column]] = similarity - threshold + 2 * _ROUNDING
    pairs = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
    return {
        open_faces[row]: columns[column]
        for row, column in pairs
        if columns[column] in faces[open_faces[row]].likely
    }


def _judge(
    face: _Face,
    gallery: Gallery,
    *,
    given: int | None,
    threshold: float,
    margin: float,
) -> Match:
    candidates = tuple(
        Candidate(int(gallery.student_ids[column]), similarity)
        for column, similarity in face.closest
    )
    if given is None:
        similarity, others = face.closest[0][1], face.closest[1:]
    else:
        similarity = face.likely[given]
        others = tuple(one for one in face.closest if one[0] != given)
    lead = similarity - others[0][1] if others else None
    if given is None:
        # The best student is not near, or went to a better face; anybody else who is
        # near leaves the question open.
        near = [one for one in face.closest if _reaches(one[1], threshold)]
        outcome: Outcome = "ambiguous" if len(near) > 1 else "unknown"
        return Match(outcome, None, similarity, lead, candidates)
    if lead is not None and lead < margin - _ROUNDING:
        return Match("ambiguous", None, similarity, lead, candidates)
    return Match(
        "matched", int(gallery.student_ids[given]), similarity, lead, candidates
    )


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
    return float(row[gallery.starts[column] : _end(gallery, column)].max())


def _check_finite(array: FloatArray) -> None:
    if not np.isfinite(array).all():
        raise ValueError("an embedding holds NaN or infinity")
