"""Look at one frame of a camera for the enrolment coach: nothing of it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from faces import runtime, words
from faces.engine.errors import FaceError, MultipleFaces, NoFace
from faces.engine.quality import check
from faces.engine.types import Face, Image
from faces.services import read_photo

# Shares of the frame's shorter side: what fills the oval on the page comfortably. The
# engine itself takes far smaller faces; a coach asks for the best that costs nothing.
SMALLEST_WIDTH = 0.2
LARGEST_WIDTH = 0.75
# How far the face's centre may be from the frame's, in shares of its sides.
OFF_CENTRE = (0.2, 0.25)

PLACES: Mapping[str, StrOrPromise] = {
    "come_closer": _("Come closer, until your face fills the oval."),
    "too_close": _("Move back a little."),
    "off_centre": _("Move into the oval."),
}


@dataclass(frozen=True, slots=True)
class Advice:
    """A stable code, and what to do in the language of the page."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Look:
    """What the coach makes of a frame; `face` is None without exactly one face.

    `box` is (x, y, width, height) in shares of the frame's sides.
    """

    advice: list[Advice]
    face: Face | None = None
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    @property
    def is_good(self) -> bool:
        return not self.advice


def look(photo: bytes) -> Look:
    """Say what would make a frame better, the most helpful advice first.

    Raises EngineError.
    """
    engine = runtime.get_engine()
    try:
        with engine.turn():
            image = read_photo(photo)
            faces = engine.analyse(image, embed=False)
    except FaceError as unreadable:
        return Look([_advice(unreadable)])
    if len(faces) != 1:
        fault = MultipleFaces(faces=len(faces)) if faces else NoFace()
        return Look([_advice(fault)])
    face = faces[0]
    box = _in_shares(face, image)
    # An installation that takes any photo still wants to hear how to take a good one.
    level = settings.FACE_ENROLL_REVIEW
    faults = check(face, image.shape, level="standard" if level == "off" else level)
    advice = [*_place(face, image), *(_advice(fault) for fault in faults)]
    return Look(advice, face, box)


def _advice(fault: FaceError) -> Advice:
    return Advice(fault.code, words.sentence(fault))


def _place(face: Face, image: Image) -> list[Advice]:
    code = _misplaced(face, image)
    return [Advice(code, str(PLACES[code]))] if code else []


def _misplaced(face: Face, image: Image) -> str:
    share = face.box[2] / min(image.shape[:2])
    if share < SMALLEST_WIDTH:
        return "come_closer"
    if share > LARGEST_WIDTH:
        return "too_close"
    x, y, width, height = _in_shares(face, image)
    aside, above = abs(x + width / 2 - 0.5), abs(y + height / 2 - 0.5)
    return "off_centre" if aside > OFF_CENTRE[0] or above > OFF_CENTRE[1] else ""


def _in_shares(face: Face, image: Image) -> tuple[float, float, float, float]:
    height, width = image.shape[:2]
    x, y, w, h = face.box
    return x / width, y / height, w / width, h / height
