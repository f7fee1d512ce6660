"""A second look at each face, on crops in which all faces have the same size.

The points of the first look shift with the size of the face: somebody at the back of
the room matches their own close-up with a similarity of 0.4. Looked at again at two
fixed sizes, with the points averaged, every photo of a person is measured alike: 0.9
(benchmarks/calibration.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from faces.engine.detection import Detector
from faces.engine.types import Detection, Image

CROP: Final = 192  # pixels, a multiple of the detectors' 32
# Sides of the crop in sides of the face's box: faces of 120 and of 80 pixels. Among 25
# settings on LFW and the packaged group photo this pair separates people best; two
# looks of different size gain more than a third one does.
CONTEXTS: Final = (1.6, 2.4)
SAME_FACE: Final = 0.4  # least intersection over union of the first and a second look


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A square of the photo at (left, top), scaled to CROP pixels."""

    pixels: Image
    left: int
    top: int
    scale: float


def refine(
    detector: Detector, image: Image, detections: Sequence[Detection]
) -> list[Detection]:
    """The detections with box, points and score measured again, in the same order.

    What the second looks do not find stays as it is.
    """
    windows = [frame(image, one, context) for one in detections for context in CONTEXTS]
    found = detector.detect([window.pixels for window in windows])
    return [
        _merged(one, windows[start : start + _LOOKS], found[start : start + _LOOKS])
        for one, start in zip(detections, range(0, len(windows), _LOOKS), strict=True)
    ]


def frame(image: Image, detection: Detection, context: float) -> Window:
    """The square around a face whose side is ``context`` sides of its box."""
    x, y, width, height = detection.box
    side = max(round(max(width, height) * context), 1)
    side -= side % max(side // CROP, 1)  # whole blocks for `resized`
    left = round(x + width / 2 - side / 2)
    top = round(y + height / 2 - side / 2)
    square = padded(image, left=left, top=top, side=side)
    return Window(resized(square, width=CROP, height=CROP), left, top, CROP / side)


def resized(image: Image, *, width: int, height: int) -> Image:
    """``image`` at another size, without aliasing where it shrinks.

    Averages whole blocks first and interpolates the rest, at most a factor of two: two
    to three times as fast for large photos as averaging in one step. Of sides that are
    no multiple of the block the rest is left out, less than one pixel of the result.
    """
    block = min(image.shape[1] // max(width, 1), image.shape[0] // max(height, 1))
    if block > 1:
        rows, columns = image.shape[0] // block, image.shape[1] // block
        whole = image[: rows * block, : columns * block]
        image = _scaled(whole, (columns, rows), how=cv2.INTER_AREA)
    return _scaled(image, (max(width, 1), max(height, 1)), how=cv2.INTER_LINEAR)


def _scaled(image: Image, size: tuple[int, int], *, how: int) -> Image:
    return np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.uint8)


def padded(image: Image, *, left: int, top: int, side: int) -> Image:
    """A square of ``side`` pixels at (left, top), black where the photo ends."""
    height, width = image.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + side, width), min(top + side, height)
    if x1 <= x0 or y1 <= y0:
        return np.zeros((side, side, 3), dtype=np.uint8)
    if (x1 - x0, y1 - y0) == (side, side):
        return image[y0:y1, x0:x1]
    borders = (y0 - top, top + side - y1, x0 - left, left + side - x1)
    square = cv2.copyMakeBorder(image[y0:y1, x0:x1], *borders, cv2.BORDER_CONSTANT)
    return np.asarray(square, dtype=np.uint8)


def moved(
    detection: Detection, scale: float, *, left: float = 0, top: float = 0
) -> Detection:
    """A detection on a scaled crop, in pixels of the photo it was cut from."""
    x, y, width, height = detection.box
    box = (x / scale + left, y / scale + top, width / scale, height / scale)
    offset = np.array([left, top], dtype=np.float32)
    landmarks = detection.landmarks / np.float32(scale) + offset
    return replace(detection, box=box, landmarks=landmarks)


def overlap(one: Detection, other: Detection) -> float:
    """Intersection over union of two boxes, 0-1."""
    ax, ay, aw, ah = one.box
    bx, by, bw, bh = other.box
    width = min(ax + aw, bx + bw) - max(ax, bx)
    height = min(ay + ah, by + bh) - max(ay, by)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / max(aw * ah + bw * bh - shared, 1e-9)


_LOOKS: Final = len(CONTEXTS)


def _merged(
    first: Detection,
    windows: Sequence[Window],
    found: Sequence[Sequence[Detection]],
) -> Detection:
    looks = [
        best
        for window, candidates in zip(windows, found, strict=True)
        if (best := _same_face(first, window, candidates)) is not None
    ]
    if not looks:
        return first
    x, y, width, height = (
        float(value) for value in np.mean([look.box for look in looks], axis=0)
    )
    return Detection(
        box=(x, y, width, height),
        landmarks=np.mean([look.landmarks for look in looks], axis=0, dtype=np.float32),
        score=float(np.mean([look.score for look in looks])),
    )


def _same_face(
    first: Detection, window: Window, candidates: Sequence[Detection]
) -> Detection | None:
    in_photo = [
        moved(one, window.scale, left=window.left, top=window.top) for one in candidates
    ]
    best = max(in_photo, key=lambda one: overlap(one, first), default=None)
    return best if best is not None and overlap(best, first) >= SAME_FACE else None
