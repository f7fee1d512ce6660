"""Real photos from installed packages, as the bytes a client would send."""

from functools import cache

import cv2
import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from skimage import data

from faces import runtime
from faces.engine.image import decode
from faces.engine.samples import close_ups, packaged_group_photo
from faces.engine.types import Image


@cache
def six_close_ups() -> tuple[bytes, ...]:
    """Return one close-up of each person of the packaged group photo."""
    return tuple(close_ups(runtime.get_engine()))


@cache
def group_photo() -> bytes:
    """Return the packaged group photo: six people."""
    return packaged_group_photo().read_bytes()


@cache
def astronaut() -> bytes:
    """Return a JPEG with one more face, from scikit-image's public-domain photo."""
    return jpeg(_astronaut())


@cache
def group_with_astronaut() -> bytes:
    """Return the group photo with the astronaut beside it: seven people."""
    group = decode(group_photo(), max_bytes=10**7, max_pixels=10**7)
    seventh = _astronaut()
    beside = np.zeros((group.shape[0], seventh.shape[1], 3), np.uint8)
    beside[: seventh.shape[0]] = seventh
    return jpeg(np.hstack([group, beside]))


def _astronaut() -> Image:
    # The library's RGB, turned into the engine's BGR.
    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])  # type: ignore[no-untyped-call]


def jpeg(image: Image) -> bytes:
    """Encode a BGR uint8 image."""
    return bytes(cv2.imencode(".jpg", image)[1])


def upload(photo: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    """Wrap bytes as a file for the test client."""
    return SimpleUploadedFile(name, photo, content_type="image/jpeg")
