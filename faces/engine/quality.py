"""Is this face good enough to enrol? Figures, limits, and words that help.

Figures are measured on the aligned 112 x 112 face, so that they mean the same for
every size of photo; only the eye distance and the cut are the photo's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from faces.engine import alignment, errors
from faces.engine.types import Box, Detection, Face, FloatArray, Image, Quality

# Depth of the five points in template units (35.2 units are the 63 mm between pupils):
# the nose tip stands 32 mm before eyes and mouth. Set where the head explains the
# points of 106 real faces with the smallest residual (eyes and mouth held in one
# plane). Noses differ: yaw and pitch are good to about 10 degrees. YuNet learnt on
# upright faces and shows about a third of a head's tilt, so the roll is a lower bound.
_DEPTH: Final = np.array([[0.0], [0.0], [18.0], [0.0], [0.0]])
_HEAD: Final = np.hstack([alignment.TEMPLATE.astype(np.float64), _DEPTH])
_FIT: Final = np.linalg.pinv(_HEAD - _HEAD.mean(axis=0))

# Brow to chin, without hair and background: rows and columns of the aligned face.
_INNER: Final = (slice(28, 104), slice(24, 88))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a face must reach; see LIMITS for where the numbers come from."""

    eye_distance: float
    detection_score: float
    sharpness: float
    darkest: float
    brightest: float
    contrast: float
    yaw: float
    pitch: float
    roll: float
    cut_off: float


# Set on 106 real faces that are all recognised: 100 LFW photos of ten people and the
# six close-ups of insightface's packaged group photo. `standard` accepts all of them,
# with room below the worst (eyes 29 px, sharpness 56, brightness 84-192, contrast 20,
# score 0.89, yaw 48); `strict` refuses one in ten. An eye distance of 24 px is two
# thirds of the aligned face's 35: below, pixels are invented. SCRFD scores lower than
# YuNet (0.73 at least, 0.69 for close-ups that fill the photo), which sets the limit of
# the score. Pitch and roll follow the 45 degrees of InsightFace Server.
LIMITS: Final[dict[str, Limits]] = {
    "standard": Limits(
        eye_distance=24,
        detection_score=0.65,
        sharpness=40,
        darkest=40,
        brightest=225,
        contrast=14,
        yaw=60,
        pitch=45,
        roll=45,
        cut_off=0.1,
    ),
    "strict": Limits(
        eye_distance=36,
        detection_score=0.75,
        sharpness=80,
        darkest=60,
        brightest=205,
        contrast=20,
        yaw=35,
        pitch=30,
        roll=30,
        cut_off=0.02,
    ),
}


def measure(detection: Detection, crop: Image, image_shape: Sequence[int]) -> Quality:
    """Figures of a face: ``crop`` is its aligned face, uint8 BGR (112, 112, 3)."""
    grey = cv2.cvtColor(crop[_INNER], cv2.COLOR_BGR2GRAY)
    mean, deviation = cv2.meanStdDev(grey)
    _, edges = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_32F))
    yaw, pitch, roll = pose(detection.landmarks)
    eyes = detection.landmarks[1] - detection.landmarks[0]
    return Quality(
        eye_distance=float(np.hypot(*eyes)),
        sharpness=float(edges[0, 0]) ** 2,
        brightness=float(mean[0, 0]),
        contrast=float(deviation[0, 0]),
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        cut_off=share_outside(detection.box, image_shape),
        detection_score=detection.score,
    )


def pose(landmarks: FloatArray) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees from five points (5, 2).

    A generic head is fitted under scaled orthographic projection; signs are those of
    ``Quality``. The head's depth axis gives yaw and pitch, its width axis roll.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    projection = (_FIT @ (points - points.mean(axis=0))).T
    # The first two rows of the nearest rotation; of the third one number is needed.
    left, _, right = np.linalg.svd(projection, full_matrices=False)
    (a, b, c), (d, e, f) = (left @ right).tolist()
    depth = a * e - b * d
    yaw = math.atan2(c, depth)
    pitch = math.atan2(f, math.hypot(c, depth))
    roll = math.atan2(d, a)
    return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)


