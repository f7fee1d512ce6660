"""The one engine of this process: made on first use, warmed, shared by all threads."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from faces import figures
from faces.engine import packs, sessions
from faces.engine.errors import ConfigurationError
from faces.engine.pipeline import FaceEngine
from faces.engine.queue import Queue

logger = logging.getLogger(__name__)

# A threshold this far from the pack's calibrated one is most likely a mistake.
FAR_FROM_CALIBRATED = 0.1

# Seconds that a photo waits for a place in a full queue: about what fifty at once take
# on two cores. Whoever is refused then would have been told to come again after one.
PATIENCE = 2.0

_lock = threading.Lock()
_engine: FaceEngine | None = None


def get_engine() -> FaceEngine:
    """Return the warm engine; the first call in a process makes it.

    Raises EngineError where it can't be made.
    """
    global _engine
    if _engine is not None:
        return _engine
    with _lock:
        if _engine is None:
            _engine = _make_engine()
    return _engine


def _make_engine() -> FaceEngine:
    loaded = packs.load_pack(
        settings.FACE_MODEL,
        root=pack_root(),
        device=settings.FACE_DEVICE,
        threads=threads_a_photo(),
    )
    engine = FaceEngine(
        loaded,
        queue=Queue(settings.FACE_QUEUE, patience=PATIENCE, count=figures.QUEUE.inc),
        observer=figures.EngineFigures(),
    )
    engine.warm_up()
    for line in warnings_of(engine.pack):
        logger.warning("%s", line)
    reason = sessions.cuda_problem() if settings.FACE_DEVICE == "auto" else ""
    logger.info(
        "%s runs on %s (FACE_DEVICE=%s%s), %d threads a photo",
        engine.model_id,
        engine.provider,
        settings.FACE_DEVICE,
        f": {reason}" if reason else "",
        threads_a_photo(),
    )
    return engine


def warnings_of(pack: packs.Pack) -> list[str]:
    """Say what of the configuration may recognise people badly; [] where all is well.

    Each is one line for whoever runs the server.
    """
    chosen = settings.FACE_SIMILARITY_THRESHOLD
    if chosen is None and not pack.calibrated:
        return [
            f"The threshold {pack.threshold} of {pack.name} is a careful guess: run "
            "`manage.py faces_calibrate` after enrolment."
        ]
    if (
        chosen is not None
        and pack.calibrated
        and abs(chosen - pack.threshold) > FAR_FROM_CALIBRATED
    ):
        return [
            f"FACE_SIMILARITY_THRESHOLD={chosen} is far from {pack.threshold}, the "
            f"calibrated value of {pack.name}: a higher one misses people, a lower one "
            "confuses them. Leave it empty for the pack's own."
        ]
    return []


def ready() -> FaceEngine | None:
    """Return the engine if it is warm, without waiting."""
    return _engine


@contextmanager
def use_engine(engine: FaceEngine) -> Iterator[None]:
    """Put another engine in place for a while (tests, evaluation of a pack)."""
    global _engine
    before, _engine = _engine, engine
    try:
        yield
    finally:
        _engine = before


def _forget_engine() -> None:
    global _engine
    _engine = None


# ONNX Runtime's threads don't survive a fork: the child makes an engine of its own.
if hasattr(os, "register_at_fork"):  # Windows can't fork
    os.register_at_fork(after_in_child=_forget_engine)


def check_configuration() -> packs.Pack:
    """Check FACE_MODEL and its files without opening a session.

    Raises ImproperlyConfigured with one line that says what to change.
    """
    try:
        return active_pack()
    except ConfigurationError as error:
        raise ImproperlyConfigured(str(error)) from error


def active_pack() -> packs.Pack:
    """Return the contract of the configured pack; raises ConfigurationError."""
    if _engine is not None:
        return _engine.pack
    return _find_pack(settings.FACE_MODEL, pack_root())


@lru_cache(maxsize=1)
def _find_pack(name: str, root: Path | None) -> packs.Pack:
    # Hashing the files takes as long as a photo; they don't change under a process.
    return packs.find_pack(name, root=root)


def active_model_id() -> str:
    """Return the model whose templates count as enrolled."""
    return active_pack().model_id


def threshold() -> float:
    """Return the cosine from which a face is a student: the setting or the pack's."""
    if settings.FACE_SIMILARITY_THRESHOLD is not None:
        return float(settings.FACE_SIMILARITY_THRESHOLD)
    return active_pack().threshold


def margin() -> float:
    """Return the lead over the next student that a match needs."""
    if settings.FACE_MATCH_MARGIN is not None:
        return float(settings.FACE_MATCH_MARGIN)
    return active_pack().margin


def automatic_threads() -> int:
    """Return how many threads one photo gets: two, where there are as many cores.

    More gain little on networks this small, and photos that arrive together would
    take the cores from each other.
    """
    return min(2, os.cpu_count() or 1)


def threads_a_photo() -> int:
    """Return how many threads one run of a model may use."""
    return int(settings.FACE_THREADS) or automatic_threads()


def pack_root() -> Path | None:
    """Return where packs lie; None stands for insightface's own folder."""
    return (
        Path(settings.FACE_MODEL_ROOT).expanduser()
        if settings.FACE_MODEL_ROOT
        else None
    )
