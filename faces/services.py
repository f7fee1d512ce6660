"""Enrol a face: photos in, encrypted templates out, nothing of a photo kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.audit import Event
from accounts.errors import DomainError
from accounts.models import User
from classroom.consent_models import ErasureReason
from classroom.consents import current_consent
from classroom.models import Student
from faces import consent, gallery, runtime, vault
from faces.engine.errors import FaceError, MultipleFaces, NoFace
from faces.engine.image import decode
from faces.engine.quality import check
from faces.engine.types import Face, Image
from faces.erasure import erase_face
from faces.matching import Gallery, similarities
from faces.models import MAX_TEMPLATES, FaceTemplate

MAX_PHOTOS = 5  # front, a little left, a little right, and two to spare

# Among 516 people 1.0 % of single photos were this close to a stranger at 0.55 and
# 2.9 % at 0.50: a check against a whole school needs a higher bar than a class.
DUPLICATE_SIMILARITY = 0.55
LOOK_ALIKE_SIMILARITY = 0.45


class DuplicateFace(FaceError):
    code = "duplicate_face"
    default_detail = "This face already belongs to another student."


class CloserToAnother(FaceError):
    code = "closer_to_another"
    default_detail = (
        "This photo looks more like another student than like this student's other "
        "photos. Check whom it shows, or take it again."
    )


class TooManyTemplates(DomainError):
    code = "too_many_templates"
    default_detail = gettext_lazy(
        "This student has as many photos as may be. Remove the old ones first."
    )


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something worth a look that didn't stop an enrolment."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Registration:
    templates: list[FaceTemplate]
    warnings: list[Doubt]


@dataclass(frozen=True, slots=True)
class LookAlike:
    student: Student
    similarity: float


def read_photo(data: bytes) -> Image:
    """Decode a photo within the configured limits; raises FaceError."""
    return decode(
        data,
        max_bytes=settings.FACE_MAX_UPLOAD_MB * 1024 * 1024,
        max_pixels=settings.FACE_MAX_PIXELS,
    )


def only_face(image: Image) -> Face:
    """Return the one face of an enrolment photo; raises FaceError."""
    faces = runtime.get_engine().analyse(image)
    if not faces:
        raise NoFace
    if len(faces) > 1:
        raise MultipleFaces(faces=len(faces))
    reasons = check(faces[0], image.shape, level=settings.FACE_ENROLL_REVIEW)
    if reasons:
        first = reasons[0]
        first.extra["reasons"] = [
            {"code": reason.code, "detail": reason.detail} for reason in reasons
        ]
        raise first
    return faces[0]


def register(
    student: Student,
    photos: Sequence[bytes],
    *,
    by: User,
    allow_duplicate: bool = False,
    reason: str = "",
) -> Registration:
    """Enrol a student from one to five photos: all of them or none.

    Raises FaceError (with `photo`, counted from 1, where one photo is to blame; also
    ConsentMissing), TooManyTemplates and EngineError.
    """
    consent.require_consent(student)
    with runtime.get_engine().turn():
        faces = [_face_of(photo, at) for at, photo in enumerate(photos, start=1)]
    warnings = examine(student, faces, by=by, allow_duplicate=allow_duplicate)
    kept_reason = reason if allow_duplicate else ""
    return Registration(save(student, faces, by, kept_reason), warnings)


def examine(
    student: Student, faces: Sequence[Face], *, by: User, allow_duplicate: bool = False
) -> list[Doubt]:
    """Compare faces with the whole school before they are saved; raises FaceError."""
    probes = np.stack([face.embedding for face in faces])
    school = gallery.for_school(model_id=runtime.active_model_id())
    if settings.FACE_ENROLL_REVIEW == "strict" and not allow_duplicate:
        _require_closest_to_own(probes, student, school)
    warnings = [*_consent_doubts(student), *_doubts(probes, student, school)]
    look_alike = _closest_other(probes, student, school)
    if look_alike and look_alike.similarity >= LOOK_ALIKE_SIMILARITY:
        refused = look_alike.similarity >= DUPLICATE_SIMILARITY
        if refused and not allow_duplicate:
            raise _duplicate(look_alike, by)
        warnings.append(Doubt("look_alike", _look_alike_words(look_alike, by)))
    return warnings


@transaction.atomic
def remove_templates(
    student: Student, *, by: User | None = None, only: int | None = None
) -> int:
    """Remove a student's templates of every model, or one of them; return how many.

    Where none is left the face is erased, with a receipt as after a withdrawal.
    """
    # The lock keeps two removals at once from each leaving the other's template.
    Student.objects.select_for_update().get(pk=student.pk)
    templates = FaceTemplate.objects.filter(student=student)
    number = templates.count()
    if only is None or not templates.exclude(pk=only).exists():
        erase_face(student, reason=ErasureReason.REQUEST, by=by)
        return number
    removed: int = templates.filter(pk=only).delete()[0]
    if removed:
        audit.write(Event.TEMPLATES_REMOVED, by=by, on=student, templates=removed)
    return removed


def needs_new_photo(*, model_id: str | None = None) -> QuerySet[Student]:
    """Return the students who have templates, but none of a model (the active one)."""
    model_id = model_id or runtime.active_model_id()
    known = FaceTemplate.objects.of_model(model_id).students()
    others = FaceTemplate.objects.of_other_models(model_id).students()
    return others.exclude(pk__in=known.values("pk"))


def _face_of(photo: bytes, number: int) -> Face:
    try:
        return only_face(read_photo(photo))
    except FaceError as error:
        error.extra["photo"] = number
        raise


@transaction.atomic
def save(
    student: Student, faces: Sequence[Face], by: User, duplicate_reason: str = ""
) -> list[FaceTemplate]:
    """Seal and keep examined faces; raises TooManyTemplates and ConsentMissing."""
    # The lock keeps two enrolments at once from both seeing room for their photos, and
    # one from outrunning a withdrawal.
    Student.objects.select_for_update().get(pk=student.pk)
    consent.require_consent(student)
    model_id = runtime.active_model_id()
    kept = FaceTemplate.objects.filter(student=student, model_id=model_id).count()
    if kept + len(faces) > MAX_TEMPLATES:
        raise TooManyTemplates
    made = [_template(student, face, model_id, by, duplicate_reason) for face in faces]
    ids = [template.pk for template in made]
    audit.write(
        Event.ENROLLED,
        by=by,
        on=student,
        model=model_id,
        templates=ids,
        duplicate_allowed=bool(duplicate_reason),
    )
    return made


def _template(
    student: Student, face: Face, model_id: str, by: User, duplicate_reason: str
) -> FaceTemplate:
    key_id, sealed = vault.seal(
        face.embedding, student_id=student.pk, model_id=model_id
    )
    figures = asdict(face.quality)
    return FaceTemplate.objects.create(
        student=student,
        model_id=model_id,
        dimension=face.embedding.size,
        key_id=key_id,
        sealed_embedding=sealed,
        quality={name: round(float(value), 3) for name, value in figures.items()},
        duplicate_reason=duplicate_reason,
        created_by=by,
    )


def _consent_doubts(student: Student) -> list[Doubt]:
    words = consent.missing_words(current_consent(student))
    return [Doubt(consent.ConsentMissing.code, words)] if words else []


def _doubts(probes: np.ndarray, student: Student, school: Gallery) -> list[Doubt]:
    """Say where the photos don't look like one person, or not like the earlier ones."""
    threshold = runtime.threshold()
    doubts = []
    if any(float(a @ b) < threshold for a, b in pairwise(probes)):
        doubts.append(
            Doubt("photos_differ", _("These photos may not show the same person."))
        )
    owners, scores = similarities(probes, school)
    own = scores[:, owners == student.pk]
    if own.size and float(own.max()) < threshold:
        doubts.append(
            Doubt(
                "unlike_earlier_photos",
                _("This doesn't look like the photos enrolled before."),
            )
        )
    return doubts


