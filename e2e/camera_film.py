"""What a browser's camera films in these tests: one face that turns its head."""

from pathlib import Path

import cv2
import numpy as np
from skimage import data

from faces.engine.types import Image

SIZE = (640, 480)
# Of the enlarged part of the photo: where the face begins, its nose, where it ends.
FACE = (208, 319, 431)
# Frames a second of which no two are the same, and how far their brightness strays
# (standard deviation, of 255): a camera's sensor is never quite still, and the site
# counts bytes that come again as one look.
RATE = 5
NOISE = 2.0
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
    """Write a Y4M of `rate` pictures a second; Chromium's camera loops it.

    Each picture is filmed as a sensor would: at least RATE times a second, with noise.
    """
    height, width = frames[0].shape[:2]
    shots = max(1, RATE // rate)
    head = f"YUV4MPEG2 W{width} H{height} F{rate * shots}:1 Ip A1:1 C420jpeg\n"
    noise = np.random.default_rng(7)
    pictures = [
        b"FRAME\n" + _noisy(frame, noise).tobytes()
        for frame in frames
        for _ in range(repeat * shots)
    ]
    path.write_bytes(head.encode() + b"".join(pictures))


def _noisy(frame: Image, noise: np.random.Generator) -> Image:
    """Return a BGR picture as I420, its brightness as a sensor would see it."""
    planes = cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).astype(np.float32)
    height, width = frame.shape[:2]
    planes[:height] += noise.normal(0, NOISE, (height, width))
    return np.clip(planes.round(), 0, 255).astype(np.uint8)


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
