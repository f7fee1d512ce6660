"""What is measured: photos made of packaged ones, and vectors that are nobody's."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data as samples

from faces.engine.pipeline import FaceEngine
from faces.engine.samples import close_ups
from faces.engine.types import FloatArray, Image

FACES: Final = 30
PEOPLE: Final = 30  # enrolled in the class, the one on the photo among them
_COLUMNS: Final = 6
_CELL: Final = (320, 256)  # width and height: six by five make 1920 x 1280 pixels


def frame() -> Image:
    """A webcam's frame, 640 x 480 pixels, with one person: scikit-image's astronaut."""
    return _as_image(
        cv2.resize(_astronaut()[:384], (640, 480), interpolation=cv2.INTER_AREA)
    )


def jpeg(image: Image, *, quality: int = 90) -> bytes:
    """``image`` as a camera would send it."""
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def group_photo(engine: FaceEngine) -> Image:
    """Thirty faces on 1920 x 1280 pixels, five rows of six, each about 90 pixels.

    Seven people (insightface's packaged photo and the astronaut), every time mirrored,
    turned, scaled and lit another way, so that no two faces are equal.
    """
    people = [
        _as_image(cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR))
        for photo in close_ups(engine)
    ]
    people.append(_as_image(cv2.resize(_astronaut()[:256, 96:352], (480, 480))))
    random = np.random.default_rng(2026)
    cells = [_varied(people[i % len(people)], random) for i in range(FACES)]
    rows = [
        np.hstack(cells[start : start + _COLUMNS])
        for start in range(0, FACES, _COLUMNS)
    ]
    return np.ascontiguousarray(np.vstack(rows))


def singles(group: Image) -> NDArray[np.uint8]:
    """The people of a group photo one by one: uint8 (30, 480, 640, 3), BGR."""
    width, height = _CELL
    corners = [(row, column) for row in range(5) for column in range(_COLUMNS)]
    cells = [
        group[row * height : (row + 1) * height, column * width : (column + 1) * width]
        for row, column in corners
    ]
    return np.stack([_as_image(cv2.resize(cell, (640, 480))) for cell in cells])


def unit_vectors(number: int, dimension: int, *, seed: int = 2026) -> FloatArray:
    """float32 (number, dimension) random directions, L2-normalised."""
    drawn = np.random.default_rng(seed).standard_normal(
        (number, dimension), dtype=np.float32
    )
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn


def _varied(close_up: Image, random: np.random.Generator) -> Image:
    width, height = _CELL
    side = close_up.shape[0]
    scale = height / side * float(random.uniform(0.85, 1.0))
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), random.uniform(-8, 8), scale)
    turn[:, 2] += np.array([width / 2, height / 2]) - side / 2
    if random.random() < 0.5:
        close_up = _as_image(cv2.flip(close_up, 1))
    cell = cv2.warpAffine(
        close_up, turn, _CELL, flags=cv2.INTER_AREA, borderValue=(127, 127, 127)
    )
    light = cv2.convertScaleAbs(cell, alpha=float(random.uniform(0.85, 1.1)))
    return _as_image(light)


def _astronaut() -> Image:
    rgb = np.asarray(samples.astronaut(), np.uint8)  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _as_image(pixels: NDArray[np.generic] | object) -> Image:
    return np.asarray(pixels, dtype=np.uint8)
