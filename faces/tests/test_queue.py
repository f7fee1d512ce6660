"""Who comes when too many photos wait is told so, and nobody else is disturbed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from accounts.models import User
from classroom.models import Classroom
from conftest import ApiFactory
from faces import runtime
from faces.engine import packs
from faces.engine.errors import EngineBusy
from faces.engine.packs import LoadedPack
from faces.engine.pipeline import FaceEngine
from faces.engine.queue import Queue
from faces.engine.types import Detection, Image
from faces.tests import photos
from faces.tests.photos import upload
from faces.tests.real_engine import astronaut, real_engine

PHOTO = np.zeros((64, 64, 3), np.uint8)
IN_HAND = 2


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
    """So many photos are worked on or wait; they are let go at the end."""
    in_hand = min(photos, IN_HAND)
    with ThreadPoolExecutor(photos) as pool:
        running = [pool.submit(engine.detect, PHOTO) for _ in range(in_hand)]
        for _ in running:
            assert detector.inside.acquire(timeout=30)
        running += [pool.submit(engine.detect, PHOTO) for _ in range(photos - in_hand)]
        try:
            wait_for(lambda: engine.waiting == photos - in_hand)
            yield
        finally:
            detector.go.set()
        for photo in running:
            assert photo.result() == []


def wait_for(condition: Callable[[], bool]) -> None:
    """Give other threads the processor until something is so."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.mark.parametrize(
    "ask", [FaceEngine.detect, FaceEngine.analyse], ids=["detect", "analyse"]
)
def test_a_photo_too_many_is_refused_at_once(
    held: Held, ask: Callable[[FaceEngine, Image], object]
) -> None:
    engine = engine_with(held, Queue(1, in_hand=IN_HAND))

    with occupied(held, engine, IN_HAND + 1), pytest.raises(EngineBusy) as caught:
        ask(engine, PHOTO)

    assert (caught.value.status, caught.value.extra["retry_after"]) == (503, 1)


def test_a_rush_that_is_soon_over_refuses_nobody(held: Held) -> None:
    engine = engine_with(held, Queue(0, in_hand=IN_HAND, patience=30))
    with ThreadPoolExecutor(1) as pool:
        with occupied(held, engine, IN_HAND):
            late = pool.submit(engine.detect, PHOTO)
            assert not late.done()
        assert late.result() == []


def test_photos_that_wait_are_counted_and_not_worked_on(held: Held) -> None:
    engine = engine_with(held, Queue(2, in_hand=IN_HAND))

    with occupied(held, engine, IN_HAND + 2):
        assert engine.waiting == 2
        assert not held.inside.acquire(blocking=False)

    assert engine.waiting == 0


def test_a_place_is_free_again_after_a_photo(held: Held) -> None:
    engine = engine_with(held, Queue(0, in_hand=IN_HAND))

    with occupied(held, engine, IN_HAND):
        pass

    assert engine.detect(PHOTO) == []


def test_a_photo_that_fails_gives_its_place_back() -> None:
    places = Queue(0, in_hand=1)

    for _ in range(2):
        with pytest.raises(ZeroDivisionError), places.turn():
            raise ZeroDivisionError


def test_who_has_a_turn_asks_the_engine_as_often_as_needed() -> None:
    engine = FaceEngine(real_engine()._loaded, queue=Queue(0, in_hand=1))

    with engine.turn():
        found = engine.detect(astronaut())
        assert len(engine.describe(astronaut(), found)) == 1
        with ThreadPoolExecutor(1) as pool, pytest.raises(EngineBusy):
            pool.submit(engine.detect, PHOTO).result()


def test_a_photo_whose_faces_were_found_is_not_refused() -> None:
    engine = FaceEngine(real_engine()._loaded, queue=Queue(0, in_hand=1))
    found = engine.detect(astronaut())

    with ThreadPoolExecutor(1) as pool:
        with engine.turn():
            described = pool.submit(engine.describe, astronaut(), found)
            wait_for(lambda: engine.waiting == 1)
            assert not described.done()

        assert len(described.result(timeout=30)) == 1


def test_a_client_hears_when_to_come_again(
    api: ApiFactory, alice: User, maths: Classroom
) -> None:
    engine = FaceEngine(real_engine()._loaded, queue=Queue(0, in_hand=1))
    body = {"class_id": maths.pk, "file": upload(photos.astronaut())}

    with runtime.use_engine(engine), held_elsewhere(engine):
        answer = api(alice).post("/face/verify", body, format="multipart")

    assert (answer.status_code, answer.json()["code"]) == (503, "engine_busy")
    assert answer.headers["Retry-After"] == "1"


@contextmanager
def held_elsewhere(engine: FaceEngine) -> Iterator[None]:
    """Another thread has the engine's turn."""
    has_it, go = threading.Event(), threading.Event()

    def hold() -> None:
        with engine.turn():
            has_it.set()
            assert go.wait(timeout=30)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert has_it.wait(timeout=30)
        try:
            yield
        finally:
            go.set()
        holding.result()
