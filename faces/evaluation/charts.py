"""Small charts as PNG, drawn with Pillow: a plot library would be larger than the rest.

Everything is drawn at twice the size and scaled down, which smooths the edges.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]
Colour = tuple[int, int, int]

WIDTH: Final = 960  # pixels of the file
HEIGHT: Final = 600
_SCALE: Final = 2
_LEFT: Final = 88
_RIGHT: Final = 32
_TOP: Final = 112
_BOTTOM: Final = 72

# Okabe and Ito's colours, which most colour-blind people tell apart (2008).
BLUE: Final[Colour] = (0, 114, 178)
ORANGE: Final[Colour] = (213, 94, 0)
GREEN: Final[Colour] = (0, 158, 115)
PURPLE: Final[Colour] = (204, 121, 167)
YELLOW: Final[Colour] = (230, 159, 0)
GREY: Final[Colour] = (130, 138, 148)
COLOURS: Final = (BLUE, ORANGE, GREEN, PURPLE, YELLOW, GREY)

_INK: Final[Colour] = (31, 41, 55)
_SOFT: Final[Colour] = (107, 114, 128)
_LINE: Final[Colour] = (229, 231, 235)
_PAPER: Final[Colour] = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Axis:
    """From ``low`` to ``high``, with its marks as (value, words)."""

    label: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    log: bool = False

    def place(self, value: float) -> float:
        """Where ``value`` lies, 0 at ``low`` and 1 at ``high``; kept inside."""
        if self.log:
            value = max(value, self.low)
            low, high, value = (math.log(v) for v in (self.low, self.high, value))
        else:
            low, high = self.low, self.high
        return min(max((value - low) / (high - low), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of ``value`` with the range that was seen; ``ours`` stands out."""

    label: str
    value: float
    low: float
    high: float
    ours: bool = False


def linear(label: str, low: float, high: float, *, step: float) -> Axis:
    """An axis with a mark every ``step``."""
    count = math.floor((high - low) / step + 1e-9)
    ticks = [(low + i * step, f"{low + i * step:.4g}") for i in range(count + 1)]
    return Axis(label, low, high, [(v, "0" if abs(v) < 1e-9 else t) for v, t in ticks])


def decades(label: str, low: float, high: float, *, percent: bool = False) -> Axis:
    """A logarithmic axis of whole powers of ten around ``low`` to ``high``."""
    first = math.floor(math.log10(low) + 1e-9)
    last = max(math.ceil(math.log10(high) - 1e-9), first + 1)
    powers = [10.0**power for power in range(first, last + 1)]
    words = [f"{p * 100:.10g} %" if percent else f"{p:,.10g}" for p in powers]
    axis = list(zip(powers, words, strict=True))
    return Axis(label, powers[0], powers[-1], axis, log=True)


class Chart:
    """Lines and areas between two axes."""

    def __init__(self, title: str, x: Axis, y: Axis, *, subtitle: str = "") -> None:
        self._x, self._y = x, y
        self._image, self._draw = _sheet(WIDTH, HEIGHT)
        self._legend: list[tuple[str, Colour]] = []
        _heading(self._draw, title, subtitle)
        self._grid()

    def line(self, points: Sequence[Point], colour: Colour, label: str = "") -> None:
        """A line through ``points``, named in the legend where it has a label."""
        places = [self._place(point) for point in points]
        self._draw.line(places, fill=colour, width=3 * _SCALE, joint="curve")
        self.name(label, colour)

    def dots(self, points: Sequence[Point], colour: Colour) -> None:
        """A round mark at each of ``points``."""
        radius = 4.5 * _SCALE
        for x, y in (self._place(point) for point in points):
            corners = (x - radius, y - radius, x + radius, y + radius)
            self._draw.ellipse(corners, fill=colour)

    def area(self, points: Sequence[Point], colour: Colour, label: str = "") -> None:
        """The surface between ``points`` and the lower edge, half transparent."""
        ground = self._y.low
        outline = [(points[0][0], ground), *points, (points[-1][0], ground)]
        veil = Image.new("RGBA", self._image.size, (0, 0, 0, 0))
        places = [self._place(point) for point in outline]
        ImageDraw.Draw(veil).polygon(places, fill=(*colour, 110))
        self._image.paste(veil, (0, 0), veil)
        self._draw.line(places[1:-1], fill=colour, width=2 * _SCALE, joint="curve")
        self.name(label, colour)

    def mark(self, x: float, words: str) -> None:
        """A dashed line from top to bottom at ``x`` with words beside its head."""
        left, top = self._place((x, self._y.high))
        _, bottom = self._place((x, self._y.low))
        dash = 8 * _SCALE
        for start in range(int(top), int(bottom), 2 * dash):
            end = min(start + dash, int(bottom))
            self._draw.line([(left, start), (left, end)], fill=_INK, width=_SCALE)
        place = (left + 8 * _SCALE, top + 6 * _SCALE)
        self._draw.text(place, words, font=_font(15), fill=_INK)

    def name(self, label: str, colour: Colour) -> None:
        """Add a line to the legend, unless ``label`` is empty."""
        if label:
            self._legend.append((label, colour))

    def save(self, path: Path) -> None:
        """Write the PNG."""
        x = _LEFT * _SCALE
        for label, colour in self._legend:
            y = (_TOP - 22) * _SCALE
            corners = (x, y - 6 * _SCALE, x + 18 * _SCALE, y + 6 * _SCALE)
            self._draw.rounded_rectangle(corners, 3 * _SCALE, fill=colour)
            font = _font(15)
            place = (x + 26 * _SCALE, y)
            self._draw.text(place, label, font=font, fill=_INK, anchor="lm")
            x += int(font.getlength(label)) + 50 * _SCALE
        _save(self._image, path)

    def _place(self, point: Point) -> Point:
        wide, high = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
        x = _LEFT + self._x.place(point[0]) * wide
        y = _TOP + (1 - self._y.place(point[1])) * high
        return x * _SCALE, y * _SCALE

    def _grid(self) -> None:
        draw, gap = self._draw, 10 * _SCALE
        for value, words in self._x.ticks:
            x, y = self._place((value, self._y.low))
            draw.line([(x, y), (x, _TOP * _SCALE)], fill=_LINE, width=_SCALE)
            draw.text((x, y + gap), words, font=_font(14), fill=_SOFT, anchor="ma")
        for value, words in self._y.ticks:
            x, y = self._place((self._x.low, value))
            end = ((WIDTH - _RIGHT) * _SCALE, y)
            draw.line([(x, y), end], fill=_LINE, width=_SCALE)
            draw.text((x - gap, y), words, font=_font(14), fill=_SOFT, anchor="rm")
        middle = (_LEFT + WIDTH - _RIGHT) / 2 * _SCALE
        place = (middle, (HEIGHT - 14) * _SCALE)
        draw.text(place, self._x.label, font=_font(15), fill=_INK, anchor="mb")
        _sideways(self._image, self._y.label)


