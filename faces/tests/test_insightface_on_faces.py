"""A real pack of InsightFace's kind on real people, where both lie beside the project.

Neither belongs to this project; `test_insightface_packs.py` does without them.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from insightface.model_zoo.scrfd import SCRFD

from faces.engine import heads, packs, scrfd, sessions
from faces.engine.pipeline import FaceEngine
from faces.engine.types import FloatArray
from faces.tests import beside
from faces.tests.beside import LFW, PACK
from faces.tests.real_engine import astronaut, close_ups, group_photo, read

ENROLLED = 3  # photos of each person

pytestmark = pytest.mark.skipif(
    not (PACK.is_dir() and LFW.is_dir()),
    reason=f"there is no pack and no photos in {beside.FOLDER}",
)


@dataclass(frozen=True)
class Shown:
    """One photo: whose it is, and the embedding of its largest face, empty for none."""

    person: str
    embedding: FloatArray


@pytest.fixture(scope="module")
def engine() -> FaceEngine:
    return FaceEngine(packs.load_pack(str(PACK), device="cpu", threads=1))


@pytest.fixture(scope="module")
def shown(engine: FaceEngine) -> list[Shown]:
    """All hundred photos, in order."""
    answers = []
    for path in sorted(LFW.glob("*/*.jpg")):
        faces = engine.analyse(read(path.read_bytes()), max_faces=1)
        embedding = faces[0].embedding if faces else np.empty(0, np.float32)
        answers.append(Shown(path.parent.name, embedding))
    return answers


def test_every_face_is_found(shown: list[Shown]) -> None:
    assert len(shown) == 100
    assert [photo.person for photo in shown if not photo.embedding.size] == []


def test_every_photo_is_closest_to_its_own_person(shown: list[Shown]) -> None:
    seen: Counter[str] = Counter()
    enrolled: list[Shown] = []
    probes: list[Shown] = []
    for photo in shown:
        seen[photo.person] += 1
        (enrolled if seen[photo.person] <= ENROLLED else probes).append(photo)
    templates = np.stack([photo.embedding for photo in enrolled])

    wrong = []
    for probe in probes:
        best = int((templates @ probe.embedding).argmax())
        if enrolled[best].person != probe.person:
            wrong.append((probe.person, enrolled[best].person))

    assert len(probes) == 70
    assert wrong == []


def test_at_the_careful_threshold_nobody_is_somebody_else(
    engine: FaceEngine, shown: list[Shown]
) -> None:
    people = np.array([photo.person for photo in shown])
    embeddings = np.stack([photo.embedding for photo in shown])
    scores = embeddings @ embeddings.T
    strangers = scores[people[:, None] != people[None]]

    assert strangers.max() < engine.threshold


def test_it_finds_the_six_and_knows_their_close_ups(engine: FaceEngine) -> None:
    group = sorted(engine.analyse(group_photo()), key=lambda face: face.box[0])
    ups = [engine.analyse(read(photo), max_faces=1)[0] for photo in close_ups()]

    scores = np.array([[a.embedding @ b.embedding for b in ups] for a in group])

    assert scores.shape == (6, 6)
    assert (scores.argmax(axis=1) == np.arange(6)).all()
    assert np.diag(scores).min() > 0.9


def test_the_rewritten_detector_finds_what_the_original_finds(
    engine: FaceEngine,
) -> None:
    detector = engine._detector
    assert isinstance(detector, scrfd.Scrfd)
    assert isinstance(detector._model.session._session, heads.SparseSession)
    session = sessions.create_session(engine.pack.detector.path, device="cpu")
    original = SCRFD(session=session, static_shape_sessions=False)

    for photo in (group_photo(), astronaut()):
        whole = np.pad(photo, [(0, -side % 32) for side in photo.shape[:2]] + [(0, 0)])
        boxes, points = original.detect(whole, input_size=whole.shape[1::-1])
        found = detector.look(photo)

        assert len(found) == len(boxes) > 0
        for one, box, five in zip(found, boxes, points, strict=True):
            x, y, width, height = one.box
            corners = (x, y, x + width, y + height)
            np.testing.assert_allclose(corners, box[:4], atol=1e-2)
            np.testing.assert_allclose(one.landmarks, five, atol=1e-2)
            assert one.score == pytest.approx(box[4], abs=1e-5)


@pytest.mark.parametrize("margin", [0.1, 0.3])
@pytest.mark.parametrize("size", [200, 640, 1280])
def test_a_face_that_fills_the_photo_is_found(
    engine: FaceEngine, margin: float, size: int
) -> None:
    (face,) = engine.analyse(astronaut(), max_faces=1)
    x, y, width, height = (round(value) for value in face.box)
    dx, dy = round(width * margin), round(height * margin)
    close = astronaut()[y - dy : y + height + dy, x - dx : x + width + dx]
    scale = size / max(close.shape[:2])
    close = np.asarray(cv2.resize(close, None, fx=scale, fy=scale), dtype=np.uint8)

    again = engine.analyse(close, max_faces=1, detection_size=size)

    assert len(again) == 1
    assert float(again[0].embedding @ face.embedding) > engine.threshold


def test_threads_get_bit_identical_embeddings(engine: FaceEngine) -> None:
    photos = [read(photo) for photo in close_ups()] + [group_photo(), astronaut()]
    alone = [engine.analyse(photo) for photo in photos]
    jobs = [index % len(photos) for index in range(24)]

    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda index: engine.analyse(photos[index]), jobs))

    for index, faces in zip(jobs, together, strict=True):
        assert len(faces) == len(alone[index])
        for face, expected in zip(faces, alone[index], strict=True):
            assert np.array_equal(face.embedding, expected.embedding)
