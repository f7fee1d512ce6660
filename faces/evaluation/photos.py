"""Photos of known people, one folder a person, turned into embeddings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faces.engine.errors import FaceError
from faces.engine.image import decode
from faces.engine.pipeline import FaceEngine
from faces.engine.quality import check
from faces.evaluation.rates import FloatArray, IntArray

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif"})
_MAX_BYTES: Final = 40_000_000
_MAX_PIXELS: Final = 40_000_000


class EvaluationError(Exception):
    """What stands in the way of an evaluation, in one line that says what to do."""


@dataclass(frozen=True, slots=True, eq=False)
class Photos:
    """The photos with a face, and the paths of the others.

    ``embeddings`` is float32 (n, d), ``people`` (n,) an index into ``names``,
    ``paths`` has n entries, and ``accepted`` (n,) says whether the standard review
    would enrol the photo: one face, good enough.
    """

    embeddings: FloatArray
    people: IntArray
    names: tuple[str, ...]
    paths: tuple[Path, ...]
    accepted: NDArray[np.bool_]
    several: int
    without_face: tuple[Path, ...]
    unreadable: tuple[Path, ...]

    @property
    def readable(self) -> int:
        """Photos that could be decoded."""
        return len(self.paths) + len(self.without_face)


def find(folder: Path) -> list[Path]:
    """The photos of ``folder``: person/photo.jpg, sorted.

    Raises EvaluationError where it is no folder, has another shape, or holds too
    little for a genuine and an impostor pair.
    """
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is not a folder.")
    paths = sorted(path for path in folder.glob("*/*") if _is_photo(path))
    if not paths:
        hint = "one folder a person with that person's photos in it is needed"
        if any(_is_photo(path) for path in folder.iterdir()):
            raise EvaluationError(f"The photos lie in {folder} itself: {hint}.")
        raise EvaluationError(
            f"{folder} holds no photos: {hint} ({', '.join(sorted(SUFFIXES))})."
        )
    people = [path.parent for path in paths]
    if len(set(people)) < 2:
        raise EvaluationError(f"{folder} holds photos of one person: two are needed.")
    if len(set(people)) == len(people):
        raise EvaluationError(
            f"Everybody in {folder} has one photo: some people need two or more."
        )
    return paths


def read(engine: FaceEngine, paths: Iterable[Path]) -> Photos:
    """Detect and embed the largest face of each photo.

    Raises EvaluationError where faces are too few for a genuine and an impostor pair,
    EngineUnavailable where the engine fails.
    """
    rows: list[tuple[Path, FloatArray, bool]] = []
    without_face: list[Path] = []
    unreadable: list[Path] = []
    several = 0
    for path in paths:
        try:
            data = path.read_bytes()
            image = decode(data, max_bytes=_MAX_BYTES, max_pixels=_MAX_PIXELS)
        except (FaceError, OSError):
            unreadable.append(path)
            continue
        faces = engine.analyse(image)
        if not faces:
            without_face.append(path)
            continue
        several += len(faces) > 1
        fine = len(faces) == 1 and not check(faces[0], image.shape)
        rows.append((path, faces[0].embedding, fine))
    names = sorted({path.parent.name for path, _, _ in rows})
    if len(names) < 2 or len(names) == len(rows):
        raise EvaluationError(
            f"A face was found on {len(rows)} photos of {len(names)} people: that is "
            "too few to compare."
        )
    number = {name: index for index, name in enumerate(names)}
    return Photos(
        embeddings=np.stack([embedding for _, embedding, _ in rows]),
        people=np.array([number[path.parent.name] for path, _, _ in rows], np.int64),
        names=tuple(names),
        paths=tuple(path for path, _, _ in rows),
        accepted=np.array([fine for _, _, fine in rows], dtype=bool),
        several=several,
        without_face=tuple(without_face),
        unreadable=tuple(unreadable),
    )


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()
