"""From a photo to marks: recognise a class's students, then write the register."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from django.utils import timezone
from django.utils.translation import ngettext

from accounts.models import User
from attendance.evidence import Evidence, digest, sentence
from attendance.face_marks import Mark
from attendance.models import Record
from attendance.services import current_session, mark_by_face
from classroom.models import Classroom, Student
from faces import figures, gallery, runtime
from faces.consent import ConsentMissing, left_out
from faces.engine.errors import FaceError, MultipleFaces, NoFace
from faces.engine.quality import check
from faces.engine.types import Detection, Face
from faces.look_alikes import pairs_among
from faces.matching import LOOK_ALIKE_MARGINS, Gallery, Match, match
from faces.services import Doubt, needs_new_photo, read_photo
from faces.status import FaceState

# A second face this wide, compared with the widest, stands in front of the camera too.
SECOND_FACE_WIDTH = 0.8

# A face in a room is smaller than one that fills the picture.
GROUP_DETECTION_SIZE = 1920


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face and who it may be; nothing was marked."""

    face: Face
    match: Match


@dataclass(frozen=True, slots=True)
class Recognised:
    student: Student
    match: Match
    face: Face
    photo: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class Seen:
    """A face that marked nobody; `candidates` where it may be one of two."""

    match: Match
    face: Face
    photo: int
    candidates: list[tuple[Student, float]]


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer for one person; `reason` says why there is no match."""

    face: Face
    match: Match
    recognised: Recognised | None
    reason: str
    candidates: list[tuple[Student, float]]
    hints: Sequence[FaceError | Doubt]
    threshold: float


@dataclass(frozen=True, slots=True)
class GroupResult:
    recognised: list[Recognised]
    ambiguous: list[Seen]
    unknown: list[Seen]
    not_seen: list[Student]


def verify(
    classroom: Classroom,
    photo: bytes,
    *,
    by: User,
    session_id: int | None = None,
    now: dt.datetime | None = None,
) -> Verification:
    """Recognise the person in front of the camera and mark them.

    Raises FaceError for the photo, SessionNotFound and SessionClosed.
    """
    now = now or timezone.now()
    # Asked first, so that a closed session costs no inference.
    current_session(classroom, session_id=session_id, now=now)
    face, shape = _person_in_front(photo)
    templates = _class_gallery(classroom)
    found = _match([face], templates)[0]
    recognised = None
    reason = "" if found.outcome == "matched" else _reason(found, templates)
    students = _students([found])
    if found.outcome == "matched" and found.student_id is not None:
        marks = mark_by_face(
            classroom,
            {found.student_id: found.similarity or 0.0},
            by=by,
            session_id=session_id,
            now=now,
            evidence=evidence_of([(photo, found)]),
        )
        recognised = Recognised(
            students[found.student_id], found, face, 1, marks[found.student_id]
        )
    return Verification(
        face=face,
        match=found,
        recognised=recognised,
        reason=reason,
        candidates=named(found, students) if recognised is None else [],
        hints=[
            *(_why_nobody(classroom) if reason == "nobody_enrolled" else []),
            *check(face, shape, level="standard"),
            *(flagged(recognised.mark.record) if recognised else []),
        ],
        threshold=runtime.threshold(),
    )


def mark_group(
    classroom: Classroom,
    photos: Sequence[bytes],
    *,
    by: User,
    session_id: int | None = None,
    now: dt.datetime | None = None,
) -> GroupResult:
    """Mark everybody seen on one to five photos of a room; each student once.

    Raises FaceError (with `photo`, counted from 1), SessionNotFound and SessionClosed.
    """
    now = now or timezone.now()
    current_session(classroom, session_id=session_id, now=now)
    templates = _class_gallery(classroom)
    with runtime.get_engine().turn():
        seen = [
            (photo, face, found)
            for photo, data in enumerate(photos, start=1)
            for face, found in _recognise(data, photo, templates)
        ]
    best = _best_per_student(seen)
    marks = mark_by_face(
        classroom,
        {student: found.similarity or 0.0 for student, (_, _, found) in best.items()},
        by=by,
        session_id=session_id,
        now=now,
        evidence=evidence_of(
            (photos[number - 1], found) for number, _, found in best.values()
        ),
    )
    students = _students([found for _, _, found in seen])
    recognised = [
        Recognised(students[student], found, face, photo, marks[student])
        for student, (photo, face, found) in best.items()
    ]
    rest = [
        Seen(found, face, photo, named(found, students))
        for photo, face, found in seen
        if found.outcome != "matched"
    ]
    roster = Student.objects.in_class(classroom.pk, on=timezone.localdate(now))
    return GroupResult(
        recognised=recognised,
        ambiguous=[item for item in rest if item.match.outcome == "ambiguous"],
        unknown=[item for item in rest if item.match.outcome == "unknown"],
        not_seen=[student for student in roster if student.pk not in best],
    )


def recognise(
    classroom: Classroom, photo: bytes
) -> tuple[list[Sighting], dict[int, Student]]:
    """Recognise everybody on a photo and mark nobody.

    Returns the faces, the largest first, and the students whom their matches name.
    Raises FaceError.
    """
    templates = _class_gallery(classroom)
    with runtime.get_engine().turn():
        seen = _recognise(photo, 1, templates)
    students = _students([found for _, found in seen])
    return [Sighting(face, found) for face, found in seen], students


def _person_in_front(photo: bytes) -> tuple[Face, tuple[int, ...]]:
    """Return the largest face and the photo's shape; its pixels are gone by then.

    Raises NoFace, or MultipleFaces for another as large.
    """
    engine = runtime.get_engine()
    with engine.turn():
        image = read_photo(photo)
        detections = engine.detect(image)
        _require_one(detections)
        return engine.describe(image, detections[:1])[0], image.shape


def _require_one(detections: Sequence[Detection]) -> None:
    if not detections:
        raise NoFace
    widths = sorted((found.box[2] for found in detections), reverse=True)
    if len(widths) > 1 and widths[1] >= SECOND_FACE_WIDTH * widths[0]:
        raise MultipleFaces(
            "Several people are in front of the camera. Only one may be."
        )


def _recognise(
    data: bytes, number: int, templates: Gallery
) -> list[tuple[Face, Match]]:
    """Recognise the faces of one photo; its pixels are gone when this returns."""
    try:
        image = read_photo(data)
    except FaceError as error:
        error.extra["photo"] = number
        raise
    faces = runtime.get_engine().analyse(image, detection_size=GROUP_DETECTION_SIZE)
    return list(zip(faces, _match(faces, templates), strict=True))


def _match(faces: Sequence[Face], templates: Gallery) -> list[Match]:
    if not faces:
        return []
    probes = np.stack([face.embedding for face in faces])
    found = match(
        probes,
        templates,
        threshold=runtime.threshold(),
        margin=runtime.margin(),
        look_alikes=pairs_among(templates.student_ids.tolist()),
    )
    figures.compared(found)
    return found


def runners_up(matches: Iterable[Match]) -> dict[int, int]:
    """Return whom else each matched student's face was close to: within two margins."""
    return {
        found.student_id: candidate.student_id
        for found in matches
        for candidate in found.candidates
        if found.student_id not in (None, candidate.student_id)
        and (found.similarity or 0.0) - candidate.similarity
        < LOOK_ALIKE_MARGINS * runtime.margin()
    }


