"""Five points are laid on the template by turning, scaling and shifting alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.transform import SimilarityTransform

from faces.engine import alignment
from faces.tests.real_engine import astronaut, real_engine


def test_the_template_itself_stays_where_it_is() -> None:
    matrix = alignment.similarity_transform(alignment.TEMPLATE)

    np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-5)


@pytest.mark.parametrize("angle", [-170, -30, 0, 45, 90])
def test_a_turned_scaled_and_shifted_template_is_brought_back(angle: float) -> None:
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = (3.5 * alignment.TEMPLATE @ rotation.T + [120, -40]).astype(np.float32)

    matrix = alignment.similarity_transform(points)

    back = points @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(back, alignment.TEMPLATE, atol=1e-3)


def test_it_is_the_least_squares_answer_of_scikit_image() -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        noise = random.normal(0, 4, (5, 2))
        points = (2.0 * alignment.TEMPLATE + 30 + noise).astype(np.float32)
        expected = SimilarityTransform.from_estimate(points, alignment.TEMPLATE)
        matrix = alignment.similarity_transform(points)
        np.testing.assert_allclose(matrix, expected.params[:2], atol=1e-4)


def test_it_refuses_points_that_coincide() -> None:
    with pytest.raises(ValueError, match="five different"):
        alignment.similarity_transform(np.full((5, 2), 7, np.float32))


def test_it_refuses_points_that_are_not_finite() -> None:
    points = alignment.TEMPLATE.copy()
    points[2, 0] = np.nan

    with pytest.raises(ValueError, match="finite"):
        alignment.similarity_transform(points)


def test_an_aligned_face_has_its_points_on_the_template() -> None:
    engine, image = real_engine(), astronaut()
    landmarks = engine.analyse(image, embed=False)[0].landmarks

    crop = alignment.align(image, landmarks)
    large = np.asarray(cv2.resize(crop, (448, 448)), dtype=np.uint8)

    found = engine.analyse(large, embed=False)[0].landmarks / 4
    assert np.abs(found - alignment.TEMPLATE).max() < 8


def test_a_large_face_is_smoothed_before_it_is_shrunk() -> None:
    pixels = np.zeros((2000, 2000, 3), np.uint8)
    pixels[::2] = 255  # lines that a plain warp would catch or miss by chance
    points = (12 * alignment.TEMPLATE + 200).astype(np.float32)

    crop = alignment.align(pixels, points)

    assert abs(float(crop[4:-4, 4:-4].mean()) - 127.5) < 2
    assert float(crop[4:-4, 4:-4].std()) < 6


def test_a_large_face_lands_where_a_small_one_does() -> None:
    image = astronaut()
    landmarks = real_engine().analyse(image, embed=False)[0].landmarks
    large = np.asarray(
        cv2.resize(image, None, fx=5, fy=5, interpolation=cv2.INTER_LINEAR),
        dtype=np.uint8,
    )
    # OpenCV enlarges about pixel centres: x' = 5·(x + 1/2) - 1/2.
    in_large = (5 * (landmarks + 0.5) - 0.5).astype(np.float32)

    difference = np.abs(
        alignment.align(image, landmarks).astype(int)
        - alignment.align(large, in_large).astype(int)
    )

    assert float(difference.mean()) < 2.5


def test_a_face_at_the_edge_is_black_outside() -> None:
    image = np.full((200, 200, 3), 200, np.uint8)
    points = (alignment.TEMPLATE - [60, 0]).astype(np.float32)

    crop = alignment.align(image, points)

    assert crop.shape == (112, 112, 3)
    assert crop[:, :40].max() == 0
