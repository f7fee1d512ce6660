"""From aligned faces to embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faces.engine import sessions
from faces.engine.crew import Network, chunks
from faces.engine.types import FloatArray, Image

CUDA_BATCH: Final = 8  # faces a run on a graphics card


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
    """SFace in two networks of ours with a free batch: RGB, values 0-255.

    On a processor the convolutions take one face a run, whose values just fit its
    cache. The last layer reads 26 MB of weights, however many faces there are: one run
    does it for all.
    """

    def __init__(self, body: Network[sessions.Session], head: sessions.Session) -> None:
        self._body = body
        self._head = head
        self._batch = CUDA_BATCH if sessions.on_cuda(body.alone) else 1
        self.dimension = int(head.get_outputs()[0].shape[1])

    def embed(self, crops: Sequence[Image]) -> FloatArray:
        """float32 (n, d), L2-normalised and C-contiguous."""
        if not crops:
            return np.empty((0, self.dimension), dtype=np.float32)
        features = self._body.each(_features, chunks(crops, self._batch))
        embeddings = _run(self._head, np.concatenate(features))
        return joined([embeddings], faces=len(crops), dimension=self.dimension)


def _features(session: sessions.Session, crops: Sequence[Image]) -> FloatArray:
    blob = cv2.dnn.blobFromImages(list(crops), swapRB=True)
    return _run(session, np.asarray(blob))


def _run(session: sessions.Session, batch: FloatArray) -> FloatArray:
    output = sessions.run(session, {session.get_inputs()[0].name: batch})[0]
    return np.asarray(output, dtype=np.float32)


def joined(parts: Sequence[FloatArray], *, faces: int, dimension: int) -> FloatArray:
    """The embeddings of all runs, normalised: float32 (faces, dimension).

    Raises ValueError where the runs gave another number of rows or columns.
    """
    embeddings = np.concatenate([np.empty((0, dimension), np.float32), *parts])
    if len(embeddings) != faces:
        raise ValueError(f"{faces} faces gave embeddings {embeddings.shape}")
    return normalised(embeddings)


def normalised(vectors: NDArray[np.floating]) -> FloatArray:
    """Rows of length 1, float32 and C-contiguous; a zero row stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(
        vectors / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32
    )
