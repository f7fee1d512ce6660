"""Finding faces: YuNet's output decoded, and detection over any size of photo.

YuNet (Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023) has no
anchors: each cell of three grids (strides 8, 16 and 32) says how face-like it is and
where, relative to itself, the box and the five points are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faces.engine import sessions
from faces.engine.crew import Network
from faces.engine.types import Detection, FloatArray, Image

STRIDES: Final = (8, 16, 32)
SCORE_THRESHOLD: Final = 0.6  # of OpenCV's own demo for this model
NMS_THRESHOLD: Final = 0.3  # intersection over union, same source
MAX_CANDIDATES: Final = 5000  # same source


class Detector(Protocol):
    """A detector's contract; implementations keep no state between calls."""

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """Faces of each image; all images are of one shape, coordinates are theirs."""
        ...


class YuNet:
    """YuNet in a network of ours with free batch, height and width."""

    def __init__(
        self,
        network: Network[sessions.Session],
        *,
        score_threshold: float = SCORE_THRESHOLD,
    ) -> None:
        self._network = network
        self._score_threshold = score_threshold

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """Faces of each of ``images``, which all have one shape, best score first.

        Equals ``cv2.FaceDetectorYN`` to within 1e-3 pixels.
        """
        return self._network.each(self._look, images)

    def _look(self, session: sessions.Session, image: Image) -> list[Detection]:
        blob = _as_blob(image)
        outputs = sessions.run(session, {session.get_inputs()[0].name: blob})
        height, width = blob.shape[2:]
        rows = [part.reshape(-1, part.shape[-1]) for part in outputs]
        return self._decode(rows, _cells(height, width))

    def _decode(
        self, outputs: list[FloatArray], cells: NDArray[np.float32]
    ) -> list[Detection]:
        """Outputs of one image: cls, obj, bbox and kps at the three strides."""
        classes, objects, boxes, points = (
            np.concatenate(outputs[start : start + 3]) for start in (0, 3, 6, 9)
        )
        scores = np.sqrt(np.clip(classes, 0, 1) * np.clip(objects, 0, 1))[:, 0]
        kept = np.flatnonzero(scores >= self._score_threshold)
        if not kept.size:
            return []
        scores, boxes, points, cells = (
            array[kept] for array in (scores, boxes, points, cells)
        )
        origin, stride = cells[:, :2], cells[:, 2:]
        size = np.exp(boxes[:, 2:]) * stride
        corner = (origin + boxes[:, :2]) * stride - size / 2
        boxes = np.hstack([corner, size])
        landmarks = (points.reshape(-1, 5, 2) + origin[:, None]) * stride[:, None]
        return [
            Detection(_as_box(boxes[i]), landmarks[i].copy(), float(scores[i]))
            for i in suppress(boxes, scores, score_threshold=self._score_threshold)
        ]


def suppress(
    boxes: FloatArray, scores: FloatArray, *, score_threshold: float
) -> list[int]:
    """Indices of the boxes that no better one covers, best first.

    Coordinates lose their fraction for this, as in OpenCV's detector: near the
    threshold another rule would keep another box.
    """
    kept = cv2.dnn.NMSBoxes(
        np.trunc(boxes).tolist(),
        scores.tolist(),
        score_threshold,
        NMS_THRESHOLD,
        1.0,
        MAX_CANDIDATES,
    )
    return [int(index) for index in np.asarray(kept).ravel()]


@lru_cache(maxsize=16)  # of a photo of 1920 pixels it is a megabyte
def _cells(height: int, width: int) -> NDArray[np.float32]:
    """float32 (cells, 3): column, row and stride of every cell of the three grids."""
    grids = []
    for stride in STRIDES:
        rows, columns = np.mgrid[0 : height // stride, 0 : width // stride]
        strides = np.full(rows.size, stride)
        grids.append(np.stack([columns.ravel(), rows.ravel(), strides], axis=1))
    cells = np.concatenate(grids).astype(np.float32)
    cells.setflags(write=False)
    return cells


def _as_blob(image: Image) -> NDArray[np.float32]:
    """float32 (1, 3, H, W), BGR 0-255, zeros below and right up to multiples of 32."""
    height, width = image.shape[:2]
    bottom, right = -height % STRIDES[-1], -width % STRIDES[-1]
    if bottom or right:
        image = np.asarray(
            cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_CONSTANT),
            dtype=np.uint8,
        )
    return np.asarray(cv2.dnn.blobFromImages([image]), dtype=np.float32)


def _as_box(row: NDArray[Any]) -> tuple[float, float, float, float]:
    x, y, width, height = (float(value) for value in row)
    return x, y, width, height
