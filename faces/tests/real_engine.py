"""The real engine on real photos, made once for all tests of a run."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from skimage import data

from faces.engine import packs, samples
from faces.engine.image import decode
from faces.engine.pipeline import FaceEngine
from faces.engine.types import Image


@cache
def real_engine() -> FaceEngine:
    """The embedded pack on the processor."""
    engine = FaceEngine(packs.load_pack(packs.EMBEDDED, device="cpu", threads=1))
    engine.warm_up()
    return engine


@cache
def group_photo() -> Image:
    """Six people, 1280 x 886 pixels."""
    return read(samples.packaged_group_photo().read_bytes())


@cache
def close_ups() -> tuple[bytes, ...]:
    """A JPEG of each of the six, from left to right."""
    return tuple(samples.close_ups(real_engine()))


@cache
def astronaut() -> Image:
    """The stranger: Eileen Collins, who is not on the group photo."""
    rgb = np.asarray(data.astronaut(), dtype=np.uint8)  # type: ignore[no-untyped-call]
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def read(photo: bytes) -> Image:
    """Decode with the limits of a default installation."""
    return decode(photo, max_bytes=10_000_000, max_pixels=40_000_000)
