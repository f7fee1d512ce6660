"""Scores and unit vectors whose rates can be reckoned by hand."""

from __future__ import annotations

import numpy as np

from faces.evaluation.rates import FloatArray, IntArray, Pairs


def scores(*values: float) -> FloatArray:
    return np.array(sorted(values), np.float32)


def known_pairs() -> Pairs:
    return Pairs(genuine=scores(0.2, 0.5, 0.6, 0.9), impostor=scores(0.1, 0.2, 0.5))


def many_pairs() -> Pairs:
    """Genuine pairs around 0.7, impostors whose tail is exponential from 0 on."""
    random = np.random.default_rng(1)
    return Pairs(
        genuine=scores(*random.normal(0.7, 0.08, 2_000)),
        impostor=scores(*random.exponential(0.04, 20_000)),
    )


def unit(*numbers: float) -> FloatArray:
    vector = np.array(numbers, np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def random_photos(photos: int, people: int) -> tuple[FloatArray, IntArray]:
    random = np.random.default_rng(5)
    vectors = random.standard_normal((photos, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, random.integers(0, people, photos)
