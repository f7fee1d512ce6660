"""What travels between the engine's rooms: frozen records of plain values and arrays.

Images are ``uint8`` BGR arrays of shape (H, W, 3): upright (the EXIF turn is done),
C-contiguous. Coordinates are pixels of that image, origin at the top left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
FloatArray = NDArray[np.float32]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face that the detector found.

    ``box`` is (x, y, width, height) and may reach beyond the image; ``landmarks`` is
    float32 (5, 2): the eye, the nose tip and the mouth corner, the eye and the mouth
    corner at the image's left first; ``score`` is in [0, 1].
    """

    box: Box
    landmarks: FloatArray
    score: float

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return self.box[2] * self.box[3]


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of one face; see ``faces.engine.quality`` for how each is measured."""

    eye_distance: float  # pixels of the photo
    sharpness: float  # variance of the Laplacian on the aligned face
    brightness: float  # mean grey value, 0-255
    contrast: float  # standard deviation of the grey values, 0-127.5
    yaw: float  # degrees, positive: the nose points to the image's right
    pitch: float  # degrees, positive: the nose points down
    roll: float  # degrees, positive: the head is turned clockwise in the image
    cut_off: float  # share of the box outside the photo, 0-1
    detection_score: float  # 0-1


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face of a photo.

    ``embedding`` is float32 (d,), C-contiguous and L2-normalised, or has length 0
    where the caller asked for none.
    """

    box: Box
    landmarks: FloatArray
    score: float
    quality: Quality
    embedding: FloatArray

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return self.box[2] * self.box[3]