def share_outside(box: Box, image_shape: Sequence[int]) -> float:
    """Share (0-1) of a box (x, y, width, height) that lies outside the photo."""
    x, y, width, height = box
    inside_width = min(x + width, image_shape[1]) - max(x, 0)
    inside_height = min(y + height, image_shape[0]) - max(y, 0)
    area = width * height
    if area <= 0:
        return 1.0
    inside = max(inside_width, 0.0) * max(inside_height, 0.0) / area
    return max(1.0 - inside, 0.0)


def check(
    face: Face, image_shape: Sequence[int], level: str = "standard"
) -> list[errors.FaceError]:
    """What speaks against enrolling ``face``, the most helpful advice first.

    ``level`` is ``off`` (nothing does), ``standard`` or ``strict``; ``image_shape`` is
    the (H, W, …) of the photo. Raises ValueError for another level.
    """
    if level == "off":
        return []
    if level not in LIMITS:
        raise ValueError(f"unknown level {level!r}: off, standard or strict")
    figures, limits = face.quality, LIMITS[level]
    return [
        *_size_faults(figures, limits),
        *_place_faults(figures, limits, share_outside(face.box, image_shape)),
        *_light_faults(figures, limits),
    ]


def _size_faults(figures: Quality, limits: Limits) -> list[errors.FaceError]:
    if figures.eye_distance >= limits.eye_distance:
        return []
    detail = (
        f"Come closer: the eyes are {figures.eye_distance:.0f} px apart, "
        f"{limits.eye_distance:.0f} are needed."
    )
    return [errors.FaceTooSmall(detail, **_figures(figures, limits, "eye_distance"))]


def _place_faults(
    figures: Quality, limits: Limits, outside: float
) -> list[errors.FaceError]:
    faults: list[errors.FaceError] = []
    if outside > limits.cut_off:
        faults.append(
            errors.FaceCutOff(
                f"Move to the middle: {outside:.0%} of the face is outside the photo.",
                measured=round(outside, 3),
                limit=limits.cut_off,
            )
        )
    for name, words in _POSE_WORDS.items():
        angle, limit = getattr(figures, name), getattr(limits, name)
        if abs(angle) > limit:
            detail = f"{words} by {abs(angle):.0f}°, at most {limit:.0f}° are fine."
            faults.append(
                errors.ExtremePose(detail, axis=name, **_figures(figures, limits, name))
            )
    return faults


def _light_faults(figures: Quality, limits: Limits) -> list[errors.FaceError]:
    faults: list[errors.FaceError] = []
    flat = figures.contrast < limits.contrast
    if figures.brightness < limits.darkest or (flat and figures.brightness < _MIDDLE):
        faults.append(errors.TooDark(**_light(figures, limits)))
    elif figures.brightness > limits.brightest or flat:
        faults.append(errors.TooBright(**_light(figures, limits)))
    if figures.sharpness < limits.sharpness:
        faults.append(errors.Blurry(**_figures(figures, limits, "sharpness")))
    if figures.detection_score < limits.detection_score:
        name = "detection_score"
        faults.append(errors.LowDetectionScore(**_figures(figures, limits, name)))
    return faults


_MIDDLE: Final = 127.5  # a face without contrast is under- or over-exposed

_POSE_WORDS: Final = {
    "yaw": "Look straight into the camera: the head is turned to the side",
    "pitch": "Hold the camera at eye level: the head is raised or lowered",
    "roll": "Hold the head upright: it is tilted",
}


def _figures(figures: Quality, limits: Limits, name: str) -> dict[str, Any]:
    return {
        "measured": round(getattr(figures, name), 3),
        "limit": float(getattr(limits, name)),
    }


def _light(figures: Quality, limits: Limits) -> dict[str, Any]:
    return {
        "brightness": round(figures.brightness, 1),
        "contrast": round(figures.contrast, 1),
        "darkest": limits.darkest,
        "brightest": limits.brightest,
        "least_contrast": limits.contrast,
    }
