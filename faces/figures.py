"""What the engine and the matcher count for whoever watches the site (`/metrics`).

Sums only: no figure names a person, a class or a photo.
"""

from collections import Counter as Tally
from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from faces.matching import Match

# Seconds: a face takes 0.03, a room of thirty 0.5, and a queue some seconds more.
BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

DETECTED = Counter("rollbook_faces_detected", "Faces found on photos.")
COMPARED = Counter(
    "rollbook_faces_compared", "Faces compared with a class, by outcome.", ["outcome"]
)
SECONDS = Histogram(
    "rollbook_inference_seconds",
    "Seconds that the engine worked on a photo, once it was its turn.",
    buckets=BUCKETS,
)
QUEUE = Gauge(
    "rollbook_photos_in_engine",
    "Photos that the engine works on, and those that wait for it.",
    multiprocess_mode="livesum",
)
for _outcome in ("matched", "ambiguous", "unknown"):
    COMPARED.labels(outcome=_outcome)  # there from the start, as 0


class EngineFigures:
    """Counts what an engine does; see `faces.engine.pipeline.Observer`."""

    def saw(self, faces: int) -> None:
        DETECTED.inc(faces)

    def ran(self, seconds: float) -> None:
        SECONDS.observe(seconds)


def compared(matches: Iterable[Match]) -> None:
    """Count the outcomes of faces that were compared with a gallery."""
    for outcome, number in Tally(found.outcome for found in matches).items():
        COMPARED.labels(outcome=outcome).inc(number)
