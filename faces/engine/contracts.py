"""What a pack promises: the contract that the rest of the system relies on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from faces.engine.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How pixels 0-255 become a network's input: ``(value - mean) / std``.

    ``embedded`` networks do that themselves and take uint8 or plain float values.
    """

    mean: float
    std: float
    embedded: bool = False


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of weights and the SHA-256 it must have (empty: whatever it has).

    ``preprocessing`` is what a manifest states; None leaves it to the network's kind.
    """

    path: Path
    sha256: str
    preprocessing: Preprocessing | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack's contract.

    ``dimension`` is the length of an embedding, ``input_size`` the side of the aligned
    face in pixels. ``threshold`` is the least cosine similarity at which two faces
    count as one person's, ``margin`` the least lead over the next person;
    ``calibrated`` tells whether both rest on a measurement, which
    ``threshold_source`` names. ``second_look`` says whether faces are measured again
    on crops (``faces.engine.refinement``).
    """

    name: str
    dimension: int
    input_size: int
    threshold: float
    margin: float
    licence: str
    source: str
    detector: ModelFile
    recogniser: ModelFile
    threshold_source: str = ""
    calibrated: bool = True
    second_look: bool = True

    @property
    def model_id(self) -> str:
        """Name and recogniser: templates with another id are of no use to this pack."""
        return f"{self.name}:{self.recogniser.sha256[:12]}"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify(file: ModelFile, *, fix: str) -> None:
    """Raise ConfigurationError, with ``fix`` as what to do, for another content."""
    if not file.path.is_file():
        raise ConfigurationError(f"The model file {file.path} is missing: {fix}.")
    found = sha256_of(file.path)
    if file.sha256 and found != file.sha256:
        raise ConfigurationError(
            f"The model file {file.path} has changed (sha256 {found[:12]}…, expected "
            f"{file.sha256[:12]}…): {fix}."
        )
