"""Photo bytes → upright BGR pixels, with every limit checked before a full decode."""

from __future__ import annotations

import io
import struct
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from faces.engine import headers
from faces.engine.errors import (
    ImageTooLarge,
    ImageTooSmall,
    UnreadableImage,
    UnsupportedFormat,
)
from faces.engine.types import Image

MIN_SIDE: Final = 100  # pixels; no smaller photo holds a face that can be enrolled
# A decoder needs as much again as the photo, or more: four of a room at once were
# 150 MB. Larger files than this wait for each other.
LARGE_FILE: Final = 1 << 20  # bytes
_one_at_a_time = threading.Lock()

# What decoders raise on damaged or hostile files. MemoryError is a file that asks for
# more than there is; Pillow turns its own bomb limit into the last two.
_DECODER_ERRORS: Final = (
    OSError,
    ValueError,
    SyntaxError,
    RuntimeError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    MemoryError,
    struct.error,
    cv2.error,
    PillowImage.DecompressionBombError,
    PillowImage.DecompressionBombWarning,
)


def decode(data: bytes, *, max_bytes: int, max_pixels: int) -> Image:
    """The photo in ``data`` as uint8 BGR (H, W, 3), upright and C-contiguous.

    Reads single JPEG, PNG, WebP and HEIC/HEIF pictures of any colour mode and depth;
    what is transparent becomes white. ``max_bytes`` limits the file and ``max_pixels``
    the width times the height that it declares.

    Raises ImageTooLarge, ImageTooSmall (a side under 100 pixels), UnsupportedFormat
    (anything else, animations and files of several pictures too) and UnreadableImage
    (damaged or cut short).
    """
    if len(data) > max_bytes:
        raise ImageTooLarge(
            f"The file is too large: {max_bytes / 2**20:.3g} MB are allowed.",
            max_bytes=max_bytes,
        )
    if not data:
        raise UnreadableImage("The file is empty. Send the photo again.")
    reader = _READERS[headers.real_format(data)]
    turn = _one_at_a_time if len(data) > LARGE_FILE else nullcontext()
    try:
        with turn:
            return np.ascontiguousarray(reader(data, max_pixels))
    except _DECODER_ERRORS as error:
        # The decoder's own words may quote the file: they end here.
        raise UnreadableImage from error


def _read_jpeg(data: bytes, max_pixels: int) -> Image:
    header = headers.read_jpeg(data)
    _check_size(header.width, header.height, max_pixels)
    # OpenCV decodes JPEG faster than Pillow and never sees the EXIF directory's
    # entries, of which a small file can declare gigabytes.
    pixels = cv2.imdecode(
        np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    )
    if pixels is None:
        raise UnreadableImage
    return _turn(_as_image(pixels), header.orientation)


def _read_with_pillow(data: bytes, max_pixels: int, *, kind: str) -> Image:
    with PillowImage.open(io.BytesIO(data), formats=[kind]) as photo:
        _check_size(photo.width, photo.height, max_pixels)
        if getattr(photo, "n_frames", 1) > 1:
            raise UnsupportedFormat("Animations cannot be used. Send a single photo.")
        exif = photo.info.get("exif")
        pixels = _flat_bgr(photo)
    return _turn(pixels, headers.exif_orientation(exif or b""))


def _read_png(data: bytes, max_pixels: int) -> Image:
    header = headers.read_png(data)
    _check_size(header.width, header.height, max_pixels)
    return _read_with_pillow(data, max_pixels, kind="PNG")


def _read_webp(data: bytes, max_pixels: int) -> Image:
    header = headers.read_webp(data)
    _check_size(header.width, header.height, max_pixels)
    return _read_with_pillow(data, max_pixels, kind="WEBP")


def _read_heif(data: bytes, max_pixels: int) -> Image:
    import pillow_heif  # loads libheif: only for those who send HEIC

    container = pillow_heif.open_heif(data, convert_hdr_to_8bit=True, bgr_mode=True)
    if len(container) > 1:
        raise UnsupportedFormat("The file holds several pictures. Send a single photo.")
    picture = container[0]
    _check_size(picture.size[0], picture.size[1], max_pixels)
    # libheif has turned the picture: its EXIF orientation must not be applied again.
    pixels = np.asarray(picture, dtype=np.uint8)
    if pixels.ndim == 2:
        return _as_image(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR))
    return _on_white(pixels) if pixels.shape[2] == 4 else _as_image(pixels)


_READERS: Final[dict[str, Callable[[bytes, int], Image]]] = {
    "JPEG": _read_jpeg,
    "PNG": _read_png,
    "WEBP": _read_webp,
    "HEIF": _read_heif,
}


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"The photo has {width} x {height} pixels: at most "
            f"{max_pixels / 1e6:.3g} million are allowed.",
            max_pixels=max_pixels,
        )
    if min(width, height) < MIN_SIDE:
        raise ImageTooSmall(
            f"The photo has {width} x {height} pixels: at least {MIN_SIDE} x "
            f"{MIN_SIDE} are needed.",
            min_side=MIN_SIDE,
        )


def _flat_bgr(photo: PillowImage.Image) -> Image:
    """A Pillow picture of any mode as BGR, transparency on white."""
    if photo.mode.startswith("I") or photo.mode == "F":
        return _from_deep_grey(np.asarray(photo))
    if photo.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in photo.info:
        rgba = np.asarray(photo.convert("RGBA"))
        return _on_white(rgba[..., [2, 1, 0, 3]])
    return _as_image(cv2.cvtColor(np.asarray(photo.convert("RGB")), cv2.COLOR_RGB2BGR))


def _from_deep_grey(values: NDArray[np.generic]) -> Image:
    """16-bit grey to 8 bits a channel; Pillow's own conversion would clip at 255."""
    grey = (np.clip(values, 0, 65535).astype(np.uint16) >> 8).astype(np.uint8)
    return _as_image(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))


def _on_white(bgra: NDArray[np.uint8]) -> Image:
    alpha = bgra[..., 3:].astype(np.uint16)
    mixed = (bgra[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return mixed.astype(np.uint8)


def _turn(pixels: Image, orientation: int) -> Image:
    """Undo the EXIF orientation (1-8, EXIF 2.32 table 6); others change nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = _as_image(cv2.transpose(pixels))
    flips = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
    if orientation in flips:
        pixels = _as_image(cv2.flip(pixels, flips[orientation]))
    return pixels


def _as_image(pixels: object) -> Image:
    return np.asarray(pixels, dtype=np.uint8)
