"""What a consent decides about a face: who may be enrolled and who is compared."""

from django.conf import settings
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from classroom.consents import current_consent
from classroom.models import Consent, ConsentState, Student
from faces.engine.errors import FaceError
from faces.models import FaceTemplate


class ConsentMissing(FaceError):
    code = "consent_missing"
    default_detail = (
        "There is no consent on record for this student's face. Record it first, or "
        "mark the student by hand."
    )


def is_asked() -> bool:
    """Say whether this installation works with consents at all."""
    return str(settings.FACE_CONSENT) != "off"


def is_required() -> bool:
    return str(settings.FACE_CONSENT) == "require"


def allows(state: ConsentState) -> bool:
    """Say whether a face may be enrolled where this is on record.

    A no always holds; whether silence does is `FACE_CONSENT`.
    """
    if is_required():
        return state == ConsentState.GIVEN
    return not is_asked() or state != ConsentState.WITHDRAWN


def require_consent(student: Student) -> None:
    """Raise ConsentMissing where this student's face may not be enrolled."""
    if not is_asked():
        return
    known = current_consent(student)
    state = known.state() if known else ConsentState.NONE
    if not allows(state):
        raise ConsentMissing(consent=state.value)


def missing_words(known: Consent | None) -> str:
    """Say that a face is enrolled without a consent, or "" where there is one."""
    if not is_asked():
        return ""
    if known is None:
        return _("There is no consent on record for this face. Ask for it.")
    if known.state() == ConsentState.EXPIRED and known.until is not None:
        day = date_format(known.until, "DATE_FORMAT")
        return _("The consent for this face ended on %(day)s. Ask again.") % {
            "day": day
        }
    return ""


def comparable(templates: QuerySet[FaceTemplate]) -> QuerySet[FaceTemplate]:
    """Keep the templates that may be compared: under `require`, those with consent."""
    if not is_required():
        return templates
    covered = Consent.objects.in_force().values("student")
    return templates.filter(student__in=covered)


def left_out(students: QuerySet[Student], *, model_id: str) -> QuerySet[Student]:
    """Return those with a template whom a missing consent keeps out of galleries."""
    if not is_required():
        return students.none()
    covered = Consent.objects.in_force().values("student")
    enrolled = FaceTemplate.objects.of_model(model_id).values("student")
    return students.filter(pk__in=enrolled).exclude(pk__in=covered)
