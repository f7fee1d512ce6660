"""What an admin wants to know of faces: who is enrolled, and how the engine runs."""

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from django.conf import settings
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    OuterRef,
    TextChoices,
    Value,
    When,
)
from django.utils.translation import gettext_lazy as _

from faces import gallery, runtime
from faces.engine.quality import check
from faces.engine.samples import packaged_group_photo
from faces.engine.types import Face, Quality
from faces.models import FaceTemplate

RUNS = 5  # of each measurement; the median counts


class FaceState(TextChoices):
    """Whether a student can be recognised by the active model."""

    ENROLLED = "enrolled", _("Enrolled")
    RENEW = "needs_new_photo", _("Needs a new photo")
    NONE = "none", _("No face yet")


def face_state(student: str = "pk") -> Case:
    """Return an expression for a row's FaceState; `student` names its student."""
    templates = FaceTemplate.objects.filter(student=OuterRef(student))
    active = templates.filter(model_id=runtime.active_model_id())
    return Case(
        When(Exists(active), then=Value(FaceState.ENROLLED)),
        When(Exists(templates), then=Value(FaceState.RENEW)),
        default=Value(FaceState.NONE),
        output_field=CharField(),
    )


def photo_word(figures: dict[str, float]) -> str:
    """Say in a word how good an enrolled photo was: it passes the strict review or not.

    "" where the figures are of another version.
    """
    try:
        quality = Quality(**figures)
    except TypeError:
        return ""
    nothing = np.empty(0, np.float32)
    # A picture of one square: the share of the box outside it is the one measured.
    box = (-quality.cut_off, 0.0, 1.0, 1.0)
    face = Face(box, nothing, quality.detection_score, quality, nothing)
    return str(_("fair") if check(face, (1, 1), "strict") else _("good"))


def broken_templates() -> int:
    """Return how many templates of the active model can't be opened."""
    model_id = runtime.active_model_id()
    kept = gallery.number_kept(model_id=model_id)
    return kept - len(gallery.for_school(model_id=model_id))


@dataclass(frozen=True, slots=True)
class ModelUse:
    model_id: str
    active: bool
    templates: int
    students: int


def templates_per_model() -> list[ModelUse]:
    """Return how many templates and students each model has; the active one first."""
    counts = (
        FaceTemplate.objects.order_by()
        .values("model_id")
        .annotate(templates=Count("pk"), students=Count("student", distinct=True))
    )
    active = runtime.active_model_id()
    found = [
        ModelUse(
            model_id=row["model_id"],
            active=row["model_id"] == active,
            templates=row["templates"],
            students=row["students"],
        )
        for row in counts
    ]
    return sorted(found, key=lambda use: (not use.active, use.model_id))


def versions() -> dict[str, str]:
    """Return the versions of what computes."""
    return {
        "Python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "insightface": _version_of("insightface"),
        "OpenCV": cv2.__version__,
        "NumPy": np.__version__,
    }


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


def device_asked() -> str:
    return str(settings.FACE_DEVICE)


def memory() -> dict[str, float]:
    """Return this process's resident memory now and at most, in MB; {} off Linux."""
    names = {"VmRSS": "now", "VmHWM": "most"}
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":")[::2] for line in lines)
    return {
        names[name]: int(value.split()[0]) / 1024
        for name, value in pairs
        if name in names
    }


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians in milliseconds on the packaged group photo."""

    faces: int
    width: int
    height: int
    detection: float
    second_look: float
    embedding: float

    @property
    def embedding_per_face(self) -> float:
        return self.embedding / self.faces


def measure() -> Timing:
    """Time the engine on the packaged photo of six people; takes about a second.

    Raises EngineError.
    """
    engine = runtime.get_engine()
    photo = np.asarray(cv2.imread(str(packaged_group_photo())), dtype=np.uint8)
    found = engine.detect(photo)
    looked = _median(lambda: engine.describe(photo, found, embed=False))
    described = _median(lambda: engine.describe(photo, found))
    return Timing(
        faces=len(found),
        width=photo.shape[1],
        height=photo.shape[0],
        detection=_median(lambda: engine.detect(photo)),
        second_look=looked,
        embedding=max(described - looked, 0.0),
    )


def _median(work: Callable[[], object]) -> float:
    taken = []
    for _run in range(RUNS):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)