def evidence_of(seen: Iterable[tuple[bytes, Match]]) -> dict[int, Evidence]:
    """Return what each matched student's mark rests on, from photos and matches."""
    pairs = list(seen)
    digests = {photo: digest(photo) for photo in {photo for photo, _ in pairs}}
    close = runners_up(found for _, found in pairs)
    return {
        found.student_id: Evidence(
            found.margin, close.get(found.student_id), digests[photo]
        )
        for photo, found in pairs
        if found.student_id is not None
    }


def _class_gallery(classroom: Classroom) -> Gallery:
    return gallery.for_class(classroom.pk, model_id=runtime.active_model_id())


def _best_per_student(
    seen: Sequence[tuple[int, Face, Match]],
) -> dict[int, tuple[int, Face, Match]]:
    """Return each recognised student's most similar face over all photos."""
    best: dict[int, tuple[int, Face, Match]] = {}
    for photo, face, found in seen:
        if found.outcome != "matched" or found.student_id is None:
            continue
        before = best.get(found.student_id)
        if before is None or (found.similarity or 0) > (before[2].similarity or 0):
            best[found.student_id] = (photo, face, found)
    return best


def _students(matches: Sequence[Match]) -> dict[int, Student]:
    return Student.objects.in_bulk(
        {candidate.student_id for found in matches for candidate in found.candidates}
        | {found.student_id for found in matches if found.student_id is not None}
    )


def named(found: Match, students: dict[int, Student]) -> list[tuple[Student, float]]:
    """Return a match's candidates who are still there, with their similarities."""
    return [
        (students[candidate.student_id], candidate.similarity)
        for candidate in found.candidates
        if candidate.student_id in students
    ]


def _reason(found: Match, templates: Gallery) -> str:
    if not templates.owners.size:
        return "nobody_enrolled"
    return "ambiguous" if found.outcome == "ambiguous" else "no_match"


def _why_nobody(classroom: Classroom) -> list[Doubt]:
    """Say why a class whose students were enrolled has nobody to be compared with."""
    return [*_old_templates(classroom), *_without_consent(classroom)]


def _without_consent(classroom: Classroom) -> list[Doubt]:
    students = Student.objects.in_class(classroom.pk)
    count = left_out(students, model_id=runtime.active_model_id()).count()
    if not count:
        return []
    words = ngettext(
        "%(count)d student of this class is enrolled, but without a consent.",
        "%(count)d students of this class are enrolled, but without a consent.",
        count,
    )
    return [Doubt(ConsentMissing.code, words % {"count": count})]


def flagged(record: Record) -> list[Doubt]:
    """Return what speaks against a mark, as hints of the answer."""
    return [Doubt(flag["code"], sentence(flag)) for flag in record.flags]


def _old_templates(classroom: Classroom) -> list[Doubt]:
    """Say where nobody is enrolled because the model was changed."""
    waiting = needs_new_photo().filter(
        pk__in=Student.objects.in_class(classroom.pk).values("pk")
    )
    count = waiting.count()
    if not count:
        return []
    words = ngettext(
        "The face model was changed: %(count)d student of this class needs a new "
        "photo.",
        "The face model was changed: %(count)d students of this class need a new "
        "photo.",
        count,
    )
    return [Doubt(FaceState.RENEW.value, words % {"count": count})]


def box_of(face: Face) -> list[int]:
    """Return [x, y, w, h] in whole pixels of the upright photo."""
    x, y, w, h = face.box
    return [round(x), round(y), round(w), round(h)]
