"""Scores of pairs and the error rates that follow from them.

Terms are those of ISO/IEC 19795-1: a genuine pair shows one person twice, an impostor
pair two people; the false match rate (FMR) is the share of impostor pairs at or above
a threshold, the false non-match rate (FNMR) that of genuine pairs below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

CONFIDENCE: Final = 0.95
_BLOCK: Final = 512  # photos a block: bounds the memory of a matrix of scores

# Where the tail of the impostors begins: the highest hundredth, at least so many pairs.
_TAIL_SHARE: Final = 0.01
_TAIL_PAIRS: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class PairBlock:
    """Some pairs of photos: their two indices, cosine, and whether it is one person."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    scores: FloatArray
    genuine: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Cosines of all pairs, both arrays float32 and ascending."""

    genuine: FloatArray
    impostor: FloatArray


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of trials with its confidence interval, all 0-1; NaN without trials."""

    errors: int
    trials: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.errors / self.trials if self.trials else float("nan")


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """False match and false non-match rate at a threshold."""

    threshold: float
    fmr: Rate
    fnmr: Rate


@dataclass(frozen=True, slots=True)
class Tail:
    """The highest impostors as an exponential tail: P(score ≥ x) beyond ``start``.

    ``share`` of all pairs lie above ``start``, by ``scale`` on average. An exponential
    falls slower than the normal tail that cosines show, which is the safe side.
    """

    start: float
    share: float
    scale: float

    def fmr(self, threshold: float | NDArray[np.floating]) -> NDArray[np.float64]:
        """False match rate at ``threshold``; below ``start`` it stays ``share``."""
        excess = np.maximum(np.asarray(threshold, np.float64) - self.start, 0)
        return np.asarray(self.share * np.exp(-excess / self.scale))

    def threshold(self, fmr: float) -> float:
        """The threshold with this FMR, at least ``start``."""
        return self.start + self.scale * float(np.log(max(self.share / fmr, 1.0)))


def blocks(embeddings: FloatArray, people: IntArray) -> Iterator[PairBlock]:
    """Every pair of two photos once, in blocks that fit in memory.

    ``embeddings`` is float32 (n, d), L2-normalised; ``people`` is (n,).
    """
    for start in range(0, len(people), _BLOCK):
        rows = embeddings[start : start + _BLOCK]
        scores = rows @ embeddings[start:].T
        first, second = np.triu_indices(len(rows), 1, scores.shape[1])
        same = people[start + first] == people[start + second]
        yield PairBlock(start + first, start + second, scores[first, second], same)


def pairs_of(embeddings: FloatArray, people: IntArray) -> Pairs:
    """The scores of all pairs; arguments are those of ``blocks``."""
    genuine, impostor = [np.empty(0, np.float32)], [np.empty(0, np.float32)]
    for block in blocks(embeddings, people):
        genuine.append(block.scores[block.genuine])
        impostor.append(block.scores[~block.genuine])
    return Pairs(np.sort(np.concatenate(genuine)), np.sort(np.concatenate(impostor)))


def rate(errors: int, trials: int) -> Rate:
    """Errors among trials with the exact interval of Clopper and Pearson (1934).

    It takes trials as independent. Pairs that share a photo are not, so the truth may
    lie outside more often than the confidence says.
    """
    if not trials:
        return Rate(0, 0, 0.0, 1.0)
    interval = binomtest(errors, trials).proportion_ci(CONFIDENCE, method="exact")
    return Rate(errors, trials, float(interval.low), float(interval.high))


def rates_at(pairs: Pairs, threshold: float) -> ErrorRates:
    """FMR and FNMR at ``threshold``; a score that equals it is a match."""
    # In the scores' own precision: a score may be the threshold to the last bit.
    limit = np.float32(threshold)
    below = int(np.searchsorted(pairs.genuine, limit, side="left"))
    passed = len(pairs.impostor) - int(np.searchsorted(pairs.impostor, limit, "left"))
    return ErrorRates(
        threshold=threshold,
        fmr=rate(passed, len(pairs.impostor)),
        fnmr=rate(below, len(pairs.genuine)),
    )


def impostor_tail(impostor: FloatArray) -> Tail | None:
    """The tail of ascending impostor scores; None where they are too few for one.

    Starts at the 99 % quantile, lower where fewer than 20 pairs would lie above it.
    """
    share = max(_TAIL_SHARE, _TAIL_PAIRS / max(len(impostor), 1))
    if share > 0.1:
        return None
    start = float(np.quantile(impostor, 1 - share))
    excess = impostor[impostor > start].astype(np.float64) - start
    if not excess.size:
        return None
    return Tail(start, share, float(excess.mean()))


def curve(pairs: Pairs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FMR and FNMR at every threshold where one of them changes, FMR ascending."""
    thresholds = np.unique(np.concatenate([pairs.genuine, pairs.impostor]))[::-1]
    passed = len(pairs.impostor) - np.searchsorted(pairs.impostor, thresholds, "left")
    below = np.searchsorted(pairs.genuine, thresholds, "left")
    return passed / max(len(pairs.impostor), 1), below / max(len(pairs.genuine), 1)


def equal_error(pairs: Pairs) -> float:
    """The rate at which FMR and FNMR meet (their mean where they step past), 0-1."""
    fmr, fnmr = curve(pairs)
    closest = int(np.abs(fmr - fnmr).argmin())
    return float(fmr[closest] + fnmr[closest]) / 2
