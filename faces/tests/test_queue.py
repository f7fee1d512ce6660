"""Who comes when too many photos wait is told so, and nobody else is disturbed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from faces.engine import packs, queue
from faces.engine.errors import EngineBusy
from faces.engine.packs import LoadedPack
from faces.engine.pipeline import FaceEngine
from faces.engine.queue import Queue
from faces.engine.types import Detection, Image
from faces.tests.real_engine import astronaut, real_engine

PHOTO = np.zeros((64, 64, 3), np.uint8)


class Held:
    """A detector that finds nobody, and takes its time until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.inside = threading.Semaphore(0)

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        self.inside.release()
        assert self.go.wait(timeout=30)
        return [[] for _ in images]


def engine_with(detector: Held, places: Queue) -> FaceEngine:
    embedded = real_engine()._loaded
    loaded = LoadedPack(
        packs.find_pack("sface"), detector, embedded.recogniser, embedded.providers
    )
    return FaceEngine(loaded, queue=places)


@contextmanager
def occupied(detector: Held, engine: FaceEngine, photos: int) -> Iterator[None]:
    """So many photos are being looked at."""
    with ThreadPoolExecutor(photos) as pool:
        running = [pool.submit(engine.detect, PHOTO) for _ in range(photos)]
        for _ in running:
            assert detector.inside.acquire(timeout=30)
        try:
            yield
        finally:
            detector.go.set()
        for photo in running:
            assert photo.result() == []


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.mark.parametrize(
    "ask", [FaceEngine.detect, FaceEngine.analyse], ids=["detect", "analyse"]
)
def test_a_photo_too_many_is_refused_at_once(
    held: Held, ask: Callable[[FaceEngine, Image], object]
) -> None:
    engine = engine_with(held, Queue(1))

    with occupied(held, engine, queue.CORES + 1), pytest.raises(EngineBusy) as caught:
        ask(engine, PHOTO)

    assert (caught.value.status, caught.value.extra["retry_after"]) == (503, 1)


def test_a_place_is_free_again_after_a_photo(held: Held) -> None:
    engine = engine_with(held, Queue(0))

    with occupied(held, engine, queue.CORES):
        pass

    assert engine.detect(PHOTO) == []


def test_a_photo_that_fails_gives_its_place_back() -> None:
    places = Queue(0)

    for _ in range(queue.CORES + 1):
        with pytest.raises(ZeroDivisionError), places.place():
            raise ZeroDivisionError


def test_a_photo_whose_faces_were_found_is_not_refused() -> None:
    places = Queue(0)
    engine = FaceEngine(real_engine()._loaded, queue=places)
    found = engine.detect(astronaut())
    taken = [places.place() for _ in range(queue.CORES)]
    for place in taken:
        place.__enter__()

    with ThreadPoolExecutor(1) as pool:
        described = pool.submit(engine.describe, astronaut(), found)
        with pytest.raises(EngineBusy):
            engine.detect(PHOTO)
        taken[0].__exit__(None, None, None)

        assert len(described.result(timeout=30)) == 1
    for place in taken[1:]:
        place.__exit__(None, None, None)
