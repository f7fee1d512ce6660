"""From error rates to what a school sees: wrong marks, and the threshold for few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from faces.evaluation.rates import Pairs, Rate, Tail, impostor_tail, rates_at

STUDENTS: Final = 30
TEMPLATES: Final = 3
STRANGERS: Final = 1  # people before the camera who are not enrolled, a session
WANTED_SESSIONS: Final = 100
STEP: Final = 0.01  # thresholds are rounded up to this


@dataclass(frozen=True, slots=True)
class Advice:
    """A threshold and what to expect of it.

    ``sessions`` is the number of sessions in which one wrong mark is expected;
    ``missed`` the rate of genuine pairs that fall below.
    """

    threshold: float
    sessions: float
    missed: Rate

    def sentence(self) -> str:
        """In words for somebody who knows no error rates."""
        return (
            f"At {self.threshold:.2f} expect {_sessions_in_words(self.sessions)} of "
            f"{STUDENTS} students ({TEMPLATES} photos each, {STRANGERS} stranger "
            "before the camera in every session). Compared with one enrolled photo "
            f"alone, {_missed_in_words(self.missed)} of the right person is missed."
        )


def wrong_marks(pairs: Pairs, tail: Tail, *, threshold: float, margin: float) -> float:
    """Wrong marks expected in one session in which everybody shows their face once.

    A student is taken for one of the others where an impostor score reaches both the
    threshold and the margin above the student's own score, which is drawn from the
    genuine pairs; a stranger where one reaches the threshold. Counting every template
    by itself, and one genuine score instead of the best of several, overstates both.
    """
    own = pairs.genuine.astype(np.float64)
    against_own = tail.fmr(np.maximum(own + margin, threshold))
    others = (STUDENTS - 1) * TEMPLATES
    taken = np.minimum(others * against_own, 1.0).mean() if own.size else 0.0
    passed = min(STUDENTS * TEMPLATES * float(tail.fmr(threshold)), 1.0)
    return float(STUDENTS * taken + STRANGERS * passed)


def expect(pairs: Pairs, *, threshold: float, margin: float) -> Advice | None:
    """What a threshold means; None where the impostors are too few to say."""
    tail = impostor_tail(pairs.impostor)
    if tail is None or not pairs.genuine.size:
        return None
    marks = wrong_marks(pairs, tail, threshold=threshold, margin=margin)
    missed = rates_at(pairs, threshold).fnmr
    return Advice(threshold, 1 / max(marks, 1e-12), missed)


def recommend(
    pairs: Pairs, *, margin: float, sessions: float = WANTED_SESSIONS
) -> Advice | None:
    """The lowest threshold with at most one wrong mark in so many sessions.

    None where the impostors are too few to say.
    """
    tail = impostor_tail(pairs.impostor)
    if tail is None or not pairs.genuine.size:
        return None
    first = int(np.ceil(tail.start / STEP))
    for step in range(first, round(1 / STEP)):
        advice = expect(pairs, threshold=step * STEP, margin=margin)
        if advice is not None and advice.sessions >= sessions:
            return advice
    return expect(pairs, threshold=1.0, margin=margin)


def _sessions_in_words(sessions: float) -> str:
    if sessions >= 10_000:
        return "less than one wrong mark in 10,000 sessions"
    if sessions < 1.5:
        return f"about {1 / sessions:.0f} wrong marks in every session"
    return f"about one wrong mark in {_rounded(sessions):,} sessions"


def _missed_in_words(missed: Rate) -> str:
    if not missed.errors:
        return f"less than 1 photo in {_rounded(1 / missed.high):,}"
    if missed.value > 0.5:
        return f"{missed.value:.0%}"
    return f"about 1 photo in {_rounded(1 / missed.value):,}"


def _rounded(value: float) -> int:
    """Two digits count: 347 becomes 350."""
    return int(round(value, -max(len(str(int(value))) - 2, 0)))
