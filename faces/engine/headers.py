"""Reading what a photo file declares of itself, without decoding it.

Only a few fixed fields are read and every offset is checked, so that a hostile file
costs no more than its own length.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any, Final

from faces.engine.errors import UnreadableImage, UnsupportedFormat

# Brands of ISO/IEC 23008-12 (HEIF): still pictures, and sequences of pictures.
_HEIF_STILLS: Final = (b"heic", b"heix", b"heim", b"heis", b"mif1")
_HEIF_SEQUENCES: Final = (b"hevc", b"hevx", b"hevm", b"hevs", b"msf1")

# Baseline, extended and progressive DCT: what phones and cameras write and libjpeg
# reads (ITU-T T.81 table B.1).
_JPEG_FRAMES: Final = (0xC0, 0xC1, 0xC2)
_JPEG_OTHER_FRAMES: Final = (
    0xC3,
    *range(0xC5, 0xC8),
    *range(0xC9, 0xCC),
    *range(0xCD, 0xD0),
)
_JPEG_STANDALONE: Final = (0x01, *range(0xD0, 0xD8))
_JPEG_SCAN: Final = 0xDA
_JPEG_END: Final = 0xD9
_JPEG_APP1: Final = 0xE1
# A marker inside compressed data: not a stuffed zero, a restart, or a fill byte.
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")

_ORIENTATION_TAG: Final = 0x0112
_SHORT: Final = 3
_MAX_ENTRIES: Final = 512  # of an EXIF directory; cameras write a few dozen


@dataclass(frozen=True, slots=True)
class Header:
    """Declared size in stored pixels, and the EXIF orientation (1-8)."""

    width: int
    height: int
    orientation: int = 1


def real_format(data: bytes) -> str:
    """``JPEG``, ``PNG``, ``WEBP`` or ``HEIF``, by the first bytes and nothing else.

    Raises UnsupportedFormat for everything else, HEIF sequences among it.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_STILLS:
        return "HEIF"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_SEQUENCES:
        raise UnsupportedFormat("Live pictures cannot be used. Send a single photo.")
    raise UnsupportedFormat


def read_jpeg(data: bytes) -> Header:
    """Size and orientation of a JPEG file that reaches its end marker.

    Raises UnreadableImage where the file is damaged or cut short (a decoder would
    fill the rest with grey), UnsupportedFormat for coding that no camera uses.
    """
    size: tuple[int, int] | None = None
    orientation = 1
    position = 2
    while True:
        marker, position = _next_marker(data, position)
        if marker == _JPEG_END:
            break
        if marker in _JPEG_STANDALONE:
            continue
        segment = _segment(data, position)
        position += 2 + len(segment)
        if marker in _JPEG_OTHER_FRAMES:
            raise UnsupportedFormat
        if marker in _JPEG_FRAMES and size is None:
            height, width = _unpack(">xHH", segment)
            size = width, height
        if marker == _JPEG_APP1 and segment.startswith(b"Exif\0\0") and size is None:
            orientation = exif_orientation(segment)
        if marker == _JPEG_SCAN:
            position = _end_of_scan(data, position)
    if size is None or 0 in size:
        raise UnreadableImage
    return Header(*size, orientation=orientation)


def read_png(data: bytes) -> Header:
    """Size of a PNG file (ISO/IEC 15948); raises UnreadableImage without one."""
    name, width, height = _unpack(">12x4sII", data)
    if name != b"IHDR":
        raise UnreadableImage
    return Header(width, height)


def read_webp(data: bytes) -> Header:
    """Canvas size of a WebP file (RFC 9649).

    Raises UnreadableImage where it is cut short, UnsupportedFormat if it is animated.
    """
    (riff_size,) = _unpack("<4xI", data)
    if len(data) < riff_size + 8:
        raise UnreadableImage
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X":
        if body[:1] and body[0] & 0x02:
            raise UnsupportedFormat("Animations cannot be used. Send a single photo.")
        width, height = (1 + int.from_bytes(body[i : i + 3], "little") for i in (4, 7))
        return Header(width, height)
    if kind == b"VP8L":
        (bits,) = _unpack("<xI", body)
        return Header(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if kind == b"VP8 ":
        width, height = _unpack("<6xHH", body)
        return Header(width & 0x3FFF, height & 0x3FFF)
    raise UnreadableImage


def exif_orientation(exif: bytes) -> int:
    """Orientation 1-8 of an EXIF block; 1 where there is none or it makes no sense."""
    tiff = exif[6:] if exif.startswith(b"Exif\0\0") else exif
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, offset)
        for index in range(min(count, _MAX_ENTRIES)):
            entry = offset + 2 + 12 * index
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if tag == _ORIENTATION_TAG and kind == _SHORT:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:  # the directory points outside the block
        return 1
    return 1


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    """The marker at ``position`` (fill bytes allowed) and the position behind it."""
    if data[position : position + 1] != b"\xff":
        raise UnreadableImage
    while data[position : position + 1] == b"\xff":
        position += 1
    if position >= len(data):
        raise UnreadableImage
    return data[position], position + 1


def _segment(data: bytes, position: int) -> bytes:
    (length,) = _unpack(">H", data[position : position + 2])
    if length < 2 or position + length > len(data):
        raise UnreadableImage
    return data[position + 2 : position + length]


def _end_of_scan(data: bytes, position: int) -> int:
    found = _NEXT_MARKER.search(data, position)
    if found is None:
        raise UnreadableImage
    return found.start()


def _unpack(layout: str, data: bytes) -> tuple[Any, ...]:
    if len(data) < struct.calcsize(layout):
        raise UnreadableImage
    return struct.unpack_from(layout, data)
