"""Does the face engine do what it was asked to, here and now? Facts, faults, advice."""

import os
from dataclasses import dataclass
from importlib.metadata import distributions

import onnxruntime
from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from faces import runtime, status
from faces.engine import sessions
from faces.engine.errors import EngineError
from faces.engine.packs import EMBEDDED, Pack
from faces.engine.samples import PEOPLE
from faces.services import needs_new_photo

# Packages that install the same files: whichever came last wins.
CLASHES = (
    ("onnxruntime", "onnxruntime-gpu"),
    ("opencv-python", "opencv-python-headless"),
)
SLOW = 250.0  # milliseconds for one face: a class of 30 before one camera takes long


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found.

    `faults` must be mended, `advice` may help; each is a line that says what to do.
    `running` is empty and `pack` or `timing` None where the engine doesn't start.
    """

    pack: Pack | None
    device: str
    available: tuple[str, ...]
    running: tuple[str, ...]
    threads: int
    queue: int
    versions: dict[str, str]
    memory: dict[str, float]
    timing: status.Timing | None
    faults: tuple[str, ...]
    advice: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        return not self.faults


def diagnose() -> Diagnosis:
    """Start the engine if need be, measure it on the packaged photo, and judge.

    Takes seconds where the engine isn't warm yet. Raises nothing that is known to
    happen: what goes wrong is among the faults.
    """
    faults, advice = clashes(), list[str]()
    pack: Pack | None = None
    timing: status.Timing | None = None
    running: tuple[str, ...] = ()
    try:
        engine = runtime.get_engine()
        pack, running = engine.pack, tuple(engine.providers)
        timing = status.measure()
    except EngineError as error:
        faults.append(str(error))
    if pack is not None:
        advice += runtime.warnings_of(pack) + device_advice(running)
    if timing is not None:
        faults += timing_faults(timing)
        advice += timing_advice(timing, name=pack.name if pack else "")
    if pack is not None:
        told = template_findings()
        faults += told[0]
        advice += told[1]
    return Diagnosis(
        pack=pack,
        device=status.device_asked(),
        available=tuple(onnxruntime.get_available_providers()),
        running=running,
        threads=runtime.threads_a_photo(),
        queue=settings.FACE_QUEUE,
        versions=status.versions(),
        memory=status.memory(),
        timing=timing,
        faults=tuple(faults),
        advice=tuple(advice),
    )


def clashes() -> list[str]:
    """Say which packages overwrite each other's files."""
    here = {str(found.metadata["Name"]).lower() for found in distributions()}
    words = _(
        "%(one)s and %(other)s are installed together and overwrite each other: "
        "install the requirements again into a new environment, with --no-deps."
    )
    return [
        words % {"one": one, "other": other}
        for one, other in CLASHES
        if {one, other} <= here
    ]


def device_advice(running: tuple[str, ...]) -> list[str]:
    advice = []
    problem = sessions.cuda_problem()
    if not problem and sessions.CUDA not in running:
        advice.append(
            _(
                "This machine has an NVIDIA driver, but the engine runs on the "
                "processor: install requirements-gpu.txt and set FACE_DEVICE=cuda to "
                "see why it fails."
            )
        )
    if runtime.threads_a_photo() > (os.cpu_count() or 1):
        words = _("FACE_THREADS=%(threads)s is more than the cores here: empty it.")
        advice.append(words % {"threads": settings.FACE_THREADS})
    return advice


def timing_faults(timing: status.Timing) -> list[str]:
    if timing.faces == PEOPLE:
        return []
    words = _(
        "%(found)s of the %(people)s people on the packaged photo are found: this "
        "detector does not work here. Choose another FACE_MODEL or FACE_DEVICE."
    )
    return [words % {"found": timing.faces, "people": PEOPLE}]


def timing_advice(timing: status.Timing, *, name: str) -> list[str]:
    if not timing.faces or timing.embedding_per_face < SLOW:
        return []
    if name == EMBEDDED:
        words = _(
            "One face takes %(milliseconds)s ms to recognise, with the smallest model: "
            "see what else this machine does, or use a faster one."
        )
    else:
        words = _(
            "One face takes %(milliseconds)s ms to recognise: use a GPU or a smaller "
            "model (sface, buffalo_s)."
        )
    return [words % {"milliseconds": round(timing.embedding_per_face)}]


def template_findings() -> tuple[list[str], list[str]]:
    """Return faults and advice about what is enrolled."""
    try:
        broken, waiting = status.broken_templates(), needs_new_photo().count()
    except DatabaseError:
        return [_("The database does not answer: is it running, and migrated?")], []
    faults, advice = [], []
    if broken:
        words = ngettext(
            "%(number)d template can't be opened: put its key back into "
            "FACE_TEMPLATE_KEY, or enrol this student again.",
            "%(number)d templates can't be opened: put their key back into "
            "FACE_TEMPLATE_KEY, or enrol these students again.",
            broken,
        )
        faults.append(words % {"number": broken})
    if waiting:
        words = ngettext(
            "%(number)d student was enrolled with another model and needs a new photo; "
            "or set FACE_MODEL back.",
            "%(number)d students were enrolled with another model and need a new "
            "photo; or set FACE_MODEL back.",
            waiting,
        )
        advice.append(words % {"number": waiting})
    return faults, advice
