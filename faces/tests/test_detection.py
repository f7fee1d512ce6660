"""YuNet on ONNX Runtime finds what OpenCV's own detector finds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faces.engine import packs
from faces.engine.detection import NMS_THRESHOLD, SCORE_THRESHOLD, suppress
from faces.engine.types import Detection, Image
from faces.tests.real_engine import astronaut, group_photo, real_engine


def with_opencv(image: Image) -> NDArray[np.float32]:
    """Rows of x, y, w, h, ten coordinates and the score."""
    path = packs.find_pack(packs.EMBEDDED).detector.path
    height, width = image.shape[:2]
    detector = cv2.FaceDetectorYN.create(
        str(path), "", (width, height), SCORE_THRESHOLD, NMS_THRESHOLD, 5000
    )
    rows = detector.detect(image)[1]
    return np.empty((0, 15), np.float32) if rows is None else np.asarray(rows)


def as_rows(detections: list[Detection]) -> NDArray[np.float32]:
    rows = [[*one.box, *one.landmarks.ravel(), one.score] for one in detections]
    return np.array(rows, np.float32).reshape(-1, 15)


def ordered(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]


def scaled(image: Image, factor: float) -> Image:
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor), dtype=np.uint8)


@pytest.mark.parametrize("factor", [1.0, 0.5, 0.37, 0.25, 1.5])
def test_it_equals_opencv_on_the_group_photo(factor: float) -> None:
    image = scaled(group_photo(), factor)
    expected = ordered(with_opencv(image))

    found = ordered(as_rows(real_engine()._detector.detect([image])[0]))

    assert len(expected) >= 5
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_it_equals_opencv_on_the_astronaut() -> None:
    expected = ordered(with_opencv(astronaut()))

    found = ordered(as_rows(real_engine()._detector.detect([astronaut()])[0]))

    assert len(expected) == 1
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_several_images_at_once_give_what_each_gives_alone() -> None:
    detector = real_engine()._detector
    left, right = group_photo()[:512, :512], astronaut()

    together = detector.detect([left, right, left])

    alone = [detector.detect([image])[0] for image in (left, right, left)]
    assert [len(found) for found in together] == [len(found) for found in alone]
    for found, expected in zip(together, alone, strict=True):
        np.testing.assert_allclose(as_rows(found), as_rows(expected), atol=1e-3)


@pytest.mark.parametrize("shape", [(100, 100), (33, 641), (480, 640)])
def test_a_picture_of_nobody_holds_no_face(shape: tuple[int, int]) -> None:
    blank = np.full((*shape, 3), 127, np.uint8)

    assert real_engine().detect(blank) == []


def test_a_box_that_a_better_one_covers_is_dropped() -> None:
    boxes = np.array([[0, 0, 50, 50], [4, 4, 50, 50], [90, 0, 40, 40]], np.float32)
    scores = np.array([0.7, 0.9, 0.8], np.float32)

    assert suppress(boxes, scores, score_threshold=0.6) == [1, 2]


def test_boxes_that_hardly_touch_are_both_kept() -> None:
    boxes = np.array([[0, 0, 50, 50], [40, 40, 50, 50]], np.float32)
    scores = np.array([0.9, 0.8], np.float32)

    assert suppress(boxes, scores, score_threshold=0.6) == [0, 1]
