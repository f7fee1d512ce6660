"""The parts of a report that photos in a folder and a school's templates share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faces.evaluation import advice, tables
from faces.evaluation.rates import FloatArray, IntArray, Pairs, equal_error

REPORT: Final = "report.md"


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What was compared: embeddings (n, d), people (n,), a name for each, the pairs."""

    embeddings: FloatArray
    people: IntArray
    names: Sequence[str]
    pairs: Pairs


def about_pairs(pairs: Pairs, *, threshold: float) -> list[str]:
    """Distributions and error rates, line by line."""
    return [
        "## Pairs of photos",
        "",
        *tables.distributions(pairs),
        "",
        f"Equal error rate {equal_error(pairs):.3%}. The threshold in use is bold. "
        "Intervals are the exact ones of Clopper and Pearson and take pairs as "
        "independent. The tail is extrapolated from the highest impostors as an "
        "exponential.",
        "",
        *tables.error_rates(pairs, used=threshold),
        "",
    ]


def in_words(
    pairs: Pairs, *, threshold: float, margin: float, sessions: float
) -> list[str]:
    """What the threshold means for a school, and which one meets ``sessions``."""
    lines = ["## In plain words", ""]
    now = advice.expect(pairs, threshold=threshold, margin=margin)
    better = advice.recommend(pairs, margin=margin, sessions=sessions)
    if now is None or better is None:
        return [
            *lines,
            "There are too few pairs to foresee wrong marks. Thirty photos of ten "
            "people are a start.",
        ]
    lines += [now.sentence(), ""]
    wanted = f"one wrong mark in {sessions:,.0f} sessions"
    if better.sessions < sessions:
        return [*lines, f"No threshold promises {wanted} with this model."]
    if abs(better.threshold - threshold) < advice.STEP / 2:
        return [*lines, f"That is the lowest threshold for {wanted}: keep it."]
    change = "Raise" if better.threshold > threshold else "You could lower"
    return [
        *lines,
        f"{change} the threshold to {better.threshold:.2f} for {wanted}. "
        f"{better.sentence()}",
    ]


def write(
    folder: Path,
    lines: Sequence[str],
    scored: Scored,
    *,
    title: str,
    threshold: float,
) -> None:
    """Write the report, the scores and the charts into ``folder``; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REPORT).write_text("\n".join(lines) + "\n", encoding="utf-8")
    tables.write_scores(
        folder / tables.SCORES_CSV, scored.embeddings, scored.people, scored.names
    )
    tables.draw(scored.pairs, folder, title=title, threshold=threshold)
