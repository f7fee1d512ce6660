"""Live attendance: a student is marked after two agreeing frames, never after one.

What a frame showed travels back as a signed token that the next frame presents, so
that no process keeps any state and two servers can share one camera's frames. A keyed
hash of the frame travels with it: the same bytes twice are one look, for no two frames
of a camera are the same to the last bit. A photo's file that a script sends again and
again marks nobody.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.core import signing
from django.utils import timezone

from accounts.models import User
from attendance.evidence import digest
from attendance.models import Record, Session, Source
from attendance.recognition import Sighting, evidence_of, named, recognise
from attendance.services import current_session, mark_by_face
from classroom.models import Classroom, Student

# A second look that comes later is a first look: the person may be another one.
TOKEN_SECONDS: Final = 10
SALT: Final = "attendance.live"


@dataclass(frozen=True, slots=True)
class LiveFace:
    """A face of one frame.

    `record` is the student's line, where there is one by now; a student without a line
    was seen once. `student` is None for a face that is nobody's or one of two's.
    """

    sighting: Sighting
    student: Student | None
    record: Record | None
    is_new: bool
    candidates: list[tuple[Student, float]]


@dataclass(frozen=True, slots=True)
class Look:
    """What one frame showed, and the token that makes the next one its second."""

    faces: list[LiveFace]
    token: str


def look(
    classroom: Classroom,
    frame: bytes,
    *,
    token: str = "",
    by: User,
    session_id: int | None = None,
    now: dt.datetime | None = None,
) -> Look:
    """Recognise a frame; mark those whom the frame before it showed as well.

    `token` is that of the frame before, at most ten seconds old; any other one counts
    as none, and so does that of the very same frame. Raises FaceError,
    SessionNotFound and SessionClosed.
    """
    now = now or timezone.now()
    # Asked first, so that a closed session costs no inference.
    session = current_session(classroom, session_id=session_id, now=now)
    sightings, students = recognise(classroom, frame)
    seen = {
        sighting.match.student_id: sighting.match.similarity or 0.0
        for sighting in sightings
        if sighting.match.student_id is not None
    }
    known = _known(session, seen)
    scope = [by.pk, classroom.pk, session_id or 0]
    photo = digest(frame)
    before = _seen_before(token, scope=scope, photo=photo)
    agreed = {pk: seen[pk] for pk in seen if pk in before and pk not in known}
    marks = mark_by_face(
        classroom,
        agreed,
        by=by,
        session_id=session_id,
        now=now,
        evidence=evidence_of((frame, sighting.match) for sighting in sightings),
    )
    known |= {pk: mark.record for pk, mark in marks.items()}
    new = {pk for pk, mark in marks.items() if not mark.already_marked}
    faces = [_face(sighting, students, known, new) for sighting in sightings]
    return Look(faces, signing.dumps([scope, photo, sorted(seen)], salt=SALT))


def _face(
    sighting: Sighting,
    students: dict[int, Student],
    known: dict[int, Record],
    new: set[int],
) -> LiveFace:
    pk = sighting.match.student_id
    if pk is None:
        is_doubtful = sighting.match.outcome == "ambiguous"
        between = named(sighting.match, students) if is_doubtful else []
        return LiveFace(sighting, None, None, False, between)
    return LiveFace(sighting, students[pk], known.get(pk), pk in new, [])


def _known(session: Session | None, seen: dict[int, float]) -> dict[int, Record]:
    """Return the lines that a face would not change."""
    if session is None or not seen:
        return {}
    lines = Record.objects.filter(session=session, student__in=list(seen))
    return {line.student_id: line for line in lines.exclude(source=Source.RULE)}


def _seen_before(token: str, *, scope: list[int], photo: str) -> Sequence[int]:
    """Return whom the frame before showed, to this user, in this class and session.

    `photo` is the digest of the frame now.
    """
    try:
        signed = signing.loads(token, salt=SALT, max_age=TOKEN_SECONDS)
        its_scope, its_photo, seen = signed
    except (signing.BadSignature, ValueError):
        # Forged, too old, of a version before, or no token at all.
        return []
    return list(seen) if its_scope == scope and its_photo != photo else []
