"""InsightFace's ArcFace recognisers on a session of ours, several faces a run.

ArcFace (Deng et al., 2019): insightface's own class prepares the input.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from insightface.model_zoo.arcface_onnx import ArcFaceONNX

from faces.engine import sessions
from faces.engine.alignment import CROP_SIZE
from faces.engine.contracts import Pack
from faces.engine.errors import ConfigurationError, EngineUnavailable
from faces.engine.folders import is_recogniser, read_shapes
from faces.engine.optimise import optimised
from faces.engine.recognition import in_batches, normalised
from faces.engine.scrfd import GatedSession, apply_preprocessing
from faces.engine.types import FloatArray, Image

logger = logging.getLogger(__name__)

# Faces a run: small networks gain a tenth more from eight, large ones take memory.
BATCH: Final = 4
SMALL_BATCH: Final = 8
SMALL: Final = 32 << 20  # bytes of weights
EXACT: Final = 1e-5  # most that the cosine of a rewritten network may differ
_CUDA_EXACT: Final = 1e-3  # other kernels, other rounding


class ArcFace:
    """An ArcFace network as a recogniser of the engine; keeps no state."""

    def __init__(self, model: ArcFaceONNX, *, dimension: int, batch: int) -> None:
        self._model = model
        self._batch = batch
        self.dimension = dimension

    def embed(self, crops: Sequence[Image]) -> FloatArray:
        """float32 (n, d), L2-normalised and C-contiguous."""
        return in_batches(crops, self.run, size=self._batch, dimension=self.dimension)

    def run(self, crops: Sequence[Image]) -> FloatArray:
        """Embeddings of one run, as the network gives them."""
        return _as_array(self._model.get_feat(list(crops)))


def load(pack: Pack, *, device: str, threads: int) -> tuple[ArcFace, tuple[str, ...]]:
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
    original = sessions.create_session(file.path, device="cpu", threads=threads)
    model = ArcFaceONNX(model_file=str(file.path), session=GatedSession(original))
    apply_preprocessing(model, file, original)
    wanted = np.concatenate([_as_array(model.get_feat([crop])) for crop in crops])
    if wanted.shape != (len(crops), pack.dimension):
        raise ConfigurationError(
            f"The recogniser {file.path} gives {wanted.shape[1]} numbers a face, "
            f"{pack.dimension} are expected."
        )
    model.session = None  # so that its memory is free before the next one is made
    del original
    session = sessions.create_session(
        optimised(file.path, free=(0,)), device=device, threads=threads
    )
    model.session = GatedSession(session)
    providers = tuple(session.get_providers())
    tolerance = _CUDA_EXACT if sessions.CUDA in providers else EXACT
    batch = SMALL_BATCH if file.path.stat().st_size < SMALL else BATCH
    batched = ArcFace(model, dimension=pack.dimension, batch=batch)
    if _agree(batched, crops, wanted, tolerance):
        return batched, providers
    single = ArcFace(model, dimension=pack.dimension, batch=1)
    if _agree(single, crops, wanted, tolerance):
        logger.info("%s takes one face a run", pack.name)
        return single, providers
    logger.warning("%s runs unoptimised: its rewritten network differs", pack.name)
    session = sessions.create_session(file.path, device=device, threads=threads)
    model.session = GatedSession(session)
    return single, tuple(session.get_providers())


def _as_array(output: object) -> FloatArray:
    return np.asarray(output, dtype=np.float32)


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
