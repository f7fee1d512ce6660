"""InsightFace's ArcFace recognisers on a session of ours, several faces a run.

ArcFace (Deng et al., 2019): insightface's own class prepares the input.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

import cv2
import numpy as np
from insightface.model_zoo.arcface_onnx import ArcFaceONNX

from faces.engine import sessions
from faces.engine.alignment import CROP_SIZE
from faces.engine.contracts import Pack
from faces.engine.crew import Crew, Network, chunks, load_network
from faces.engine.errors import ConfigurationError, EngineUnavailable
from faces.engine.folders import is_recogniser, read_shapes
from faces.engine.optimise import optimised
from faces.engine.recognition import CUDA_BATCH, joined, normalised
from faces.engine.scrfd import GatedSession, apply_preprocessing
from faces.engine.types import FloatArray, Image

logger = logging.getLogger(__name__)

# Networks from this size on have enough to do in one run for all threads; of smaller
# ones each thread runs its own.
LARGE: Final = 32 << 20  # bytes of weights
LARGE_BATCH: Final = 4  # faces a run: eight gain 3 % and take 80 MB more
EXACT: Final = 1e-5  # most that the cosine of a rewritten network may differ
_CUDA_EXACT: Final = 1e-3  # other kernels, other rounding

Models = Network[ArcFaceONNX]


class ArcFace:
    """An ArcFace network as a recogniser of the engine; keeps no state."""

    def __init__(self, models: Models, *, dimension: int, batch: int) -> None:
        self._models = models
        self._batch = batch
        self.dimension = dimension

    def embed(self, crops: Sequence[Image]) -> FloatArray:
        """float32 (n, d), L2-normalised and C-contiguous.

        Raises ValueError for a network that gives another number of rows.
        """
        runs = self._models.each(_run, chunks(crops, self._batch))
        return joined(runs, faces=len(crops), dimension=self.dimension)


def _run(model: ArcFaceONNX, crops: Sequence[Image]) -> FloatArray:
    return np.asarray(model.get_feat(list(crops)), dtype=np.float32)


def load(pack: Pack, *, device: str, crew: Crew) -> tuple[ArcFace, tuple[str, ...]]:
    """The pack's recogniser on ``device``, and the providers that run it.

    The rewritten network is compared with the original on two faces: embeddings that
    differ, or a batch that comes out in one row, fall back to what is exact.

    Raises ConfigurationError for a network that is no recogniser of this kind.
    """
    file = pack.recogniser
    if not is_recogniser(read_shapes(file.path)):
        raise ConfigurationError(
            f"The file {file.path} is no recogniser of {CROP_SIZE} x {CROP_SIZE} faces."
        )
    crops = _probes()
    # The class reads the whole file for how it was trained: once is enough.
    original = sessions.create_session(file.path, device="cpu", threads=crew.threads)
    model = ArcFaceONNX(model_file=str(file.path), session=GatedSession(original))
    apply_preprocessing(model, file, original)
    wanted = np.concatenate([_run(model, [crop]) for crop in crops])
    if wanted.shape != (len(crops), pack.dimension):
        raise ConfigurationError(
            f"The recogniser {file.path} gives {wanted.shape[1]} numbers a face, "
            f"{pack.dimension} are expected."
        )
    model.session = None  # so that its memory is free before the next one is made
    del original
    large = file.path.stat().st_size >= LARGE
    network = load_network(
        optimised(file.path, free=(0,)), device=device, crew=crew, spread=not large
    )
    models = network.within(partial(_on, model))
    on_card = sessions.on_cuda(network.alone)
    tolerance = _CUDA_EXACT if on_card else EXACT
    batches = {LARGE_BATCH if large else CUDA_BATCH if on_card else 1, 1}
    for batch in sorted(batches, reverse=True):
        recogniser = ArcFace(models, dimension=pack.dimension, batch=batch)
        if _agree(recogniser, crops, wanted, tolerance):
            logger.debug("%s takes %s faces a run", pack.name, batch)
            return recogniser, tuple(network.alone.get_providers())
    logger.warning("%s runs unoptimised: its rewritten network differs", pack.name)
    plain = load_network(file.path, device=device, crew=crew, spread=False)
    models = plain.within(partial(_on, model))
    recogniser = ArcFace(models, dimension=pack.dimension, batch=1)
    return recogniser, tuple(plain.alone.get_providers())


def _on(model: ArcFaceONNX, session: sessions.Session) -> ArcFaceONNX:
    """The same model with another session."""
    other = copy.copy(model)
    other.session = GatedSession(session)
    return other


def _agree(
    recogniser: ArcFace, crops: Sequence[Image], wanted: FloatArray, tolerance: float
) -> bool:
    try:
        found = recogniser.embed(crops)
    except (ValueError, EngineUnavailable):
        return False
    if found.shape != wanted.shape:
        return False
    cosines = (found * normalised(wanted)).sum(axis=1)
    return bool((cosines >= 1 - tolerance).all())


def _probes() -> list[Image]:
    """Two different pictures with structure at every scale, uint8 BGR (112, 112, 3)."""
    random = np.random.default_rng(7)
    coarse = random.integers(0, 256, (2, 7, 7, 3), dtype=np.uint8)
    return [
        np.asarray(
            cv2.resize(grid, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_CUBIC),
            dtype=np.uint8,
        )
        for grid in coarse
    ]
