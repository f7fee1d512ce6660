"""InsightFace's SCRFD on a session of ours.

SCRFD (Guo et al., "Sample and Computation Redistribution for Efficient Face
Detection", 2021): insightface's own class prepares the input and decodes the output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from insightface.model_zoo.scrfd import SCRFD

from faces.engine import refinement, sessions
from faces.engine.contracts import ModelFile
from faces.engine.errors import ConfigurationError
from faces.engine.folders import is_detector, read_shapes
from faces.engine.optimise import optimised
from faces.engine.types import Detection, FloatArray, Image

_STEPS: Final = {3: 32, 5: 128}  # widest stride, by the number of strides
SCORE_THRESHOLD: Final = 0.5  # insightface's default
# A face wider than this is not found at its own size (its anchors end at 512 pixels):
# larger photos are looked at a second time, small. Sizes are those of insightface.
LARGE_FACE: Final = 256  # pixels
SMALL_SIZE: Final = 128  # pixels
_SAME_FACE: Final = 0.4  # intersection over union, the class's own for suppression
_KEPT_CENTRES: Final = 100_000  # bytes of one grid of a photo of 640 pixels


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


class _SmallGrids(dict[Any, Any]):
    """SCRFD's cache of grids, without those of large photos: 100 of them are 100 MB."""

    def __setitem__(self, key: Any, value: Any) -> None:
        if value.nbytes <= _KEPT_CENTRES:
            super().__setitem__(key, value)


class Scrfd:
    """SCRFD as a detector of the engine; keeps no state between calls."""

    def __init__(self, model: SCRFD) -> None:
        self._model = model
        self._fixed: tuple[int, int] | None = model.static_input_size
        self._step = _STEPS[model.fmc]

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """Faces of each image, best score first.

        One run an image: the network's outputs mix the photos of a batch.
        """
        return [self._detect(image) for image in images]

    def _detect(self, image: Image) -> list[Detection]:
        found = self.look(image)
        if self._fixed is not None or max(image.shape[:2]) <= LARGE_FACE:
            return found
        large = [
            face
            for face in self._run(image, (SMALL_SIZE, SMALL_SIZE))
            if max(face.box[2:]) > LARGE_FACE
            and all(refinement.overlap(face, known) < _SAME_FACE for known in found)
        ]
        if large:
            # Points found on 128 pixels are coarse: look again where the face is.
            large = refinement.refine(_Plain(self), image, large)
            found = sorted([*found, *large], key=lambda one: one.score, reverse=True)
        return found

    def look(self, image: Image) -> list[Detection]:
        """Faces of an image at its own size alone."""
        padded = _padded(image, self._step)
        return self._run(padded, (padded.shape[1], padded.shape[0]))

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


def load(file: ModelFile, *, device: str, threads: int) -> Scrfd:
    """The detector in ``file`` on ``device``.

    Raises ConfigurationError for a network that is no SCRFD with five points.
    """
    if not is_detector(read_shapes(file.path)):
        raise ConfigurationError(
            f"The file {file.path} is no SCRFD detector with five points."
        )
    session = sessions.create_session(
        optimised(file.path, free=()), device=device, threads=threads
    )
    # Given a file, the class would make sessions of its own, one for each photo size.
    model = SCRFD(session=GatedSession(session), static_shape_sessions=False)
    model.det_thresh = SCORE_THRESHOLD
    model.center_cache = _SmallGrids()
    apply_preprocessing(model, file, session)
    return Scrfd(model)


def apply_preprocessing(model: Any, file: ModelFile, session: sessions.Session) -> None:
    """Give one of insightface's classes the input handling that a manifest states."""
    stated = file.preprocessing
    if stated is None:
        return
    takes_bytes = session.get_inputs()[0].type == "tensor(uint8)"
    if takes_bytes and not stated.embedded:
        raise ConfigurationError(
            f"The manifest of {file.path} states a mean for a network that takes bytes."
        )
    model.input_mean, model.input_std = stated.mean, stated.std
    model.input_dtype = np.uint8 if takes_bytes else np.float32


def _padded(image: Image, step: int) -> Image:
    """Black below and to the right: the class itself would scale to fill the input."""
    height, width = image.shape[:2]
    bottom, right = -height % step, -width % step
    if not bottom and not right:
        return image
    padded = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_CONSTANT)
    return np.asarray(padded, dtype=np.uint8)


def _as_detection(box: FloatArray, landmarks: FloatArray) -> Detection:
    left, top, right, bottom, score = (float(value) for value in box)
    return Detection(
        box=(left, top, right - left, bottom - top),
        landmarks=np.array(landmarks, dtype=np.float32),
        score=score,
    )
