"""People who are close to somebody else, and photos unlike the same person's others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faces.evaluation.rates import FloatArray, IntArray, blocks


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """Two people and the highest similarity between their templates."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True, slots=True)
class OddTemplate:
    """A template whose person's other templates are at most ``similarity`` close."""

    row: int
    person: int
    similarity: float


def look_alikes(
    embeddings: FloatArray, people: IntArray, *, at_least: float
) -> list[LookAlikes]:
    """Pairs of people with a score of ``at_least``, the closest first.

    ``embeddings`` is float32 (n, d), L2-normalised; ``people`` is (n,).
    """
    best: dict[tuple[int, int], float] = {}
    for block in blocks(embeddings, people):
        near = np.flatnonzero(~block.genuine & (block.scores >= at_least))
        for row in near:
            one, other = people[block.first[row]], people[block.second[row]]
            key = (int(min(one, other)), int(max(one, other)))
            best[key] = max(best.get(key, -1.0), float(block.scores[row]))
    ranked = sorted(best.items(), key=lambda item: -item[1])
    return [LookAlikes(first, second, score) for (first, second), score in ranked]


def odd_templates(
    embeddings: FloatArray, people: IntArray, *, below: float
) -> list[OddTemplate]:
    """Templates that reach ``below`` with no other one of their person, worst first.

    Such a photo may show somebody else. People with a single template have none.
    """
    odd = []
    for person in np.unique(people):
        rows = np.flatnonzero(people == person)
        if len(rows) < 2:
            continue
        scores = embeddings[rows] @ embeddings[rows].T
        np.fill_diagonal(scores, -1.0)
        closest = scores.max(axis=1)
        odd += [
            OddTemplate(int(row), int(person), float(score))
            for row, score in zip(rows, closest, strict=True)
            if score < below
        ]
    return sorted(odd, key=lambda one: one.similarity)
