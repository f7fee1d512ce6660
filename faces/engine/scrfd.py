"""InsightFace's SCRFD on a session of ours.

SCRFD (Guo et al., "Sample and Computation Redistribution for Efficient Face
Detection", 2021): insightface's own class prepares the input and decodes the output.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

import cv2
import numpy as np
from insightface.model_zoo.scrfd import SCRFD, distance2bbox, distance2kps
from numpy.typing import NDArray

from faces.engine import channels, heads, refinement, sessions
from faces.engine.contracts import ModelFile
from faces.engine.crew import Crew
from faces.engine.errors import ConfigurationError, EngineUnavailable
from faces.engine.folders import is_detector, read_shapes
from faces.engine.optimise import optimised
from faces.engine.types import Detection, FloatArray, Image

logger = logging.getLogger(__name__)

_STEPS: Final = {3: 32, 5: 128}  # widest stride, by the number of strides
SCORE_THRESHOLD: Final = 0.5  # insightface's default
# A face wider than this is not found at its own size (its anchors end at 512 pixels):
# larger photos are looked at a second time, small. Sizes are those of insightface.
LARGE_FACE: Final = 256  # pixels
SMALL_SIZE: Final = 128  # pixels
_SAME_FACE: Final = 0.4  # intersection over union, the class's own for suppression
_ROWS: Final = 128  # of a photo, prepared at a time: they fit a processor's cache
_BYTES: Final = "tensor(uint8)"
_PICTURE: Final = (1, 3, 128, 160)  # shape of what a rewritten network is tried on
_EXACT: Final = 1e-4  # most that its outputs may differ, in cells


class GatedSession:
    """A session whose runs take their turn with all others of the process."""

    def __init__(self, session: sessions.Session) -> None:
        self._session = session

    def run(
        self, output_names: Sequence[str] | None, input_feed: dict[str, Any]
    ) -> list[Any]:
        """All outputs, whatever is asked for: insightface asks for all of them."""
        return sessions.run(self._session, input_feed)

    def get_providers(self) -> list[str]:
        """Providers of the session behind."""
        return self._session.get_providers()

    def get_inputs(self) -> list[Any]:
        """Inputs of the session behind."""
        return self._session.get_inputs()

    def get_outputs(self) -> list[Any]:
        """Outputs of the session behind."""
        return self._session.get_outputs()


class Scrfd:
    """SCRFD as a detector of the engine; between calls it keeps memory alone."""

    def __init__(self, model: SCRFD, crew: Crew) -> None:
        self._model = model
        self._crew = crew
        self._fixed: tuple[int, int] | None = model.static_input_size
        self._step = _STEPS[model.fmc]
        values = (np.arange(256) - model.input_mean) / model.input_std
        self._table = values.astype(getattr(model, "input_dtype", np.float32))
        self._memory = np.empty(0, self._table.dtype)

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """Faces of each image, best score first.

        One run an image: the network's outputs mix the photos of a batch.
        """
        return [self._detect(image) for image in images]

    def _detect(self, image: Image) -> list[Detection]:
        found = self.look(image)
        if self._fixed is not None or max(image.shape[:2]) <= LARGE_FACE:
            return found
        scale = SMALL_SIZE / max(image.shape[:2])
        height, width = (max(round(side * scale), 1) for side in image.shape[:2])
        small = np.asarray(cv2.resize(image, (width, height)), dtype=np.uint8)
        large = [
            face
            for face in (refinement.moved(one, scale) for one in self.look(small))
            if max(face.box[2:]) > LARGE_FACE
            and all(refinement.overlap(face, known) < _SAME_FACE for known in found)
        ]
        if large:
            # Points found on 128 pixels are coarse: look again where the face is.
            large = refinement.refine(_Plain(self), image, large)
            found = sorted([*found, *large], key=lambda one: one.score, reverse=True)
        return found

    def look(self, image: Image) -> list[Detection]:
        """Faces of an image at its own size alone.

        What the class does, bit for bit, for a fraction of the time where the photo is
        large: it would copy the photo twice and decode cells that hold no face.
        """
        if self._fixed is not None:
            return self._run(image, self._fixed)
        model = self._model
        tall, wide = (side + -side % self._step for side in image.shape[:2])
        with sessions.turn_of(3 * tall * wide):
            blob = self._as_blob(image, self._empty((1, 3, tall, wide)))
            outputs = model.session.run(None, {model.input_name: blob})
        scores, boxes, points = self._decode(outputs, width=wide)
        order = np.argsort(-scores, kind="stable")
        found = np.column_stack([boxes, scores])[order]
        kept = model.nms(found)
        points = points[order].reshape(-1, 5, 2)
        return [_as_detection(found[index], points[index]) for index in kept]

    def _empty(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """Memory for an input; that of the large ones, of which there is one, is kept.

        The system clears memory before it gives it: 5 ms for 1920 x 1280 pixels.
        """
        size = math.prod(shape)
        if size <= sessions.LARGE_RUN:
            return np.empty(shape, self._table.dtype)
        if self._memory.size < size:
            self._memory = np.empty(size, self._table.dtype)
        return self._memory[:size].reshape(shape)

    def _as_blob(self, image: Image, blob: NDArray[Any]) -> NDArray[Any]:
        """``blob`` (1, 3, H, W) filled: RGB, black below and to the right."""
        table = self._table
        height, width = image.shape[:2]
        blob[:, :, height:] = table[0]
        blob[:, :, :, width:] = table[0]

        def fill(top: int) -> None:
            rows = slice(top, min(top + _ROWS, height))
            for channel, plane in zip((2, 1, 0), cv2.split(image[rows]), strict=True):
                cv2.LUT(plane, table, dst=blob[0, channel, rows, :width])

        self._crew.map(fill, range(0, height, _ROWS))
        return blob

    def _decode(
        self, outputs: Sequence[FloatArray], *, width: int
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Scores (n,), boxes (n, 4) as corners and points (n, 10) over the threshold.

        ``outputs`` are scores, boxes and points at every stride, in its cells.
        """
        model = self._model
        found = []
        for level, stride in enumerate(model._feat_stride_fpn):
            scores, boxes, points = (
                np.reshape(outputs[level + part * model.fmc], (-1, size))
                for part, size in enumerate((1, 4, 10))
            )
            kept = np.flatnonzero(scores >= model.det_thresh)
            row, column = np.divmod(kept // model._num_anchors, width // stride)
            centre = np.stack([column, row], axis=1).astype(np.float32) * stride
            found.append(
                (
                    scores[kept, 0],
                    distance2bbox(centre, boxes[kept] * stride),
                    distance2kps(centre, points[kept] * stride),
                )
            )
        scores, boxes, points = (
            np.concatenate(part) for part in zip(*found, strict=True)
        )
        return scores, boxes, points

    def _run(self, image: Image, size: tuple[int, int]) -> list[Detection]:
        boxes, points = self._model.detect(image, input_size=size)
        return [
            _as_detection(box, landmarks)
            for box, landmarks in zip(boxes, points, strict=True)
        ]


class _Plain:
    """The same detector, one look an image."""

    def __init__(self, detector: Scrfd) -> None:
        self._detector = detector

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        return [self._detector.look(image) for image in images]


def load(file: ModelFile, *, device: str, crew: Crew) -> Scrfd:
    """The detector in ``file`` on ``device``.

    Raises ConfigurationError for a network that is no SCRFD with five points.
    """
    if not is_detector(read_shapes(file.path)):
        raise ConfigurationError(
            f"The file {file.path} is no SCRFD detector with five points."
        )
    session = _fastest(file, device=device, threads=crew.threads)
    # Given a file, the class would make sessions of its own, one for each photo size.
    model = SCRFD(session=GatedSession(session), static_shape_sessions=False)
    model.det_thresh = SCORE_THRESHOLD
    apply_preprocessing(model, file, session)
    return Scrfd(model, crew)


def _fastest(file: ModelFile, *, device: str, threads: int) -> sessions.Session:
    """A session for the rewritten network, or for it as it is where that differs."""
    plain = optimised(file.path, free=())
    known = sessions.create_session(plain, device=device, threads=threads)
    if sessions.on_cuda(known):
        return known
    light, last = heads.split(plain)
    faster = channels.in_blocks(light, block=channels.block_size())
    session = sessions.create_session(faster, device=device, threads=threads)
    outputs = [
        SimpleNamespace(name=one.name, shape=one.shape) for one in known.get_outputs()
    ]

    def above(threshold: float) -> sessions.Session:
        if not last:
            return session
        return heads.SparseSession(session, last, outputs, threshold)

    if _agree(above(0), known):
        return above(SCORE_THRESHOLD)
    logger.warning("%s runs as it is: its rewritten network differs", file.path.name)
    return known


def _agree(session: sessions.Session, known: sessions.Session) -> bool:
    """Whether two sessions give the same for a picture with structure."""
    given = known.get_inputs()[0]
    shape = [
        side if isinstance(side, int) and side > 0 else free
        for side, free in zip(given.shape, _PICTURE, strict=True)
    ]
    values = np.random.default_rng(7).uniform(0, 255, shape)
    if given.type != _BYTES:
        values = (values - 127.5) / 128
    picture = values.astype(np.uint8 if given.type == _BYTES else np.float32)
    try:
        found, wanted = (
            sessions.run(one, {given.name: picture}) for one in (session, known)
        )
    except EngineUnavailable:
        return False
    return all(
        np.allclose(one, other, rtol=0, atol=_EXACT)
        for one, other in zip(found, wanted, strict=True)
    )


def apply_preprocessing(model: Any, file: ModelFile, session: sessions.Session) -> None:
    """Give one of insightface's classes the input handling that a manifest states."""
    stated = file.preprocessing
    if stated is None:
        return
    takes_bytes = session.get_inputs()[0].type == _BYTES
    if takes_bytes and not stated.embedded:
        raise ConfigurationError(
            f"The manifest of {file.path} states a mean for a network that takes bytes."
        )
    model.input_mean, model.input_std = stated.mean, stated.std
    model.input_dtype = np.uint8 if takes_bytes else np.float32


def _as_detection(box: FloatArray, landmarks: FloatArray) -> Detection:
    left, top, right, bottom, score = (float(value) for value in box)
    return Detection(
        box=(left, top, right - left, bottom - top),
        landmarks=np.array(landmarks, dtype=np.float32),
        score=score,
    )
