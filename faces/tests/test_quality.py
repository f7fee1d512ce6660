"""Figures mean what they say, and a refusal tells a person what to do."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from faces.engine import alignment, quality
from faces.engine.types import Detection, Face, FloatArray, Image, Quality
from faces.tests.real_engine import (
    astronaut,
    close_ups,
    group_photo,
    read,
    real_engine,
)

SHAPE = (480, 640, 3)
GOOD = Quality(
    eye_distance=60,
    sharpness=200,
    brightness=130,
    contrast=40,
    yaw=0,
    pitch=5,
    roll=0,
    cut_off=0,
    detection_score=0.92,
)


def face(box: tuple[float, float, float, float] = (200, 100, 150, 190)) -> Face:
    return Face(
        box=box,
        landmarks=alignment.TEMPLATE,
        score=GOOD.detection_score,
        quality=GOOD,
        embedding=np.zeros(0, np.float32),
    )


def codes(faulty: Face, level: str = "standard") -> list[str]:
    return [fault.code for fault in quality.check(faulty, SHAPE, level)]


def with_figures(**figures: float) -> Face:
    return replace(face(), quality=replace(GOOD, **figures))


def projected(*, yaw: float = 0, pitch: float = 0, roll: float = 0) -> FloatArray:
    """The engine's own head, turned by known angles and seen from far away."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array(
        [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    )
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]]
    )
    about_z = np.array(
        [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    )
    turned = quality._HEAD @ (about_z @ about_y @ about_x).T
    return np.asarray(2.5 * turned[:, :2] + [300, 200], dtype=np.float32)


@pytest.mark.parametrize("angle", [-40, -15, 0, 15, 40])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_turned_head_is_measured(axis: int, angle: float) -> None:
    name = ("yaw", "pitch", "roll")[axis]

    found = quality.pose(projected(**{name: angle}))

    expected = [0.0, 0.0, 0.0]
    expected[axis] = angle
    np.testing.assert_allclose(found, expected, atol=0.5)


def test_a_mirrored_face_looks_the_other_way() -> None:
    image = read(close_ups()[4])  # he looks to the left of the picture
    mirrored = np.ascontiguousarray(image[:, ::-1])

    yaw, other = (
        real_engine().analyse(one, embed=False)[0].quality.yaw
        for one in (image, mirrored)
    )

    assert yaw < -30
    assert abs(yaw + other) < 6


def test_a_tilted_photo_shows_in_the_roll() -> None:
    image = astronaut()
    turn = cv2.getRotationMatrix2D((256, 256), -20, 1.0)  # clockwise
    tilted = np.asarray(cv2.warpAffine(image, turn, (512, 512)), dtype=np.uint8)

    before, after = (
        real_engine().analyse(one, embed=False)[0].quality.roll
        for one in (image, tilted)
    )

    # The detector's points follow a tilt only in part: the direction is what counts.
    assert after > before + 5


def figures_of(image: Image) -> Quality:
    return real_engine().analyse(image, embed=False)[0].quality


def test_blur_lowers_the_sharpness() -> None:
    image = astronaut()
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), 4), dtype=np.uint8)

    assert figures_of(blurred).sharpness < figures_of(image).sharpness / 10


def test_light_shows_in_brightness_and_contrast() -> None:
    image = astronaut()
    dark = (image // 4).astype(np.uint8)

    before, after = figures_of(image), figures_of(dark)

    assert after.brightness == pytest.approx(before.brightness / 4, rel=0.1)
    assert after.contrast == pytest.approx(before.contrast / 4, rel=0.1)


def test_the_eye_distance_is_in_pixels_of_the_photo() -> None:
    image = astronaut()
    half = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5), dtype=np.uint8)

    ratio = figures_of(image).eye_distance / figures_of(half).eye_distance

    assert ratio == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize(
    ("box", "share"),
    [
        ((10, 10, 100, 100), 0.0),
        ((-50, 10, 100, 100), 0.5),
        ((590, 430, 100, 100), 0.75),
        ((700, 10, 100, 100), 1.0),
        ((10, 10, 0, 100), 1.0),
    ],
)
def test_the_share_outside_the_photo(
    box: tuple[float, float, float, float], share: float
) -> None:
    assert quality.share_outside(box, SHAPE) == pytest.approx(share)


def test_all_six_close_ups_pass_the_standard_review() -> None:
    for photo in close_ups():
        image = read(photo)
        faces = real_engine().analyse(image, embed=False)
        assert len(faces) == 1
        assert quality.check(faces[0], image.shape, "standard") == []


def test_all_six_of_the_group_photo_pass_the_standard_review() -> None:
    faces = real_engine().analyse(group_photo(), embed=False)

    faults = [quality.check(one, group_photo().shape) for one in faces]

    assert faults == [[]] * 6


def test_a_good_face_passes_even_the_strict_review() -> None:
    assert codes(face(), "strict") == []


@pytest.mark.parametrize(
    ("figures", "code"),
    [
        ({"eye_distance": 18.2}, "face_too_small"),
        ({"detection_score": 0.61}, "low_detection_score"),
        ({"sharpness": 8}, "blurry"),
        ({"brightness": 20}, "too_dark"),
        ({"brightness": 90, "contrast": 3}, "too_dark"),
        ({"brightness": 240}, "too_bright"),
        ({"brightness": 200, "contrast": 3}, "too_bright"),
        ({"yaw": -75}, "extreme_pose"),
        ({"pitch": 60}, "extreme_pose"),
        ({"roll": 50}, "extreme_pose"),
    ],
)
def test_each_fault_has_its_code(figures: dict[str, float], code: str) -> None:
    assert codes(with_figures(**figures)) == [code]


def test_a_face_at_the_edge_is_cut_off() -> None:
    assert codes(face((-40, 100, 150, 190))) == ["face_cut_off"]


def test_several_faults_are_all_named() -> None:
    faulty = with_figures(eye_distance=10, sharpness=5)

    assert codes(faulty) == ["face_too_small", "blurry"]


@pytest.mark.parametrize("level", ["standard", "strict"])
def test_a_limit_itself_is_good_enough(level: str) -> None:
    limits = quality.LIMITS[level]
    exact = with_figures(
        eye_distance=limits.eye_distance,
        detection_score=limits.detection_score,
        sharpness=limits.sharpness,
        brightness=limits.darkest,
        contrast=limits.contrast,
        yaw=-limits.yaw,
        pitch=limits.pitch,
        roll=limits.roll,
    )

    assert codes(exact, level) == []


def test_strict_refuses_what_standard_accepts() -> None:
    tilted = with_figures(yaw=45)

    assert (codes(tilted), codes(tilted, "strict")) == ([], ["extreme_pose"])


def test_off_accepts_everything() -> None:
    assert codes(with_figures(sharpness=0, brightness=0), "off") == []


def test_an_unknown_level_is_an_error() -> None:
    with pytest.raises(ValueError, match="standard"):
        codes(face(), "lenient")


def test_the_advice_holds_the_figures() -> None:
    fault = quality.check(with_figures(eye_distance=18.2), SHAPE)[0]

    assert fault.detail == "Come closer: the eyes are 18 px apart, 24 are needed."
    assert fault.extra == {"measured": 18.2, "limit": 24.0}


def test_a_face_half_outside_measures_its_cut() -> None:
    box = (-75.0, 100.0, 150.0, 190.0)
    detection = Detection(box, alignment.TEMPLATE.copy(), 0.9)
    crop = np.full((112, 112, 3), 90, np.uint8)

    assert quality.measure(detection, crop, SHAPE).cut_off == pytest.approx(0.5)
