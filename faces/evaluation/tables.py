"""Rates, classes and advice as Markdown, scores as CSV, curves as PNG."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faces.evaluation import charts
from faces.evaluation.classes import ClassResult
from faces.evaluation.rates import (
    CONFIDENCE,
    FloatArray,
    IntArray,
    Pairs,
    Rate,
    blocks,
    curve,
    impostor_tail,
    rates_at,
)

RateArray = NDArray[np.float64]

THRESHOLDS: Final = tuple(round(0.20 + 0.02 * step, 2) for step in range(26))
MAX_IMPOSTOR_ROWS: Final = 1_000_000  # of the CSV; the highest are kept
SCORES_PNG: Final = "scores.png"
CURVE_PNG: Final = "det.png"
SCORES_CSV: Final = "scores.csv"

_BINS: Final = 70


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table, line by line."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]


def distributions(pairs: Pairs) -> list[str]:
    """Where the scores of genuine and impostor pairs lie."""
    head = ("pairs", "number", "mean", "spread", "lowest", "1 %", "50 %", "99 %")
    rows = []
    for name, scores in (("genuine", pairs.genuine), ("impostor", pairs.impostor)):
        if not scores.size:
            continue
        low, middle, high = np.quantile(scores, [0.01, 0.5, 0.99])
        spread = (scores.mean(), scores.std(), scores[0], low, middle, high, scores[-1])
        rows.append([name, f"{scores.size:,}", *(f"{value:.3f}" for value in spread)])
    return table([*head, "highest"], rows)


def error_rates(pairs: Pairs, *, used: float) -> list[str]:
    """FMR and FNMR with their intervals around the thresholds that matter.

    ``used`` is the threshold in force, which gets a line of its own in bold. Beyond the
    highest impostors the tail (``rates.Tail``) says what no pair of this set shows.
    """
    tail = impostor_tail(pairs.impostor)
    rows = []
    for threshold in sorted({*_interesting(pairs), used}):
        rates = rates_at(pairs, threshold)
        beyond = "–"
        if tail is not None and threshold > tail.start:
            beyond = f"{float(tail.fmr(threshold)):.1e}"
        cells = [
            f"{threshold:#.4g}".rstrip("0").ljust(4, "0"),
            _interval(rates.fmr),
            beyond,
            _interval(rates.fnmr),
        ]
        rows.append([f"**{cell}**" if threshold == used else cell for cell in cells])
    interval = f"[{CONFIDENCE:.0%} interval]"
    head = [f"FMR {interval}", "FMR by the tail", f"FNMR {interval}"]
    return table(["threshold", *head], rows)


def class_table(results: Iterable[ClassResult]) -> list[str]:
    """Right, wrong, ambiguous and unknown for each class size."""
    head = "students classes photos right wrong ambiguous unknown strangers"
    rows = [
        (
            one.size,
            one.classes,
            one.shown,
            _share(one.right, one.shown),
            _share(one.wrong, one.shown),
            _share(one.ambiguous, one.shown),
            _share(one.unknown, one.shown),
            one.strangers,
            _share(one.strangers_named, one.strangers),
        )
        for one in results
    ]
    return table([*head.split(), "strangers named"], rows)


def write_scores(
    path: Path, embeddings: FloatArray, people: IntArray, names: Sequence[str]
) -> None:
    """Every pair as CSV: the two names, whether it is one person, and the cosine.

    Of more than a million impostor pairs only the highest are written.
    """
    lowest = _lowest_written(embeddings, people)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["first", "second", "genuine", "similarity"])
        for block in blocks(embeddings, people):
            kept = np.flatnonzero(block.genuine | (block.scores >= lowest))
            writer.writerows(
                (
                    names[block.first[row]],
                    names[block.second[row]],
                    int(block.genuine[row]),
                    f"{block.scores[row]:.6f}",
                )
                for row in kept
            )


def draw(pairs: Pairs, folder: Path, *, title: str, threshold: float) -> None:
    """Write the histogram of the scores and the DET curve into ``folder``."""
    counts = (
        f"{pairs.genuine.size:,} genuine and {pairs.impostor.size:,} impostor pairs"
    )
    subtitle = f"{title}: {counts}"
    _draw_scores(pairs, folder / SCORES_PNG, subtitle, threshold)
    if pairs.genuine.size and pairs.impostor.size:
        _draw_curve(pairs, folder / CURVE_PNG, subtitle, threshold)


def _draw_scores(pairs: Pairs, path: Path, subtitle: str, threshold: float) -> None:
    scores = np.concatenate([pairs.genuine, pairs.impostor])
    low = min(math.floor(float(scores.min()) * 5) / 5, 0.0)
    edges = np.linspace(low, 1.0, _BINS + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    parts = (
        (pairs.impostor, charts.ORANGE, "two people"),
        (pairs.genuine, charts.BLUE, "one person"),
    )
    shares = [np.histogram(part, edges)[0] / max(part.size, 1) for part, _, _ in parts]
    highest = max(float(share.max()) for share in shares) * 100
    step = 2.0 if highest <= 12 else 5.0
    chart = charts.Chart(
        "Similarity of pairs of photos",
        charts.linear("cosine similarity", low, 1.0, step=0.2),
        charts.linear("% of the pairs", 0, math.ceil(highest / step) * step, step=step),
        subtitle=subtitle,
    )
    for (_, colour, label), share in zip(parts, shares, strict=True):
        seen = np.flatnonzero(share)
        if seen.size:
            span = slice(max(int(seen[0]) - 1, 0), int(seen[-1]) + 2)
            heights = (share[span] * 100).tolist()
            points = list(zip(middles[span].tolist(), heights, strict=True))
            chart.area(points, colour, label)
    chart.mark(threshold, f"threshold {threshold:.4g}")
    chart.save(path)


def _draw_curve(pairs: Pairs, path: Path, subtitle: str, threshold: float) -> None:
    """Both axes logarithmic, as NIST draws them; the lower edge stands for zero."""
    fmr, fnmr = curve(pairs)
    x = _rate_axis("false match rate (FMR)", pairs.impostor.size)
    y = _rate_axis("false non-match rate (FNMR)", pairs.genuine.size)
    chart = charts.Chart("Detection error trade-off", x, y, subtitle=subtitle)
    chart.line(_corners(fmr, fnmr), charts.BLUE, "every threshold")
    here = rates_at(pairs, threshold)
    chart.dots([(here.fmr.value, here.fnmr.value)], charts.ORANGE)
    chart.name(f"threshold {threshold:.4g}", charts.ORANGE)
    chart.save(path)


def _rate_axis(label: str, trials: int) -> charts.Axis:
    axis = charts.decades(label, 0.5 / trials, 1.0, percent=True)
    ticks = [(axis.low, "none"), *axis.ticks[1:]]
    return charts.Axis(label, axis.low, axis.high, ticks, log=True)


def _corners(fmr: RateArray, fnmr: RateArray) -> list[charts.Point]:
    """The curve without the points on its straight parts: most of the thresholds."""
    level = [values[1:] == values[:-1] for values in (fmr, fnmr)]
    straight = np.zeros(fmr.size, dtype=bool)
    straight[1:-1] = np.any([part[1:] & part[:-1] for part in level], axis=0)
    return list(zip(fmr[~straight].tolist(), fnmr[~straight].tolist(), strict=True))


def _interesting(pairs: Pairs) -> list[float]:
    """Thresholds from where a stranger in ten passes to where one in ten is missed."""
    low = float(np.quantile(pairs.impostor, 0.9)) if pairs.impostor.size else 0.3
    high = float(np.quantile(pairs.genuine, 0.1)) if pairs.genuine.size else 0.6
    low, high = min(low, 0.3), max(high, 0.5)
    return [step for step in THRESHOLDS if low <= step <= high]


def _lowest_written(embeddings: FloatArray, people: IntArray) -> float:
    highest = np.empty(0, np.float32)
    dropped = False
    for block in blocks(embeddings, people):
        highest = np.concatenate([highest, block.scores[~block.genuine]])
        if highest.size > MAX_IMPOSTOR_ROWS:
            dropped = True
            highest = np.partition(highest, -MAX_IMPOSTOR_ROWS)[-MAX_IMPOSTOR_ROWS:]
    return float(highest.min()) if dropped else -2.0


def _interval(rate: Rate) -> str:
    if not rate.trials:
        return "–"
    return f"{rate.value:.3%} [{rate.low:.3%}, {rate.high:.3%}]"


def _share(part: int, of: int) -> str:
    return f"{part} ({part / of:.1%})" if of else "–"
