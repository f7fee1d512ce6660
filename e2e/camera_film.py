"""What a browser's camera films in these tests: one face that turns its head."""

from pathlib import Path

import cv2
import numpy as np
from skimage import data

from faces.engine.types import Image

SIZE = (640, 480)
# Of the enlarged part of the photo: where the face begins, its nose, where it ends.
FACE = (208, 319, 431)
# Moves the nose far enough aside for the engine to see a head turned by 12 to 16
# degrees; the face keeps a similarity of 0.8 to itself.
ASIDE = 54


def looks() -> tuple[Image, Image, Image]:
    """Return the astronaut as (480, 640, 3) BGR: ahead, to her left, to her right."""
    rgb = np.asarray(data.astronaut(), dtype=np.uint8)  # type: ignore[no-untyped-call]
    close = cv2.cvtColor(rgb[0:240, 64:384], cv2.COLOR_RGB2BGR)
    ahead = np.asarray(
        cv2.resize(close, SIZE, interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )
    # Her left is the picture's right.
    return ahead, _turned(ahead, ASIDE), _turned(ahead, -ASIDE)


def write_film(path: Path, *frames: Image, repeat: int = 1, rate: int = 1) -> None:
    """Write a Y4M of `rate` frames a second; Chromium's camera loops it."""
    height, width = frames[0].shape[:2]
    head = f"YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420jpeg\n".encode()
    pictures = [
        b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes()
        for frame in frames
        for _ in range(repeat)
    ]
    path.write_bytes(head + b"".join(pictures))


def _turned(image: Image, aside: int) -> Image:
    """Stretch one half of the face and squeeze the other, the edges held."""
    height, width = image.shape[:2]
    left, nose, right = FACE
    source = [0, left, nose, right, width - 1]
    target = [0, left, nose + aside, right, width - 1]
    columns = np.interp(np.arange(width), target, source).astype(np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(
        cv2.remap(
            image,
            np.tile(columns, (height, 1)),
            np.tile(rows, (1, width)),
            cv2.INTER_LINEAR,
        ),
        dtype=np.uint8,
    )
