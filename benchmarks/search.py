"""(c) One and thirty probes against galleries of growing size."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.material import unit_vectors
from benchmarks.turns import Call, Times, announce, take_turns, timed
from faces.engine.types import FloatArray
from faces.matching import Gallery, match, similarities

DIMENSIONS: Final = (128, 512)
SIZES: Final = (100, 1_000, 10_000, 100_000)
PROBES: Final = (1, 30)
TEMPLATES: Final = 3  # a student
LOOP_UP_TO: Final = 10_000  # templates; the loop would take minutes beyond
THRESHOLD: Final = 0.44
MARGIN: Final = 0.05

OURS, SCORES, PRODUCT, LOOP = "match", "similarities", "NumPy product", "tutorial loop"


@dataclass(frozen=True, slots=True)
class Search:
    """Times of one size of gallery, by contestant."""

    dimension: int
    templates: int
    probes: int
    times: dict[str, Times]


def run(folder: Path, *, rounds: int) -> list[Search]:
    """Measure every dimension, size and number of probes; ``folder`` is scratch."""
    found = []
    for dimension in DIMENSIONS:
        for size in SIZES:
            announce(f"Search in {size:,} templates of {dimension} numbers")
            templates = unit_vectors(size, dimension)
            stored = _store(templates, folder) if size <= LOOP_UP_TO else None
            for number in PROBES:
                times = _one(templates, number, stored, rounds)
                found.append(Search(dimension, size, number, times))
    return found


def _one(
    templates: FloatArray, number: int, stored: Path | None, rounds: int
) -> dict[str, Times]:
    students = np.arange(len(templates)) // TEMPLATES
    gallery = Gallery(templates, students)
    # Everybody on the photo is somebody: a probe is a template with some noise.
    noise = unit_vectors(number, templates.shape[1], seed=7)
    probes = templates[:: max(len(templates) // number, 1)][:number] + 0.7 * noise
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    answers = match(probes, gallery, threshold=THRESHOLD, margin=MARGIN)
    assert sum(one.outcome == "matched" for one in answers) >= 0.9 * number
    calls: dict[str, Call] = {
        OURS: timed(lambda: match(probes, gallery, threshold=THRESHOLD, margin=MARGIN)),
        SCORES: timed(lambda: similarities(probes, gallery)),
        PRODUCT: timed(lambda: probes @ templates.T),
    }
    times = take_turns(calls, rounds=rounds)
    if stored is not None:
        loop = {LOOP: timed(lambda: _tutorial(stored, probes)), OURS: calls[OURS]}
        times[LOOP] = take_turns(loop, rounds=3, warm_up=0)[LOOP]
    return times


def _store(templates: FloatArray, folder: Path) -> Path:
    """The file that tutorials keep: a name and a list of numbers for each photo."""
    path = folder / "embeddings.json"
    people = [
        {"name": f"student {row // TEMPLATES}", "embedding": vector.tolist()}
        for row, vector in enumerate(templates)
    ]
    path.write_text(json.dumps(people), encoding="utf-8")
    return path


def _tutorial(path: Path, probes: FloatArray) -> list[str | None]:
    """As tutorials do for each photo: read all, compare one by one, keep the best."""
    people = json.loads(path.read_text("utf-8"))
    names: list[str | None] = []
    for probe in probes:
        best, name = THRESHOLD, None
        for person in people:
            known = np.array(person["embedding"])
            lengths = np.linalg.norm(probe) * np.linalg.norm(known)
            similarity = float(np.dot(probe, known) / lengths)
            if similarity > best:
                best, name = similarity, person["name"]
        names.append(name)
    return names
