"""Photo bytes become upright pixels, or a refusal with a code; nothing crashes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from faces.engine import errors, samples
from faces.engine.image import decode
from faces.engine.types import Image

WIDTH, HEIGHT = 160, 120


def read(data: bytes, *, max_bytes: int = 10**7, max_pixels: int = 10**7) -> Image:
    return decode(data, max_bytes=max_bytes, max_pixels=max_pixels)


def picture(mode: str = "RGB") -> PillowImage.Image:
    """Red at the top left, green right, blue below, smooth so that JPEG keeps it."""
    rgb = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    rgb[: HEIGHT // 2, : WIDTH // 2] = (220, 20, 20)
    rgb[: HEIGHT // 2, WIDTH // 2 :] = (20, 200, 20)
    rgb[HEIGHT // 2 :, : WIDTH // 2] = (20, 20, 220)
    return PillowImage.fromarray(rgb).convert(mode)


def encoded(photo: PillowImage.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    photo.save(stream, kind, **options)
    return stream.getvalue()


def heic(*photos: PillowImage.Image) -> bytes:
    stream = io.BytesIO()
    container = pillow_heif.from_pillow(photos[0])
    for photo in photos[1:]:
        container.add_from_pillow(photo)
    container.save(stream, quality=95)
    return stream.getvalue()


def with_orientation(orientation: int) -> bytes:
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def close(one: NDArray[np.uint8], other: NDArray[np.uint8], *, within: float) -> bool:
    if one.shape != other.shape:
        return False
    return bool(np.abs(one.astype(int) - other.astype(int)).mean() <= within)


def as_bgr(photo: PillowImage.Image) -> NDArray[np.uint8]:
    return np.asarray(photo.convert("RGB"), dtype=np.uint8)[..., ::-1]


FORMATS: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: encoded(picture(), "JPEG", quality=95),
    "progressive": lambda: encoded(picture(), "JPEG", quality=95, progressive=True),
    "png": lambda: encoded(picture(), "PNG"),
    "webp": lambda: encoded(picture(), "WEBP", quality=95),
    "lossless webp": lambda: encoded(picture(), "WEBP", lossless=True),
    "palette": lambda: encoded(picture().quantize(16), "PNG"),
    "heic": lambda: heic(picture()),
}


@pytest.mark.parametrize("name", FORMATS)
def test_it_reads_every_format_of_cameras_and_phones(name: str) -> None:
    pixels = read(FORMATS[name]())

    assert close(pixels, as_bgr(picture()), within=6)


@pytest.mark.parametrize("name", FORMATS)
def test_pixels_are_contiguous_bytes(name: str) -> None:
    pixels = read(FORMATS[name]())

    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("name", FORMATS)
def test_it_refuses_a_file_that_was_cut_short(name: str) -> None:
    data = FORMATS[name]()

    with pytest.raises(errors.UnreadableImage):
        read(data[: len(data) * 2 // 3])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_turns_a_photo_upright(kind: str, orientation: int) -> None:
    turned = {
        1: None,
        2: PillowImage.Transpose.FLIP_LEFT_RIGHT,
        3: PillowImage.Transpose.ROTATE_180,
        4: PillowImage.Transpose.FLIP_TOP_BOTTOM,
        5: PillowImage.Transpose.TRANSPOSE,
        6: PillowImage.Transpose.ROTATE_90,
        7: PillowImage.Transpose.TRANSVERSE,
        8: PillowImage.Transpose.ROTATE_270,
    }[orientation]
    stored = picture() if turned is None else picture().transpose(turned)
    data = encoded(stored, kind, exif=with_orientation(orientation))

    assert close(read(data), as_bgr(picture()), within=8)


def test_a_phone_photo_in_heic_is_turned_only_once() -> None:
    pillow_heif.register_heif_opener()
    stored = picture().transpose(PillowImage.Transpose.ROTATE_90)
    # The plugin writes HEIF's own turn and calls the EXIF upright; phones write both.
    upright, turned = (b"\x01\x12\0\x03\0\0\0\x01\0" + bytes([n]) for n in (1, 6))
    data = encoded(stored, "HEIF", quality=95, exif=with_orientation(6))
    data = data.replace(upright, turned)
    assert b"irot" in data
    assert turned in data

    assert close(read(data), as_bgr(picture()), within=6)


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_does_not_exist_changes_nothing(orientation: int) -> None:
    data = encoded(picture(), "JPEG", exif=with_orientation(orientation))

    assert close(read(data), as_bgr(picture()), within=6)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_becomes_white(mode: str) -> None:
    photo = picture(mode)
    photo.putalpha(0)

    assert read(encoded(photo, "PNG")).min() == 255


def test_a_transparent_palette_colour_becomes_white() -> None:
    photo = picture().quantize(8)
    hidden = photo.getpixel((1, 1))
    pixels = read(encoded(photo, "PNG", transparency=hidden))

    assert pixels[1, 1].tolist() == [255, 255, 255]


def test_grey_of_16_bits_keeps_its_shades() -> None:
    grey = np.tile(np.linspace(0, 65535, WIDTH).astype(np.uint16), (HEIGHT, 1))
    data = cv2.imencode(".png", grey)[1].tobytes()

    assert np.abs(read(data)[0, :, 0].astype(int) - (grey[0] >> 8)).max() <= 1


def test_colour_of_16_bits_keeps_its_shades() -> None:
    deep = as_bgr(picture()).astype(np.uint16) * 257
    data = cv2.imencode(".png", deep)[1].tobytes()

    assert close(read(data), as_bgr(picture()), within=1)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_of_another_colour_mode_is_read(mode: str) -> None:
    data = encoded(picture(mode), "JPEG", quality=95)

    assert close(read(data), as_bgr(picture(mode)), within=12)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_it_refuses_an_animation(kind: str) -> None:
    frames = [picture(), picture().rotate(180)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])

    with pytest.raises(errors.UnsupportedFormat):
        read(data)


def test_it_refuses_a_heic_file_of_several_pictures() -> None:
    with pytest.raises(errors.UnsupportedFormat):
        read(heic(picture(), picture().rotate(180)))


def test_it_refuses_a_heic_sequence_by_its_brand() -> None:
    data = heic(picture())

    with pytest.raises(errors.UnsupportedFormat):
        read(data[:8] + b"hevc" + data[12:])


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a" + bytes(100),
        b"BM" + bytes(100),
        b"%PDF-1.7\n" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04" + bytes(100),
        b"\x00\x00\x00\x1cftypavif" + bytes(100),
        b"hello",
    ],
)
def test_it_refuses_what_is_no_photo_of_a_known_kind(data: bytes) -> None:
    with pytest.raises(errors.UnsupportedFormat):
        read(data)


def test_the_name_of_a_format_is_its_content() -> None:
    with pytest.raises(errors.UnsupportedFormat):
        read(encoded(picture(), "GIF"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0" + bytes(64),
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        b"RIFF\x10\x00\x00\x00WEBPVP8 ",
        b"RIFF\xff\xff\xff\xffWEBPVP8X" + bytes(64),
        b"\x00\x00\x00\x1cftypheic" + bytes(64),
    ],
)
def test_a_bare_beginning_is_unreadable(data: bytes) -> None:
    with pytest.raises(errors.UnreadableImage):
        read(data)


def test_it_refuses_too_many_bytes_before_looking_at_them() -> None:
    with pytest.raises(errors.ImageTooLarge) as caught:
        read(b"not a photo at all", max_bytes=10)

    assert caught.value.status == 413


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_it_refuses_too_many_pixels(kind: str) -> None:
    with pytest.raises(errors.ImageTooLarge):
        read(encoded(picture(), kind), max_pixels=WIDTH * HEIGHT - 1)


def test_it_refuses_too_many_pixels_in_heic() -> None:
    with pytest.raises(errors.ImageTooLarge):
        read(heic(picture()), max_pixels=WIDTH * HEIGHT - 1)


def test_it_takes_exactly_the_pixels_allowed() -> None:
    data = encoded(picture(), "PNG")

    assert read(data, max_pixels=WIDTH * HEIGHT).shape == (HEIGHT, WIDTH, 3)


def chunk(name: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def test_a_bomb_is_refused_by_the_size_it_declares() -> None:
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")

    with pytest.raises(errors.ImageTooLarge):
        read(bomb)


def test_a_jpeg_that_declares_more_than_it_holds_is_refused() -> None:
    data = bytearray(encoded(picture(), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 60000, 60000)

    with pytest.raises(errors.ImageTooLarge):
        read(bytes(data))


def test_an_exif_directory_of_overlapping_gigabytes_is_not_read() -> None:
    entry = struct.pack(">HHII", 0x9286, 7, 60000, 8)
    tiff = b"MM\x00\x2a" + struct.pack(">I", 8) + struct.pack(">H", 5000) + entry * 5000
    exif = b"Exif\0\0" + tiff
    data = encoded(picture(), "JPEG")
    bomb = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]

    assert close(read(bomb), read(data), within=0)


@pytest.mark.parametrize("side", [(99, 200), (200, 99)])
def test_it_refuses_a_side_under_100_pixels(side: tuple[int, int]) -> None:
    with pytest.raises(errors.ImageTooSmall):
        read(encoded(picture().resize(side), "JPEG"))


def test_it_takes_a_side_of_100_pixels() -> None:
    assert read(encoded(picture().resize((100, 100)), "JPEG")).shape == (100, 100, 3)


def test_what_follows_a_complete_jpeg_is_ignored() -> None:
    data = encoded(picture(), "JPEG")

    assert close(read(data + b"PK\x03\x04 a zip file"), read(data), within=0)


def test_a_file_within_a_file_is_read_as_the_first() -> None:
    data = encoded(picture(), "PNG") + encoded(picture().rotate(90), "JPEG")

    assert close(read(data), as_bgr(picture()), within=0)


def test_no_damage_to_a_photo_raises_anything_but_a_refusal() -> None:
    random = np.random.default_rng(7)
    outcomes = set()
    for name, make in FORMATS.items():
        original = make()
        for _ in range(60):
            data = bytearray(original)
            for place in random.integers(12, len(data), size=8):
                data[place] = random.integers(256)
            try:
                read(bytes(data))
                outcomes.add("read")
            except errors.FaceError as error:
                outcomes.add(error.code)
        assert name
    assert outcomes <= {
        "read",
        "unreadable_image",
        "unsupported_format",
        "image_too_large",
        "image_too_small",
    }


def test_nothing_of_the_file_is_in_the_message() -> None:
    marker = b"SECRETNAME"
    data = encoded(picture(), "PNG").replace(b"IDAT", b"XDAT") + marker

    with pytest.raises(errors.FaceError) as caught:
        read(data)

    assert marker.decode() not in str(caught.value)


def test_the_packaged_photo_is_read_as_opencv_reads_it() -> None:
    path = samples.packaged_group_photo()

    expected = np.asarray(cv2.imread(str(path)), dtype=np.uint8)
    assert close(read(path.read_bytes()), expected, within=0)
