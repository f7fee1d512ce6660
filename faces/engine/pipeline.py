"""From a photo to its faces: detect, look again, align, judge, embed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

import numpy as np

from faces.engine import alignment, memory, quality, refinement, sessions
from faces.engine.detection import Detector
from faces.engine.packs import LoadedPack, Pack
from faces.engine.queue import Queue
from faces.engine.types import Detection, Face, FloatArray, Image

DETECTION_SIZE: Final = 640  # pixels of the longer side

_NO_EMBEDDING: Final[FloatArray] = np.empty(0, dtype=np.float32)
_NO_EMBEDDING.setflags(write=False)


class Observer(Protocol):
    """Hears what an engine does, to count it."""

    def saw(self, faces: int) -> None:
        """Hear how many faces were found on a photo."""

    def ran(self, seconds: float) -> None:
        """Hear how long a photo took, once it was its turn."""


class _Nobody:
    def saw(self, faces: int) -> None: ...

    def ran(self, seconds: float) -> None: ...


class FaceEngine:
    """One engine serves all threads of a process; it keeps no state between calls."""

    def __init__(
        self,
        loaded: LoadedPack,
        *,
        queue: Queue | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._loaded = loaded
        self._queue = queue or Queue()
        self._observer = observer or _Nobody()
        self._detector: Detector = loaded.detector
        self._recogniser = loaded.recogniser
        self._crew = loaded.crew
        self._warm_up_ms: float | None = None

    @property
    def pack(self) -> Pack:
        """The contract of the pack that is loaded."""
        return self._loaded.contract

    @property
    def name(self) -> str:
        """The pack's name."""
        return self.pack.name

    @property
    def model_id(self) -> str:
        """What templates of this engine carry; only equal ids are ever compared."""
        return self.pack.model_id

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return self.pack.dimension

    @property
    def threshold(self) -> float:
        """The pack's calibrated cosine similarity."""
        return self.pack.threshold

    @property
    def margin(self) -> float:
        """The pack's calibrated lead over the next person."""
        return self.pack.margin

    @property
    def licence(self) -> str:
        """The licence of the weights."""
        return self.pack.licence

    @property
    def provider(self) -> str:
        """The execution provider that runs, not the one that was asked for."""
        return self._loaded.providers[0]

    @property
    def providers(self) -> tuple[str, ...]:
        """All execution providers of the sessions, the first one preferred."""
        return self._loaded.providers

    @property
    def warm_up_ms(self) -> float | None:
        """Milliseconds of the warm-up; None before it."""
        return self._warm_up_ms

    @property
    def waiting(self) -> int:
        """Photos that wait for their turn now."""
        return self._queue.waiting

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be among the few whose photos are in memory; decode within.

        What the engine is asked within goes on at once. Raises EngineBusy where too
        many wait already.
        """
        with self._queue.turn():
            yield

    def analyse(
        self,
        image: Image,
        *,
        detection_size: int = DETECTION_SIZE,
        max_faces: int | None = None,
        embed: bool = True,
    ) -> list[Face]:
        """All faces of a photo, the largest first.

        ``image`` is uint8 BGR (H, W, 3), upright. ``detection_size`` bounds the longer
        side that the detector sees, in pixels; a smaller photo is not enlarged.
        ``max_faces`` keeps the largest ones; without ``embed`` embeddings stay empty.

        Raises ValueError for another kind of array, EngineBusy where too many photos
        wait, EngineUnavailable when a model run fails.
        """
        with self._queue.turn(), self._observed():
            found = self._detect(image, detection_size)
            faces = self._describe(image, found[:max_faces], embed=embed)
        # The second look measures the boxes anew.
        return sorted(faces, key=lambda face: face.area, reverse=True)

    def detect(
        self, image: Image, *, detection_size: int = DETECTION_SIZE
    ) -> list[Detection]:
        """Where the faces of a photo are, the largest box first: a fast first look.

        Arguments and errors are those of ``analyse``.
        """
        with self._queue.turn(), self._observed():
            return self._detect(image, detection_size)

    @contextmanager
    def _observed(self) -> Iterator[None]:
        start = time.perf_counter()
        with self._crew.photo():
            yield
        self._observer.ran(time.perf_counter() - start)

    def _detect(self, image: Image, detection_size: int) -> list[Detection]:
        _check(image)
        scale = min(1.0, detection_size / max(image.shape[:2]))
        size = round(image.size * scale**2)
        if size > sessions.LARGE_RUN:
            memory.give_back()  # what photos before this one left: 20 MB for 0.6 ms
        with sessions.turn_of(size):
            small = _shrink(image, scale)
            seen = self._detector.detect([small])[0]
        self._observer.saw(len(seen))
        found = [refinement.moved(one, scale) for one in seen]
        return sorted(found, key=lambda one: one.area, reverse=True)

    def describe(
        self,
        image: Image,
        detections: Sequence[Detection],
        *,
        embed: bool = True,
    ) -> list[Face]:
        """The given faces of a photo, looked at again, judged and embedded, in order.

        Where the pack asks for it each gets its points from a second look
        (``faces.engine.refinement``); without ``embed`` embeddings stay empty. Errors
        are those of ``analyse``, but for EngineBusy: a photo whose faces were found
        waits for its turn.
        """
        with self._queue.turn(refuse=False), self._observed():
            return self._describe(image, detections, embed=embed)

    def _describe(
        self, image: Image, detections: Sequence[Detection], *, embed: bool
    ) -> list[Face]:
        _check(image)
        if not detections:
            return []
        if self.pack.second_look:
            detections = refinement.refine(self._detector, image, detections)

        # One after another: so little of it is outside Python that threads, of which
        # one at a time may be inside, take half as long again.
        crops = [alignment.align(image, one.landmarks) for one in detections]
        qualities = [
            quality.measure(one, crop, image.shape)
            for one, crop in zip(detections, crops, strict=True)
        ]
        embeddings = self._embed(crops) if embed else [_NO_EMBEDDING] * len(crops)
        return [
            Face(one.box, one.landmarks, one.score, measured, embedding)
            for one, measured, embedding in zip(
                detections, qualities, embeddings, strict=True
            )
        ]

    def warm_up(self) -> float:
        """Run every model once; milliseconds it took.

        The first run of a session plans its memory and is slower than the next.
        """
        start = time.perf_counter()
        blank = np.full((480, 640, 3), 127, dtype=np.uint8)
        self._detector.detect([blank])
        side = refinement.CROP
        crop = np.full((side, side, 3), 127, dtype=np.uint8)
        self._detector.detect([crop] * len(refinement.CONTEXTS))
        size = alignment.CROP_SIZE
        face = np.full((size, size, 3), 127, dtype=np.uint8)
        for faces in ([face], [face] * self._crew.threads):
            self._recogniser.embed(faces)
        self._warm_up_ms = (time.perf_counter() - start) * 1000
        return self._warm_up_ms

    def _embed(self, crops: Sequence[Image]) -> list[FloatArray]:
        return [row.copy() for row in self._recogniser.embed(crops)]


def _check(image: Image) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"uint8 (H, W, 3) is needed, got {image.dtype} {image.shape}")


def _shrink(image: Image, scale: float) -> Image:
    """The image at ``scale`` (0-1] of its size."""
    if scale == 1.0:
        return image
    height, width = image.shape[:2]
    return refinement.resized(
        image, width=round(width * scale), height=round(height * scale)
    )
