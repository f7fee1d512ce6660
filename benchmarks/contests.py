"""(a) One frame to an identity and (b) thirty faces of a group photo, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks import material, peers, serving
from benchmarks.turns import Call, Times, announce, take_turns, timed, timed_elsewhere
from faces.engine import alignment, packs
from faces.engine.optimise import optimised
from faces.engine.pipeline import FaceEngine
from faces.engine.types import Image
from faces.matching import Gallery, match

THREADS: Final = 2
GROUP_SIZE: Final = 1920  # what /attendance/group detects at
GROUP_SHARE: Final = 5  # a group photo takes so many times longer: fewer rounds

OURS: Final = "Rollbook"
HTTP: Final = "Rollbook, HTTP /face/verify"
VERIFYFACE: Final = "verifyface"
SINGLES: Final = "verifyface, a frame of 640 x 480 each"
CUTS: Final = "verifyface, cuts of the photo"
PRIVATE: Final = "verifyface, private functions"
DLIB: Final = "dlib as face_recognition"
STOCK: Final = "insightface FaceAnalysis, this shape of photo"
ANY_PHOTO: Final = "insightface FaceAnalysis, any photo"
OPENVINO: Final = "OpenVINO, float32"
BFLOAT16: Final = "OpenVINO, bfloat16"


@dataclass(frozen=True, slots=True)
class Contest:
    """One thing that several did in turn, and how many faces each of them found."""

    title: str
    times: dict[str, Times]
    faces: dict[str, int] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)

    def ratio(self, one: str, other: str) -> float:
        """How many times as long ``one`` takes as ``other``, by their medians."""
        return self.times[one].median / self.times[other].median


@dataclass(frozen=True, slots=True)
class Scene:
    """The two photos, in memory and as files for the peers."""

    frame: Image
    group: Image
    options: dict[str, Any]


def prepare(folder: Path, engine: FaceEngine) -> Scene:
    """Compose the photos and write them where peers read them."""
    frame, group = material.frame(), material.group_photo(engine)
    options: dict[str, Any] = {"people": material.PEOPLE, "threads": THREADS}
    photos = {"frame": frame, "group": group, "singles": material.singles(group)}
    for name, image in photos.items():
        path = folder / f"{name}.npy"
        np.save(path, image)
        options[name] = str(path)
    return Scene(frame, group, options)


def load_engine(pack: str) -> FaceEngine:
    """A warm engine as the product makes it on two cores."""
    loaded = packs.load_pack(pack, device="cpu", threads=THREADS)
    engine = FaceEngine(loaded)
    engine.warm_up()
    return engine


def embedded(
    scene: Scene, engine: FaceEngine, folder: Path, *, rounds: int
) -> list[Contest]:
    """The embedded pack beside verifyface (the same weights) and dlib."""
    photo = material.jpeg(scene.frame)
    options = scene.options | {"folder": str(folder / "vault")}
    with ExitStack() as stack:
        site = stack.enter_context(serving.site(folder, photo, {}))
        client = serving.Client(site, photo)
        other = stack.enter_context(peers.running("verifyface", **options))
        older = stack.enter_context(peers.running("dlib", **options))
        announce("One frame beside verifyface and dlib")
        frame = take_turns(
            {
                OURS: timed(identity(engine, scene.frame)),
                HTTP: timed_elsewhere(_right(client.verify)),
                VERIFYFACE: other.call("frame"),
                DLIB: older.call("frame"),
            },
            rounds=rounds,
        )
        assert other.answers["frame"] and older.answers["frame"]
        announce("Thirty faces beside verifyface and dlib")
        found, group = _group_turns(
            {
                OURS: _everybody(engine, scene.group),
                SINGLES: (other, "singles"),
                CUTS: (other, "cuts"),
                PRIVATE: (other, "private"),
                DLIB: (older, "group"),
            },
            rounds,
        )
        peak = {SINGLES: other.peak_mb, DLIB: older.peak_mb}
    return [
        Contest("One frame of 640 x 480 pixels to an identity", frame),
        Contest("Thirty faces on 1920 x 1280 pixels", group, found, peak),
    ]


def beside_insightface(
    scene: Scene, pack: Path, title: str, *, rounds: int
) -> list[Contest]:
    """A pack in our engine and in stock FaceAnalysis with the same detection size."""
    engine = load_engine(str(pack))
    options = scene.options | {"pack": str(pack)}
    with (
        peers.running("insightface", **options, any_photo=False) as stock,
        peers.running("insightface", **options, any_photo=True) as square,
    ):
        announce(f"One frame and thirty faces beside FaceAnalysis, {title}")
        frame = take_turns(
            {
                OURS: timed(identity(engine, scene.frame)),
                STOCK: stock.call("frame"),
                ANY_PHOTO: square.call("frame"),
            },
            rounds=rounds,
        )
        assert stock.answers["frame"] and square.answers["frame"]
        found, group = _group_turns(
            {
                OURS: _everybody(engine, scene.group),
                STOCK: (stock, "group"),
                ANY_PHOTO: (square, "group"),
            },
            rounds,
        )
        peak = {STOCK: stock.peak_mb, ANY_PHOTO: square.peak_mb}
    return [
        Contest(f"One frame, {title}", frame),
        Contest(f"Thirty faces, {title}", group, found, peak),
    ]


def limit(
    scene: Scene, engine: FaceEngine, folder: Path, *, rounds: int
) -> list[Contest]:
    """Our models alone beside OpenVINO on the very same optimised graphs."""
    faces = engine.detect(scene.group, detection_size=GROUP_SIZE)
    crops = [alignment.align(scene.group, face.landmarks) for face in faces]
    assert len(crops) == material.FACES
    loaded = packs.load_pack(packs.EMBEDDED, device="cpu", threads=THREADS)
    detect, embed = loaded.detector.detect, loaded.recogniser.embed
    contract = loaded.contract
    graphs = {
        "batch": (contract.recogniser, (0,), cv2.dnn.blobFromImages(crops)),
        "face": (contract.recogniser, (0,), cv2.dnn.blobFromImages(crops[:1])),
        "frame": (contract.detector, (0, 2, 3), cv2.dnn.blobFromImages([scene.frame])),
    }
    options = dict(scene.options) | {"models": list(graphs)}
    for name, (file, free, blob) in graphs.items():
        graph = folder / f"{name}.onnx"
        graph.write_bytes(optimised(file.path, free=free))
        np.save(folder / f"{name}_input.npy", blob)
        options[f"{name}_model"] = str(graph)
        options[f"{name}_input"] = str(folder / f"{name}_input.npy")
    ours: dict[str, tuple[str, Callable[[], object]]] = {
        "batch": ("Embedding 30 aligned faces", lambda: embed(crops)),
        "face": ("Embedding one aligned face", lambda: embed(crops[:1])),
        "frame": ("Detecting on 640 x 480 pixels", lambda: detect([scene.frame])),
    }
    announce("The same graphs in OpenVINO")
    with peers.running("openvino", **options) as other:
        return [
            Contest(
                title,
                take_turns(
                    {
                        OURS: timed(call),
                        OPENVINO: other.call(f"{name} f32"),
                        BFLOAT16: other.call(f"{name} bf16"),
                    },
                    rounds=rounds,
                ),
            )
            for name, (title, call) in ours.items()
        ]


def identity(engine: FaceEngine, frame: Image) -> Callable[[], None]:
    """Detect, take the largest face, embed it and match it: as /face/verify does."""
    person = engine.analyse(frame, max_faces=1)[0].embedding
    strangers = material.unit_vectors(material.PEOPLE - 1, engine.dimension)
    gallery = Gallery.build(list(enumerate([person, *strangers])))

    def call() -> None:
        face = engine.describe(frame, engine.detect(frame)[:1])[0]
        (found,) = match(
            face.embedding[np.newaxis],
            gallery,
            threshold=engine.threshold,
            margin=engine.margin,
        )
        assert found.student_id == 0

    return call


def _everybody(engine: FaceEngine, group: Image) -> Callable[[], int]:
    return lambda: len(engine.analyse(group, detection_size=GROUP_SIZE))


def _group_turns(
    contestants: Mapping[str, Callable[[], int] | tuple[peers.Peer, str]], rounds: int
) -> tuple[dict[str, int], dict[str, Times]]:
    """Faces found and times; a contestant is a call here or a peer and its call."""
    calls: dict[str, Call] = {
        name: one[0].call(one[1]) if isinstance(one, tuple) else timed(one)
        for name, one in contestants.items()
    }
    times = take_turns(calls, rounds=max(rounds // GROUP_SHARE, 1), warm_up=1)
    found = {
        name: int(one[0].answers[one[1]]) if isinstance(one, tuple) else one()
        for name, one in contestants.items()
    }
    return found, times


def _right(verify: Callable[[], bool]) -> Callable[[], None]:
    def call() -> None:
        assert verify()

    return call
