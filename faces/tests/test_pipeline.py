"""From a photo to embeddings: the right faces, in order, the same in every thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from faces.engine import packs, refinement
from faces.engine.pipeline import FaceEngine
from faces.engine.types import Detection, Image
from faces.matching import Gallery, match
from faces.tests.real_engine import (
    astronaut,
    close_ups,
    group_photo,
    read,
    real_engine,
)


def scaled(image: Image, factor: float) -> Image:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
    return np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.uint8)


def with_stranger() -> Image:
    """The group photo with the astronaut beside it."""
    group, other = group_photo(), astronaut()
    canvas = np.full(
        (group.shape[0], group.shape[1] + other.shape[1], 3), 127, np.uint8
    )
    canvas[:, : group.shape[1]] = group
    canvas[: other.shape[0], group.shape[1] :] = other
    return canvas


def gallery() -> Gallery:
    """The six people, from their close-ups, numbered from left to right."""
    faces = [real_engine().analyse(read(photo))[0] for photo in close_ups()]
    return Gallery.build(list(enumerate((face.embedding for face in faces), start=1)))


def test_it_finds_all_six_people() -> None:
    assert len(real_engine().analyse(group_photo())) == 6


def test_the_largest_face_comes_first() -> None:
    areas = [face.area for face in real_engine().analyse(with_stranger())]

    assert areas == sorted(areas, reverse=True)


def test_embeddings_have_the_promised_form() -> None:
    engine = real_engine()

    for face in engine.analyse(group_photo()):
        assert face.embedding.shape == (engine.dimension,)
        assert face.embedding.dtype == np.float32
        assert face.embedding.flags.c_contiguous
        assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)


def test_all_six_are_recognised_and_the_stranger_is_not() -> None:
    engine = real_engine()
    faces = engine.analyse(with_stranger())

    found = match(
        np.stack([face.embedding for face in faces]),
        gallery(),
        threshold=engine.threshold,
        margin=engine.margin,
    )

    from_left = sorted(zip(faces, found, strict=True), key=lambda pair: pair[0].box[0])
    assert [one.student_id for _, one in from_left] == [1, 2, 3, 4, 5, 6, None]
    assert from_left[-1][1].outcome == "unknown"
    x, y, width, height = from_left[-1][0].box
    assert x > group_photo().shape[1]
    assert 40 < width < 200 and 40 < height < 200 and y > 0


@pytest.mark.parametrize("factor", [0.4, 0.6, 1.0, 2.0])
def test_a_face_matches_its_close_up_whatever_its_size(factor: float) -> None:
    engine = real_engine()
    faces = engine.analyse(scaled(group_photo(), factor))

    found = match(
        np.stack([face.embedding for face in faces]),
        gallery(),
        threshold=0.6,
        margin=engine.margin,
    )

    assert sorted(one.student_id or 0 for one in found) == [1, 2, 3, 4, 5, 6]


def test_a_larger_detection_size_finds_people_at_the_back() -> None:
    room = np.full((2400, 3200, 3), 90, np.uint8)
    small = scaled(group_photo(), 0.4)
    room[1000 : 1000 + small.shape[0], 1500 : 1500 + small.shape[1]] = small
    engine = real_engine()

    near, far = (
        len(engine.analyse(room, detection_size=size, embed=False))
        for size in (640, 1920)
    )

    assert near < far == 6


def test_boxes_are_in_pixels_of_the_photo() -> None:
    image = np.full((1500, 2000, 3), 127, np.uint8)
    image[700 : 700 + 512, 1200 : 1200 + 512] = astronaut()
    small = real_engine().analyse(astronaut(), embed=False)[0].box

    large = real_engine().analyse(image, embed=False)[0].box

    expected = (small[0] + 1200, small[1] + 700, small[2], small[3])
    np.testing.assert_allclose(large, expected, atol=8)


def test_only_the_wanted_number_of_faces_is_described() -> None:
    engine = real_engine()

    one, everybody = (
        engine.analyse(group_photo(), max_faces=1),
        engine.analyse(group_photo()),
    )

    assert len(one) == 1
    first = engine.detect(group_photo())[0]
    assert refinement.overlap(first, Detection(one[0].box, first.landmarks, 1)) > 0.5
    assert len(everybody) == 6


def test_without_embedding_the_vector_is_empty() -> None:
    faces = real_engine().analyse(group_photo(), embed=False)

    assert [face.embedding.size for face in faces] == [0] * 6


def test_describing_what_was_detected_is_analysing() -> None:
    engine, image = real_engine(), group_photo()

    described = engine.describe(image, engine.detect(image))

    boxes = {face.box for face in described}
    assert boxes == {face.box for face in engine.analyse(image)}


def test_a_photo_of_nobody_has_no_faces() -> None:
    assert real_engine().analyse(np.full((480, 640, 3), 127, np.uint8)) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((100, 100), np.uint8),
        np.zeros((100, 100, 4), np.uint8),
        np.zeros((100, 100, 3), np.float32),
    ],
)
def test_another_kind_of_array_is_refused(image: Image) -> None:
    with pytest.raises(ValueError, match="uint8"):
        real_engine().analyse(image)


def test_the_photo_is_left_as_it_was() -> None:
    image = group_photo().copy()

    real_engine().analyse(image)

    assert np.array_equal(image, group_photo())


def test_two_threads_find_bit_for_bit_what_one_finds() -> None:
    loaded = packs.load_pack(packs.EMBEDDED, device="cpu", threads=2)

    found = FaceEngine(loaded).analyse(group_photo())

    expected = real_engine().analyse(group_photo())
    assert len(found) == len(expected) == 6
    for one, other in zip(found, expected, strict=True):
        assert one.box == other.box
        assert one.quality == other.quality
        np.testing.assert_array_equal(one.embedding, other.embedding)


def test_threads_get_bit_identical_embeddings() -> None:
    engine = real_engine()
    photos = [read(photo) for photo in close_ups()] + [group_photo(), astronaut()]
    alone = [engine.analyse(photo) for photo in photos]
    jobs = [index % len(photos) for index in range(64)]

    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda index: engine.analyse(photos[index]), jobs))

    for index, faces in zip(jobs, together, strict=True):
        assert len(faces) == len(alone[index])
        for face, expected in zip(faces, alone[index], strict=True):
            assert np.array_equal(face.embedding, expected.embedding)
            assert face.box == expected.box


def test_a_face_that_no_second_look_finds_stays_as_it_was() -> None:
    blank = np.full((300, 300, 3), 127, np.uint8)
    first = Detection((50, 50, 60, 70), np.ones((5, 2), np.float32), 0.7)

    assert refinement.refine(real_engine()._detector, blank, [first]) == [first]


def test_a_window_reaches_beyond_the_photo_in_black() -> None:
    image = np.full((200, 200, 3), 255, np.uint8)
    corner = Detection((-10, -10, 60, 60), np.ones((5, 2), np.float32), 0.9)

    window = refinement.frame(image, corner, 2.0)

    assert window.pixels.shape == (refinement.CROP, refinement.CROP, 3)
    assert window.pixels[0, 0].tolist() == [0, 0, 0]
    assert window.pixels[-1, -1].tolist() == [255, 255, 255]


def test_the_warm_up_is_measured() -> None:
    engine = real_engine()

    milliseconds = engine.warm_up()

    assert milliseconds > 0
    assert engine.warm_up_ms == milliseconds


def test_the_engine_says_what_it_is() -> None:
    engine = real_engine()

    assert (engine.name, engine.provider) == ("sface", "CPUExecutionProvider")
    assert engine.model_id == engine.pack.model_id
    assert engine.licence
