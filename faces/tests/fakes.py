"""A stand-in engine for rules that are not about faces: a colour is a person."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import cv2
import numpy as np

from faces.engine.packs import Pack
from faces.engine.types import Detection, Face, Image, Quality

DIMENSION = 128


def photo_of(*people: int, shot: int = 0) -> bytes:
    """Return a PNG on which each person is an upright stripe of one grey level.

    People are numbers from 1 to 127; nobody at all gives a black picture. Another
    `shot`, up to 255, is the same picture in other bytes.
    """
    stripes = [np.full((240, 240, 3), person, np.uint8) for person in people]
    image = np.hstack(stripes or [np.zeros((240, 240, 3), np.uint8)])
    image[-1, -1] = shot
    return bytes(cv2.imencode(".png", image)[1])


def embedding_of(person: int) -> np.ndarray:
    """Return the unit vector of a person; two people have a cosine of 0."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[person] = 1.0
    return vector


@dataclass(frozen=True)
class FakeEngine:
    """Finds one face a stripe and knows its person by the grey level."""

    pack: Pack
    provider: str = "none"

    @property
    def model_id(self) -> str:
        return self.pack.model_id

    def turn(self) -> AbstractContextManager[None]:
        return nullcontext()

    def detect(self, image: Image, *, detection_size: int = 640) -> list[Detection]:
        return [
            Detection((float(x), 0.0, 240.0, 240.0), np.zeros((5, 2), np.float32), 0.9)
            for x in range(0, image.shape[1], 240)
            if image[0, x, 0]
        ]

    def describe(
        self,
        image: Image,
        detections: Sequence[Detection],
        *,
        detection_size: int = 640,
    ) -> list[Face]:
        return [
            Face(
                box=found.box,
                landmarks=found.landmarks,
                score=found.score,
                quality=Quality(60, 500, 128, 50, 0, 0, 0, 0, 0.9),
                embedding=embedding_of(int(image[0, int(found.box[0]), 0])),
            )
            for found in detections
        ]

    def analyse(self, image: Image, *, detection_size: int = 640) -> list[Face]:
        return self.describe(image, self.detect(image))
