"""Five points → the 112 x 112 face that a recogniser expects."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from faces.engine.types import FloatArray, Image

CROP_SIZE: Final = 112  # pixels

# Where ArcFace training puts the eyes, the nose tip and the mouth corners in a crop of
# 112 x 112 (Deng et al., ArcFace, 2019; SFace uses the same).
TEMPLATE: Final[FloatArray] = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float32,
)
TEMPLATE.setflags(write=False)


def similarity_transform(
    landmarks: FloatArray, *, template: FloatArray = TEMPLATE
) -> NDArray[np.float64]:
    """The turn, scale and shift that take ``landmarks`` (5, 2) closest to ``template``.

    Returns float64 (2, 3) for column vectors (x, y, 1). With points as complex numbers
    the least-squares answer is one division: w = <p - p̄, q - q̄> / |p - p̄|², which is
    what Umeyama's method gives in two dimensions as long as nothing is mirrored.

    Raises ValueError when all points coincide.
    """
    source = _as_complex(landmarks)
    target = _as_complex(template)
    source_mean, target_mean = source.mean(), target.mean()
    centred = source - source_mean
    spread = np.vdot(centred, centred).real
    if spread <= 0 or not np.isfinite(spread):
        raise ValueError("five different, finite points are needed")
    factor = np.vdot(centred, target - target_mean) / spread
    shift = target_mean - factor * source_mean
    return np.array(
        [
            [factor.real, -factor.imag, shift.real],
            [factor.imag, factor.real, shift.imag],
        ]
    )


def align(image: Image, landmarks: FloatArray) -> Image:
    """The face at ``landmarks`` (5, 2) as uint8 BGR (112, 112, 3), black outside."""
    matrix = similarity_transform(landmarks)
    shrink = int(1 / max(float(np.hypot(matrix[0, 0], matrix[1, 0])), 1e-6))
    if shrink > 1:
        image, matrix = _shrunk(image, matrix, shrink)
    crop = cv2.warpAffine(
        image,
        matrix,
        (CROP_SIZE, CROP_SIZE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )
    return np.asarray(crop, dtype=np.uint8)


def _shrunk(
    image: Image, matrix: NDArray[np.float64], factor: int
) -> tuple[Image, NDArray[np.float64]]:
    """The part of the photo that ``matrix`` reads, ``factor`` times smaller.

    The warp takes four neighbours for each pixel: of a close-up with 12 megapixels it
    would skip most, and see noise. Returns that part and the matrix that fits it.
    """
    inverse = cv2.invertAffineTransform(matrix)
    side = float(CROP_SIZE)
    corners = np.array([[0, 0, 1], [side, 0, 1], [0, side, 1], [side, side, 1]])
    reached = corners @ inverse.T
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(reached.min(axis=0)) - factor, 0, [width, height])
    right, bottom = np.clip(np.ceil(reached.max(axis=0)) + factor, 0, [width, height])
    part = image[int(top) : int(bottom), int(left) : int(right)]
    if not part.size:
        return image, matrix
    size = (max(part.shape[1] // factor, 1), max(part.shape[0] // factor, 1))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    scale = np.array([part.shape[1] / size[0], part.shape[0] / size[1]])
    # Pixel centres: x = scale·(x' + 1/2) - 1/2 + left.
    shift = scale / 2 - 0.5 + [left, top]
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ shift
    moved[:, :2] *= scale
    return np.asarray(small, dtype=np.uint8), moved


def _as_complex(points: FloatArray) -> NDArray[np.complex128]:
    points = np.asarray(points, dtype=np.float64)
    return np.asarray(points[:, 0] + 1j * points[:, 1])
