"""From aligned faces to embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faces.engine import sessions
from faces.engine.types import FloatArray, Image

# Faces a run. On a processor a face takes as long alone as among many (13 to 15 ms with
# one thread); with two threads it takes 10 ms alone, 8.5 in pairs and 8 in fours. Each
# face more keeps 20 MB for good.
MAX_BATCH: Final = 2


class Recogniser(Protocol):
    """A recogniser's contract; implementations keep no state between calls."""

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        ...

    def embed(self, crops: Sequence[Image]) -> FloatArray:
        """float32 (n, d) embeddings of n aligned faces, L2-normalised."""
        ...


class SFace:
    """SFace on a session of ours with a free batch: RGB, values 0-255."""

    def __init__(self, session: sessions.Session) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self.dimension = int(session.get_outputs()[0].shape[1])

    def embed(self, crops: Sequence[Image]) -> FloatArray:
        """float32 (n, d), L2-normalised and C-contiguous."""
        return in_batches(crops, self._run, size=MAX_BATCH, dimension=self.dimension)

    def _run(self, crops: Sequence[Image]) -> FloatArray:
        blob = cv2.dnn.blobFromImages(list(crops), swapRB=True)
        output = sessions.run(self._session, {self._input: np.asarray(blob)})[0]
        return np.asarray(output, dtype=np.float32)


def in_batches(
    crops: Sequence[Image],
    run: Callable[[Sequence[Image]], FloatArray],
    *,
    size: int,
    dimension: int,
) -> FloatArray:
    """Embeddings of all ``crops``, ``size`` a run, normalised: float32 (n, d).

    Raises ValueError where a run gives another number of rows.
    """
    parts = [run(crops[start : start + size]) for start in range(0, len(crops), size)]
    if not parts:
        return np.empty((0, dimension), dtype=np.float32)
    embeddings = np.concatenate(parts)
    if embeddings.shape != (len(crops), dimension):
        raise ValueError(f"{len(crops)} faces gave embeddings {embeddings.shape}")
    return normalised(embeddings)


def normalised(vectors: NDArray[np.floating]) -> FloatArray:
    """Rows of length 1, float32 and C-contiguous; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(
        vectors / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32
    )
