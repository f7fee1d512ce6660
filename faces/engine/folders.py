"""Finding InsightFace packs on disk: by name, by manifest, or by the networks' shapes.

Only the detector and the recogniser are ever opened; a pack's other networks
(landmarks, age) are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from faces.engine import catalogue
from faces.engine.alignment import CROP_SIZE
from faces.engine.contracts import ModelFile, Pack, Preprocessing, sha256_of, verify
from faces.engine.errors import ConfigurationError

if TYPE_CHECKING:
    from insightface.model_zoo.package_manifest import ModelTaskDescriptor

MANIFEST: Final = "manifest.json"
HASHES: Final = "SHA256SUMS"  # as written and read by `sha256sum`
HOME: Final = Path("~/.insightface/models")  # where insightface itself keeps packs

# Outputs of SCRFD with five points: scores, boxes and points at three or five strides.
_DETECTOR_OUTPUTS: Final = (9, 15)


@dataclass(frozen=True, slots=True)
class Shapes:
    """Of a network: the number of outputs, the input's and the first output's sizes.

    Sizes that are free are 0.
    """

    inputs: int
    outputs: int
    input: tuple[int, ...]
    output: tuple[int, ...]


def find(name: str, *, root: Path | None) -> Pack:
    """The contract of an InsightFace pack, its files verified.

    ``name`` is a pack's name or the path of a folder. Raises ConfigurationError in
    one line.
    """
    folder = place(name, root=root)
    published = catalogue.PACKS.get(name)
    if not folder.is_dir():
        raise ConfigurationError(_missing(name, folder))
    if (folder / MANIFEST).is_file() and _has_manifest(folder):
        pack = _from_manifest(folder)
    elif published is not None and published.detector:
        pack = _from_catalogue(folder, published)
    else:
        pack = _from_shapes(folder)
    fix = f"run `manage.py faces_models fetch {name}` again"
    for file in (pack.detector, pack.recogniser):
        verify(file, fix=fix if published else "put the right file there")
    return pack


def place(name: str, *, root: Path | None) -> Path:
    """The folder of a pack, which need not exist.

    A name without a slash is looked for in ``root`` and its folder ``models`` or, where
    ``root`` is not given, in ``~/.insightface/models``. Archives that hold a folder of
    their own name may have been unpacked as they are.
    """
    if "/" in name or "\\" in name or name in ("~", ".", ".."):
        return Path(name).expanduser()
    parents = (root, root / "models") if root is not None else (HOME.expanduser(),)
    for parent in parents:
        for folder in (parent / name, parent / name / name):
            if any(folder.glob("*.onnx")) or (folder / MANIFEST).is_file():
                return folder
    return parents[0] / name


def recorded(folder: Path) -> dict[str, str]:
    """Hashes by file name, as recorded beside the files when they came."""
    file = folder / HASHES
    if not file.is_file():
        return {}
    lines = (line.split() for line in file.read_text(encoding="utf-8").splitlines())
    return {
        line[1].lstrip("*"): line[0].lower()
        for line in lines
        if len(line) == 2 and len(line[0]) == 64
    }


def _from_catalogue(folder: Path, published: catalogue.Published) -> Pack:
    names = (published.detector, published.recogniser)
    absent = [name for name in names if not (folder / name).is_file()]
    if absent:
        raise ConfigurationError(
            f"The pack {published.name} lacks {' and '.join(absent)} in {folder}: put "
            f"the file there or run `manage.py faces_models fetch {published.name}`."
        )
    known = recorded(folder) | published.sha256
    return Pack(
        name=published.name,
        dimension=published.dimension,
        input_size=CROP_SIZE,
        threshold=published.threshold,
        margin=catalogue.MARGIN,
        threshold_source=published.threshold_source,
        calibrated=published.calibrated,
        licence=catalogue.INSIGHTFACE_LICENCE,
        source=published.url,
        detector=_file(folder / names[0], known),
        recogniser=_file(folder / names[1], known),
        second_look=False,
    )


def _from_shapes(folder: Path) -> Pack:
    files = sorted(folder.glob("*.onnx"))
    if not files:
        raise ConfigurationError(
            f"The folder {folder} holds no pack: put a detector (SCRFD with five "
            f"points) and a recogniser ({CROP_SIZE} x {CROP_SIZE}) there as .onnx."
        )
    shapes = {path: read_shapes(path) for path in files}
    detector = _only(
        folder, "detector", filter(lambda p: is_detector(shapes[p]), files)
    )
    recogniser = _only(
        folder, "recogniser", filter(lambda p: is_recogniser(shapes[p]), files)
    )
    known = recorded(folder)
    return _own(
        folder.name,
        dimension=shapes[recogniser].output[1],
        detector=_file(detector, known),
        recogniser=_file(recogniser, known),
        licence=f"That of the files' makers: see {folder}",
    )


def _from_manifest(folder: Path) -> Pack:
    from insightface.model_zoo.package_manifest import load_model_package

    try:
        package = load_model_package(folder)
    except (OSError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"The manifest of {folder} is wrong: {error}."
        ) from error
    absent = {"detection", "recognition"} - set(package.tasks)
    if absent:
        raise ConfigurationError(
            f"The package {package.name} has no {' and no '.join(sorted(absent))} "
            "network: choose another pack."
        )
    detection, recognition = package.task("detection"), package.task("recognition")
    metadata = recognition.metadata
    if tuple(metadata["input_size"]) != (CROP_SIZE, CROP_SIZE):
        raise ConfigurationError(
            f"The recogniser of {package.name} takes faces of "
            f"{metadata['input_size'][0]} pixels: only {CROP_SIZE} are supported."
        )
    known = recorded(folder)
    return _own(
        package.name,
        dimension=int(metadata["embedding_dimension"]),
        detector=_declared(detection, known),
        recogniser=_declared(recognition, known),
        licence=f"See {package.license_path}",
    )


def _own(
    name: str,
    *,
    dimension: int,
    detector: ModelFile,
    recogniser: ModelFile,
    licence: str,
) -> Pack:
    """A pack that nothing is published about."""
    published = catalogue.PACKS.get(name)
    return Pack(
        name=name,
        dimension=dimension,
        input_size=CROP_SIZE,
        threshold=catalogue.UNKNOWN_THRESHOLD,
        margin=catalogue.MARGIN,
        threshold_source=catalogue.UNMEASURED,
        calibrated=False,
        licence=catalogue.INSIGHTFACE_LICENCE if published else licence,
        source=published.url if published else str(detector.path.parent),
        detector=detector,
        recogniser=recogniser,
        second_look=False,
    )


def _declared(task: ModelTaskDescriptor, known: dict[str, str]) -> ModelFile:
    stated = task.metadata["preprocessing"]
    preprocessing = (
        Preprocessing(0.0, 1.0, embedded=True)
        if isinstance(stated, str)
        else Preprocessing(float(stated["mean"]), float(stated["std"]))
    )
    sha256 = task.sha256 or known.get(task.file, "")
    path = Path(task.path)
    if not path.is_file():
        raise ConfigurationError(f"The manifest names {path}, which is missing.")
    return ModelFile(path, sha256 or sha256_of(path), preprocessing)


def _file(path: Path, known: dict[str, str]) -> ModelFile:
    # Without a published or recorded hash the file is taken as it is.
    return ModelFile(path, known.get(path.name) or sha256_of(path))


def _only(folder: Path, kind: str, found: Iterable[Path]) -> Path:
    files = list(found)
    if len(files) == 1:
        return files[0]
    names = ", ".join(path.name for path in files) or "none"
    raise ConfigurationError(
        f"The folder {folder} needs one {kind} and holds {names}: "
        "keep one .onnx file of each kind."
    )


def is_detector(shapes: Shapes) -> bool:
    """Whether a network looks like SCRFD with five points."""
    return shapes.outputs in _DETECTOR_OUTPUTS and len(shapes.input) == 4


def is_recogniser(shapes: Shapes) -> bool:
    """Whether a network turns one aligned face into one embedding."""
    one_of_each = shapes.inputs == 1 and shapes.outputs == 1
    if not one_of_each or shapes.input[1:] != (3, CROP_SIZE, CROP_SIZE):
        return False
    # Networks for age and the like have the same input and a handful of outputs.
    return len(shapes.output) == 2 and shapes.output[1] >= 64


def read_shapes(path: Path) -> Shapes:
    """What an ONNX file says of itself; raises ConfigurationError for another file."""
    import onnx
    from google.protobuf.message import (  # type: ignore[import-untyped]
        DecodeError,
    )

    try:
        graph = onnx.load_model(path, load_external_data=False).graph
    except (DecodeError, OSError, ValueError) as error:
        raise ConfigurationError(f"The file {path} is no ONNX model.") from error
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    return Shapes(
        inputs=len(inputs),
        outputs=len(graph.output),
        input=_sizes(inputs[0]) if inputs else (),
        output=_sizes(graph.output[0]) if graph.output else (),
    )


def _sizes(value: object) -> tuple[int, ...]:
    dimensions = value.type.tensor_type.shape.dim  # type: ignore[attr-defined]
    return tuple(int(dimension.dim_value) for dimension in dimensions)


def _has_manifest(folder: Path) -> bool:
    from insightface.model_zoo.package_manifest import has_model_package_manifest

    return bool(has_model_package_manifest(folder))


def _missing(name: str, folder: Path) -> str:
    published = catalogue.PACKS.get(name)
    if published is None:
        return (
            f"FACE_MODEL is '{name}', which is unknown: set it to "
            f"{', '.join(catalogue.NAMES)}, or to a folder with a pack."
        )
    files = f"{published.detector} and {published.recogniser}"
    return (
        f"The pack {name} is not in {folder}: run `manage.py faces_models fetch "
        f"{name}`, or put {files if published.detector else 'its files'} there."
    )