def bars(title: str, rows: Sequence[Bar], path: Path, *, unit: str) -> None:
    """Horizontal bars from zero with the range as a whisker, one a row, as PNG."""
    row_height, right = 46, 150
    labels = max(_font(16).getlength(row.label) for row in rows) / _SCALE
    left = math.ceil(labels) + 38
    height = _TOP + row_height * len(rows) + 24
    image, draw = _sheet(WIDTH, height)
    _heading(draw, title, f"Median in {unit}; the thin line is the range.")
    longest = max(row.high for row in rows)
    for number, row in enumerate(rows):
        y = (_TOP + row_height * (number + 0.5)) * _SCALE
        length, low, high = (
            (left + (WIDTH - left - right) * value / longest) * _SCALE
            for value in (row.value, row.low, row.high)
        )
        start = left * _SCALE
        box = (start, y - 13 * _SCALE, max(length, start + _SCALE), y + 13 * _SCALE)
        draw.rectangle(box, fill=BLUE if row.ours else GREY)
        draw.line([(low, y), (high, y)], fill=_INK, width=_SCALE)
        place: Point = (start - 14 * _SCALE, y)
        draw.text(place, row.label, font=_font(16), fill=_INK, anchor="rm")
        words = f"{row.value:,.3g}" if row.value < 100 else f"{row.value:,.0f}"
        place = (max(high, length) + 10 * _SCALE, y)
        draw.text(place, f"{words} {unit}", font=_font(16), fill=_INK, anchor="lm")
    _save(image, path)


def _sheet(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width * _SCALE, height * _SCALE), _PAPER)
    return image, ImageDraw.Draw(image)


def _heading(draw: ImageDraw.ImageDraw, title: str, subtitle: str) -> None:
    place = (24 * _SCALE, 18 * _SCALE)
    draw.text(place, title, font=_font(22), fill=_INK)
    place = (24 * _SCALE, 48 * _SCALE)
    draw.text(place, subtitle, font=_font(14), fill=_SOFT)


def _sideways(image: Image.Image, words: str) -> None:
    font = _font(15)
    size = (math.ceil(font.getlength(words)) + 4, 24 * _SCALE)
    strip = Image.new("RGB", size, _PAPER)
    ImageDraw.Draw(strip).text((2, 2), words, font=font, fill=_INK)
    turned = strip.rotate(90, expand=True)
    middle = (_TOP + HEIGHT - _BOTTOM) // 2 * _SCALE
    image.paste(turned, (8 * _SCALE, middle - turned.height // 2))


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size * _SCALE)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("this Pillow was built without FreeType")
    return font


def _save(image: Image.Image, path: Path) -> None:
    size = (image.width // _SCALE, image.height // _SCALE)
    small = image.resize(size, Image.Resampling.LANCZOS)
    # Few colours: a palette makes the file a third of the size.
    small.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
