"""Tell a person what is wrong with a photo, in the language of the page.

The engine knows neither Django nor languages: its errors carry a code and figures,
and their English `detail` is for programs. Pages take the words from here.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_stubs_ext import StrOrPromise

from accounts.errors import DomainError
from faces.engine.errors import EngineError, FaceError
from faces.engine.quality import LIMITS

FRONTAL = 11.0  # degrees; the figure itself is good to about ten

Fault = DomainError | EngineError | FaceError

# What to do comes with what is wrong; the shortest of them must fit over a video.
WORDS: Mapping[str, StrOrPromise] = {
    "unreadable_image": gettext_lazy(
        "The photo is damaged or incomplete. Take it again."
    ),
    "unsupported_format": gettext_lazy(
        "This file is no photo we can read. Choose a JPEG, PNG, WebP or HEIC."
    ),
    "image_too_small": gettext_lazy("The photo is too small. Choose a larger one."),
    "repeated_photo": gettext_lazy("The archive holds this photo twice."),
    "crashed": gettext_lazy("Reading this photo stopped the worker. Try it alone."),
    "no_face": gettext_lazy("No face found. Look into the camera, in good light."),
    "face_too_small": gettext_lazy("Come closer: the face is too small."),
    "low_detection_score": gettext_lazy(
        "The face is hard to make out. Uncover it and turn to the light."
    ),
    "blurry": gettext_lazy("Hold still: the face is blurred."),
    "too_dark": gettext_lazy("Turn to the light: the face is too dark."),
    "too_bright": gettext_lazy("Step out of the glare: the face is too bright."),
    "face_cut_off": gettext_lazy("Move to the middle: the face is cut off."),
    "consent_missing": gettext_lazy(
        "There is no consent for this face. Record it first; until then attendance is "
        "entered by hand."
    ),
    "closer_to_another": gettext_lazy(
        "This photo looks more like another student than like the other photos. Check "
        "whom it shows, or take it again."
    ),
    "engine_busy": gettext_lazy(
        "Many photos are being read right now. Try again in a moment."
    ),
    "engine_unavailable": gettext_lazy(
        "Faces can’t be read at the moment. Try again later or tell an admin."
    ),
}
POSES: Mapping[str, StrOrPromise] = {
    "yaw": gettext_lazy("Look into the camera: the head is turned too far."),
    "pitch": gettext_lazy("Hold the camera at eye level."),
    "roll": gettext_lazy("Hold the head upright: it is tilted."),
}


def sentence(fault: Fault) -> str:
    """Return what is wrong and what to do about it, in the active language.

    A domain's fault speaks for itself: its detail is translated where it is raised.
    """
    if isinstance(fault, DomainError):
        return str(fault.detail)
    words = _with_figures(fault) or WORDS.get(fault.code)
    return str(words or fault.detail)


def sentence_for_photo(fault: Fault, *, photos: int) -> str:
    """Return the sentence with the number of the photo, where several were sent."""
    number = fault.extra.get("photo")
    if number is None or photos < 2:
        return sentence(fault)
    return _("Photo %(number)s: %(fault)s") % {
        "number": number,
        "fault": sentence(fault),
    }


def _with_figures(fault: EngineError | FaceError) -> StrOrPromise | None:
    extra: dict[str, Any] = fault.extra
    if fault.code == "extreme_pose":
        return POSES.get(str(extra.get("axis")), POSES["yaw"])
    if fault.code == "image_too_large":
        return _("The photo is too large: up to %(limit)s MB are fine.") % {
            "limit": settings.FACE_MAX_UPLOAD_MB
        }
    if fault.code == "multiple_faces" and "faces" in extra:
        faces = int(extra["faces"])
        return ngettext(
            "There is %(faces)s face. Only one person may be on the photo.",
            "There are %(faces)s faces. Only one person may be on the photo.",
            faces,
        ) % {"faces": faces}
    if fault.code == "multiple_faces":
        return _("Several people are in front of the camera. Only one may be.")
    return None


def template_words(figures: Mapping[str, float]) -> str:
    """Say what an enrolled photo shows, from the figures that were kept of it."""
    look = _look(float(figures.get("yaw", 0.0)))
    if not figures:
        return look
    limits = LIMITS["strict"]
    is_strong = (
        figures.get("eye_distance", 0.0) >= limits.eye_distance
        and figures.get("sharpness", 0.0) >= limits.sharpness
        and limits.darkest <= figures.get("brightness", 0.0) <= limits.brightest
    )
    return _("%(look)s, clear") % {"look": look} if is_strong else look


def _look(yaw: float) -> str:
    if abs(yaw) <= FRONTAL:
        return _("Front")
    # The nose points to the picture's right: the person's own left.
    return _("Left") if yaw > 0 else _("Right")