def _require_closest_to_own(
    probes: np.ndarray, student: Student, school: Gallery
) -> None:
    """Raise CloserToAnother for a photo that is nearer to anybody else's photos.

    A student's own are the enrolled ones and the others that come with it; a first and
    only photo has nothing to be compared with.
    """
    owners, scores = similarities(probes, school)
    own = np.hstack([scores[:, owners == student.pk], probes @ probes.T])
    siblings = own[:, own.shape[1] - len(probes) :]
    np.fill_diagonal(siblings, -np.inf)  # a photo says nothing of itself
    others = scores[:, owners != student.pk]
    if not others.size or not np.isfinite(own).any():
        return
    for number, (nearest, other) in enumerate(
        zip(own.max(axis=1), others.max(axis=1), strict=True), start=1
    ):
        if nearest <= other:
            raise CloserToAnother(
                photo=number,
                own=round(float(nearest), 4),
                another=round(float(other), 4),
            )


def _closest_other(
    probes: np.ndarray, student: Student, school: Gallery
) -> LookAlike | None:
    owners, scores = similarities(probes, school)
    others = owners != student.pk
    if not others.any():
        return None
    best = scores[:, others].max(axis=0)
    winner = int(best.argmax())
    other = Student.objects.filter(pk=int(owners[others][winner])).first()
    return LookAlike(other, float(best[winner])) if other else None


def _duplicate(look_alike: LookAlike, by: User) -> DuplicateFace:
    similarity = round(look_alike.similarity, 4)
    if not _may_see(look_alike.student, by):
        return DuplicateFace(
            _(
                "This face already belongs to a student of another class. "
                "Ask an admin, or allow the duplicate with a reason."
            ),
            similarity=similarity,
        )
    return DuplicateFace(
        _(
            "This face already belongs to %(name)s. "
            "For twins, allow the duplicate with a reason."
        )
        % {"name": look_alike.student.full_name},
        similarity=similarity,
        student={
            "id": look_alike.student.pk,
            "student_id": look_alike.student.student_id,
            "full_name": look_alike.student.full_name,
        },
    )


def _look_alike_words(look_alike: LookAlike, by: User) -> str:
    seen = _may_see(look_alike.student, by)
    name = look_alike.student.full_name if seen else _("a student of another class")
    return _("This face looks like %(name)s (similarity %(similarity)s).") % {
        "name": name,
        "similarity": f"{look_alike.similarity:.2f}",
    }


def _may_see(student: Student, user: User) -> bool:
    return Student.objects.for_user(user).filter(pk=student.pk).exists()
