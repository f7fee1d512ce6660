"""Photos that somebody damaged, or built to do damage; the same ones for each seed."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import pillow_heif
from PIL import Image

from faces.tests.photos import astronaut

FORMATS = ("jpeg", "png", "webp", "heic")
SIDE = 320  # pixels: large enough to be a photo, small enough for thousands of them
HUGE = 65_500  # pixels a side that a header claims
BOMB = 60_000_000  # bytes that a few kilobytes unpack to
PNG_HEAD = 8 + 8  # signature, length and name of IHDR
Dice = random.Random


@dataclass(frozen=True, slots=True)
class Mutant:
    kind: str
    name: str  # of the file, as a client states it
    content: bytes


@cache
def whole(kind: str) -> bytes:
    """Return a good photo of one face in one of FORMATS."""
    picture = Image.open(io.BytesIO(astronaut())).convert("RGB").resize((SIDE, SIDE))
    stream = io.BytesIO()
    if kind == "heic":
        pillow_heif.from_pillow(picture).save(stream)
    else:
        picture.save(stream, kind)
    return stream.getvalue()


def mutants(number: int, *, seed: int) -> Iterator[Mutant]:
    """Yield so many files, every kind of damage in turn."""
    # Not a secret of anybody: the seed repeats the very same files.
    dice = Dice(seed)
    for at in range(number):
        kind = list(DAMAGES)[at % len(DAMAGES)]
        form = dice.choice(FORMATS)
        yield Mutant(f"{kind} {form}", f"photo.{form}", DAMAGES[kind](form, dice))


def cut(form: str, dice: Dice) -> bytes:
    photo = whole(form)
    return photo[: dice.randrange(len(photo))]


def flipped(form: str, dice: Dice) -> bytes:
    photo = bytearray(whole(form))
    # Headers decide most, so half of the bits lie there.
    reach = dice.choice((200, len(photo)))
    for _ in range(dice.randint(1, 40)):
        photo[dice.randrange(min(reach, len(photo)))] ^= 1 << dice.randrange(8)
    return bytes(photo)


def spliced(form: str, dice: Dice) -> bytes:
    head, tail = whole(form), whole(dice.choice(FORMATS))
    return head[: dice.randrange(len(head))] + tail[dice.randrange(len(tail)) :]


def repeated(form: str, dice: Dice) -> bytes:
    photo = whole(form)
    start, end = sorted(dice.randrange(len(photo)) for _ in range(2))
    return photo[:end] + photo[start:end] * dice.randint(1, 20) + photo[end:]


def huge(form: str, dice: Dice) -> bytes:
    """Claim a picture of gigabytes in a file of kilobytes."""
    width, height = dice.choice(((HUGE, HUGE), (HUGE, 1), (1, HUGE), (0, 0)))
    return _CLAIMS[form](bytearray(whole(form)), width, height)


def _huge_jpeg(photo: bytearray, width: int, height: int) -> bytes:
    at = photo.index(b"\xff\xc0") + 5  # marker, length, precision
    photo[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(photo)


def _huge_png(photo: bytearray, width: int, height: int) -> bytes:
    photo[PNG_HEAD : PNG_HEAD + 8] = struct.pack(">II", width, height)
    sealed = bytes(photo[PNG_HEAD - 4 : PNG_HEAD + 13])
    photo[PNG_HEAD + 13 : PNG_HEAD + 17] = struct.pack(">I", zlib.crc32(sealed))
    return bytes(photo)


def _huge_webp(photo: bytearray, width: int, height: int) -> bytes:
    at = photo.index(b"\x9d\x01\x2a") + 3  # VP8's start code; 14 bits each
    photo[at : at + 4] = struct.pack("<HH", width & 0x3FFF, height & 0x3FFF)
    return bytes(photo)


def _huge_heic(photo: bytearray, width: int, height: int) -> bytes:
    at = photo.index(b"ispe") + 8
    photo[at : at + 8] = struct.pack(">II", width, height)
    return bytes(photo)


_CLAIMS: dict[str, Callable[[bytearray, int, int], bytes]] = {
    "jpeg": _huge_jpeg,
    "png": _huge_png,
    "webp": _huge_webp,
    "heic": _huge_heic,
}


def exif_bomb(form: str, dice: Dice) -> bytes:
    """Put EXIF in front that points at itself, claims too much, or comes too often."""
    turn = struct.pack("<HHII", 0x0112, 3, 1, dice.randrange(2**16))
    claims = struct.pack("<HHII", 0x010E, dice.randrange(14), 2**32 - 1, 8)
    itself = struct.pack("<HHII", 0x8769, 4, 1, 8)
    entries = [turn, claims, itself] * dice.randint(1, 200)
    body = struct.pack("<H", dice.choice((len(entries), 0xFFFF))) + b"".join(entries)
    after = struct.pack("<I", 8)  # the next directory is this one
    exif = b"Exif\0\0II*\0\x08\0\0\0" + body + after
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    photo = whole("jpeg")
    return photo[:2] + segment * dice.randint(1, 50) + photo[2:]


def packed_bomb(form: str, dice: Dice) -> bytes:
    """Hide tens of megabytes in a text, a colour profile or the pixels of a PNG."""
    photo, squeezed = whole("png"), _zeros()
    text = _chunk(b"zTXt", b"Comment\0\0" + squeezed)
    profile = _chunk(b"iCCP", b"p\0\0" + squeezed)
    pixels = _chunk(b"IDAT", squeezed)
    start = PNG_HEAD + 13 + 4
    return photo[:start] + dice.choice((text, profile, pixels)) + photo[start:]


@cache
def _zeros() -> bytes:
    return zlib.compress(bytes(BOMB), 9)


def _chunk(name: bytes, data: bytes) -> bytes:
    checked = name + data
    return (
        struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
    )


def polyglot(form: str, dice: Dice) -> bytes:
    """Return a file that is two things at once, or none that a photo may be."""
    photo = whole(form)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        # A ZipInfo of its own: a name alone would be dated now.
        packed.writestr(zipfile.ZipInfo("x.html"), "<script>alert(1)</script>")
    page = b"<html><script>alert(1)</script></html>"
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    others = (
        photo + archive.getvalue(),
        page + photo,
        photo + page,
        b"GIF89a" + photo,
        b"%PDF-1.7\n" + photo,
        drawing,
        b"BM" + photo,
        b"MM\0*" + photo,
        b"\0\0\1\0" + photo,
        b"\x89PNG\r\n\x1a\n" + whole("jpeg"),
    )
    return dice.choice(others)


def noise(form: str, dice: Dice) -> bytes:
    size = dice.choice((0, 1, 11, 300, 50_000))
    return whole(form)[: dice.randrange(12)] + dice.randbytes(size)


def extreme(form: str, dice: Dice) -> bytes:
    """Return a good photo of a strange shape, as large as one may be or larger."""
    shape = dice.choice(((100, 100), (1, 4000), (4000, 1), (99, 99), (120, 12_000)))
    if dice.random() < 0.02:
        shape = (6600, 6600)  # more pixels than are allowed, in a small file
    blank = Image.new("RGB", shape, (dice.randrange(256), 90, 90))
    stream = io.BytesIO()
    blank.save(stream, "png" if form == "heic" else form)
    return stream.getvalue()


DAMAGES: dict[str, Callable[[str, Dice], bytes]] = {
    "cut": cut,
    "flipped": flipped,
    "spliced": spliced,
    "repeated": repeated,
    "huge": huge,
    "EXIF bomb": exif_bomb,
    "packed bomb": packed_bomb,
    "polyglot": polyglot,
    "noise": noise,
    "extreme": extreme,
}
