"""A drawn room in place of a photo: no real face comes into the documents."""

from collections.abc import Sequence
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw

Box = tuple[float, float, float, float]  # left, top, width, height in pixels

WALL: Final = (214, 222, 217)
FLOOR: Final = (186, 197, 190)
BODIES: Final = ((96, 118, 110), (122, 112, 98), (92, 106, 128), (130, 104, 104))
HEAD: Final = 1.15  # height of a drawn head, in heights of the face's box
SHOULDERS: Final = 2.4  # width of the shoulders, in widths of the face's box


def drawn_room(size: tuple[int, int], faces: Sequence[Box]) -> bytes:
    """Return a JPEG of plain silhouettes whose heads are where the faces are."""
    width, height = size
    room = Image.new("RGB", size, WALL)
    pen = ImageDraw.Draw(room)
    pen.rectangle((0, height * 0.72, width, height), fill=FLOOR)
    # Whoever stands higher up in the picture stands further back.
    for number, box in enumerate(sorted(faces, key=lambda face: face[1])):
        _person(pen, box, BODIES[number % len(BODIES)], bottom=height)
    stream = BytesIO()
    room.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _person(
    pen: ImageDraw.ImageDraw, box: Box, colour: tuple[int, int, int], *, bottom: int
) -> None:
    left, top, width, height = box
    middle, neck = left + width / 2, top + height
    half = width * SHOULDERS / 2
    pen.rounded_rectangle(
        (middle - half, neck, middle + half, bottom + half),
        radius=half * 0.6,
        fill=colour,
    )
    head = height * HEAD
    pen.ellipse(
        (middle - head * 0.4, neck - head, middle + head * 0.4, neck), fill=colour
    )
    pen.rectangle(
        (middle - width * 0.2, neck - height * 0.1, middle + width * 0.2, neck + 2),
        fill=colour,
    )
