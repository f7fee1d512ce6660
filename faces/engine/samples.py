"""The group photo that the insightface package ships, for the demo and the tests."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from faces.engine.errors import ConfigurationError

if TYPE_CHECKING:
    from faces.engine.pipeline import FaceEngine

PEOPLE: Final = 6  # on the packaged photo
_CONTEXT: Final = 2.4  # side of a close-up in sides of the face's box
_CLOSE_UP: Final = 480  # pixels
_JPEG_QUALITY: Final = 95


def packaged_group_photo() -> Path:
    """Path of insightface's ``t1.jpg``: 1280 x 886 pixels, six people.

    Raises ConfigurationError when the package is not installed.
    """
    spec = find_spec("insightface")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError("The package insightface is missing.")
    return Path(spec.submodule_search_locations[0], "data", "images", "t1.jpg")


def close_ups(engine: FaceEngine) -> list[bytes]:
    """Six JPEG photos, one for each person of the group photo, from left to right.

    What of a neighbour comes into a close-up is painted over, so that each shows one
    face; all pass the ``standard`` review.
    """
    photo = np.asarray(cv2.imread(str(packaged_group_photo())), dtype=np.uint8)
    found = sorted(engine.analyse(photo, embed=False), key=lambda face: face.box[0])
    return [
        _close_up(photo, face.box, [other.box for other in found if other is not face])
        for face in found
    ]


def _close_up(
    photo: np.ndarray,
    box: tuple[float, float, float, float],
    neighbours: list[tuple[float, float, float, float]],
) -> bytes:
    alone = photo.copy()
    for x, y, width, height in neighbours:
        corners = np.rint([x, y, x + width, y + height]).astype(int)
        left, top, right, bottom = np.maximum(corners, 0)
        alone[top:bottom, left:right] = 127
    x, y, width, height = box
    side = max(width, height) * _CONTEXT
    scale = _CLOSE_UP / side
    move = np.array(
        [
            [scale, 0, -(x + width / 2 - side / 2) * scale],
            [0, scale, -(y + height / 2 - side / 2) * scale],
        ]
    )
    cut = cv2.warpAffine(
        alone, move, (_CLOSE_UP, _CLOSE_UP), borderMode=cv2.BORDER_REPLICATE
    )
    return cv2.imencode(".jpg", cut, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[
        1
    ].tobytes()
