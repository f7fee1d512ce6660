"""Packs of InsightFace's kind: found by name, manifest or shape, run on our terms."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from faces.engine import (
    arcface,
    catalogue,
    folders,
    optimise,
    packs,
    scrfd,
    sessions,
)
from faces.engine.errors import ConfigurationError
from faces.engine.pipeline import FaceEngine
from faces.tests.insightface_pack import (
    DIMENSION,
    SQUARE,
    box_at,
    photo_with_squares,
    points_at,
    square_detector,
    write_pack,
)
from faces.tests.test_optimise import iresnet_like


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("packs") / "ours")


@pytest.fixture(scope="module")
def engine(folder: Path) -> FaceEngine:
    return FaceEngine(packs.load_pack(str(folder), device="cpu"))


def crops(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(3)
    grids = random.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return [cv2.resize(grid, (112, 112)) for grid in grids]


def write_manifest(folder: Path, **recognition: object) -> None:
    (folder / "MODEL.LICENSE").write_text("Ours.")
    tasks: dict[str, object] = {
        "detection": {"file": "det.onnx"},
        "recognition": {
            "file": "embed.onnx",
            "embedding_dimension": DIMENSION,
            **recognition,
        },
    }
    document = {
        "manifest_version": 2,
        "model_id": "packaged",
        "license": "MODEL.LICENSE",
        "tasks": tasks,
    }
    (folder / "manifest.json").write_text(json.dumps(document))


def test_a_folder_is_routed_by_the_shapes_of_its_networks(folder: Path) -> None:
    pack = packs.find_pack(str(folder))

    assert pack.detector.path.name == "det.onnx"
    assert pack.recogniser.path.name == "embed.onnx"
    assert (pack.name, pack.dimension, pack.input_size) == ("ours", DIMENSION, 112)


def test_the_model_id_names_the_pack_and_its_recogniser(folder: Path) -> None:
    found = hashlib.sha256((folder / "embed.onnx").read_bytes()).hexdigest()

    assert packs.find_pack(str(folder)).model_id == f"ours:{found[:12]}"


def test_an_unknown_pack_is_careful_and_says_so(folder: Path) -> None:
    pack = packs.find_pack(str(folder))

    assert not pack.calibrated
    assert "faces_calibrate" in pack.threshold_source
    assert pack.threshold > catalogue.PACKS["buffalo_l"].threshold


def test_faces_are_found_where_they_are(engine: FaceEngine) -> None:
    corners = [(48, 64), (144, 96)]

    found = engine.detect(photo_with_squares(*corners))

    assert sorted(face.box for face in found) == [box_at(*one) for one in corners]
    for face in found:
        expected = points_at(*((48, 64) if face.box[0] < 100 else (144, 96)))
        np.testing.assert_allclose(face.landmarks, expected, atol=1e-4)


def test_a_photo_of_nobody_has_no_faces(engine: FaceEngine) -> None:
    assert engine.detect(photo_with_squares()) == []


def test_a_face_as_large_as_the_photo_is_found(engine: FaceEngine) -> None:
    # Pixels that meet in a white square when 1024 pixels become 128, and not before.
    photo = photo_with_squares(height=1024, width=1024)
    white = [512 + 8 * step + offset for step in range(16) for offset in (3, 4)]
    photo[np.ix_(white, white)] = 255

    (face,) = engine.detect(photo, detection_size=1024)

    assert face.box == tuple(8 * value for value in box_at(64, 64))


def test_embeddings_equal_those_of_the_original_network(engine: FaceEngine) -> None:
    pictures = crops(7)
    session = sessions.create_session(iresnet_like(DIMENSION), device="cpu")
    blobs = [
        cv2.dnn.blobFromImage(crop, 1 / 127.5, (112, 112), (127.5,) * 3, swapRB=True)
        for crop in pictures
    ]
    expected = np.concatenate([session.run(None, {"input.1": b})[0] for b in blobs])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)

    found = engine._recogniser.embed(pictures)

    assert found.shape == (7, DIMENSION)
    assert (found * expected).sum(axis=1).min() >= 1 - 1e-5


@pytest.mark.parametrize(("large", "sizes"), [(0, [4, 4]), (10**9, [1] * 8)])
def test_a_large_network_takes_several_faces_a_run_and_a_small_one_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, large: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(arcface, "LARGE", large)
    recogniser = packs.load_pack(str(folder), device="cpu", threads=2).recogniser
    seen: list[int] = []
    real_run = sessions.run

    def run(session: Any, feed: dict[str, Any]) -> list[Any]:
        seen.extend(len(array) for array in feed.values())
        return real_run(session, feed)

    monkeypatch.setattr(sessions, "run", run)
    recogniser.embed(crops(8))

    assert seen == sizes


@pytest.mark.parametrize("corners", [(), ((48, 64),), ((16, 32), (112, 96))])
@pytest.mark.parametrize("size", [(200, 240), (192, 224), (416, 640)])
def test_the_detector_finds_what_insightface_finds(
    engine: FaceEngine, corners: tuple[tuple[int, int], ...], size: tuple[int, int]
) -> None:
    photo = photo_with_squares(*corners, height=size[0], width=size[1])
    whole = np.pad(photo, ((0, -size[0] % 32), (0, -size[1] % 32), (0, 0)))
    detector = engine._detector
    assert isinstance(detector, scrfd.Scrfd)
    boxes, points = detector._model.detect(whole, input_size=whole.shape[1::-1])

    found = detector.look(photo)

    assert len(found) == len(corners) == len(boxes)
    for one, box, five in zip(found, boxes, points, strict=True):
        x, y, width, height = one.box
        assert (x, y, x + width, y + height, one.score) == tuple(box.tolist())
        np.testing.assert_array_equal(one.landmarks, five)


def test_a_detector_whose_wider_channels_change_it_keeps_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def spoilt(model: bytes, *, block: int) -> bytes:
        changed = onnx.load_from_string(model)
        (weight,) = (
            one for one in changed.graph.initializer if one.name == f"grey{SQUARE}"
        )
        values = numpy_helper.to_array(weight) * 2
        weight.CopyFrom(numpy_helper.from_array(values, weight.name))
        return bytes(changed.SerializeToString())

    monkeypatch.setattr("faces.engine.channels.in_blocks", spoilt)
    detector = packs.load_pack(str(folder), device="cpu").detector

    (found,) = detector.detect([photo_with_squares((48, 64))])

    assert found[0].box == box_at(48, 64)
    assert "channels as they are" in caplog.text


def with_fixed_batch(model: bytes) -> bytes:
    """The network with all its rows folded into one at the end."""
    graph = onnx.load_from_string(model)
    top = graph.graph.node[-1]
    name = top.output[0]
    top.output[0] = "rows"
    shape = numpy_helper.from_array(np.array([-1], np.int64), "flat_shape")
    again = numpy_helper.from_array(np.array([1, -1], np.int64), "one_row")
    graph.graph.initializer.extend([shape, again])
    graph.graph.node.extend(
        [
            onnx.helper.make_node("Reshape", ["rows", "flat_shape"], ["line"]),
            onnx.helper.make_node("Unsqueeze", ["line", "axis"], [name]),
        ]
    )
    axis = numpy_helper.from_array(np.array([0], np.int64), "axis")
    graph.graph.initializer.append(axis)
    return bytes(graph.SerializeToString())


def test_a_network_that_folds_a_batch_into_a_row_runs_face_by_face(
    tmp_path: Path, engine: FaceEngine
) -> None:
    write_pack(tmp_path)
    folded = with_fixed_batch(iresnet_like(DIMENSION))
    (tmp_path / "embed.onnx").write_bytes(folded)

    found = packs.load_pack(str(tmp_path), device="cpu").recogniser.embed(crops(3))

    np.testing.assert_allclose(
        found, engine._recogniser.embed(crops(3)), rtol=0, atol=1e-5
    )


def test_a_rewritten_network_that_differs_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def spoilt(source: Path, *, free: Sequence[int]) -> bytes:
        model = onnx.load_from_string(source.read_bytes())
        weight = model.graph.initializer[0]
        values = numpy_helper.to_array(weight)[::-1].copy()
        weight.CopyFrom(numpy_helper.from_array(values, weight.name))
        optimise.free_axes(model.graph, axes=tuple(free))
        return bytes(model.SerializeToString())

    expected = packs.load_pack(str(folder), device="cpu").recogniser.embed(crops(2))
    monkeypatch.setattr("faces.engine.arcface.optimised", spoilt)

    found = packs.load_pack(str(folder), device="cpu").recogniser.embed(crops(2))

    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert "unoptimised" in caplog.text


def test_only_detector_and_recogniser_become_sessions(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime as ort

    made: list[object] = []
    real = ort.InferenceSession.__init__

    def counted(self: object, model: object, *args: object, **kwargs: object) -> None:
        made.append(model)
        real(self, model, *args, **kwargs)

    monkeypatch.setattr(ort.InferenceSession, "__init__", counted)
    loaded = packs.load_pack(str(folder), device="cpu")
    FaceEngine(loaded).analyse(photo_with_squares((48, 64), height=480, width=640))

    # Both, and the originals that they are compared with at the start.
    assert len(made) == 4


def test_a_manifest_names_files_and_input(tmp_path: Path) -> None:
    write_pack(tmp_path)
    write_manifest(tmp_path, preprocessing={"mean": 0.0, "std": 255.0})

    pack = packs.find_pack(str(tmp_path))
    loaded = packs.load_pack(str(tmp_path), device="cpu")

    assert (pack.name, pack.dimension) == ("packaged", DIMENSION)
    assert "MODEL.LICENSE" in pack.licence
    model = loaded.recogniser._models.alone  # type: ignore[attr-defined]
    assert (model.input_mean, model.input_std) == (0.0, 255.0)


def test_a_manifest_with_another_hash_is_refused(tmp_path: Path) -> None:
    write_pack(tmp_path)
    write_manifest(tmp_path, sha256="0" * 64)

    with pytest.raises(ConfigurationError, match="has changed"):
        packs.find_pack(str(tmp_path))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"file": "../embed.onnx"}, "manifest"),
        ({"input_size": [224, 224]}, "224 pixels"),
        ({"file": "gone.onnx"}, "gone.onnx"),
    ],
)
def test_a_wrong_manifest_is_refused_in_one_line(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    write_pack(tmp_path)
    write_manifest(tmp_path, **changes)

    with pytest.raises(ConfigurationError, match=words) as caught:
        packs.find_pack(str(tmp_path))

    assert "\n" not in str(caught.value)


def test_a_manifest_that_states_another_dimension_is_refused(tmp_path: Path) -> None:
    write_pack(tmp_path)
    write_manifest(tmp_path, embedding_dimension=256)

    with pytest.raises(ConfigurationError, match="512 numbers a face, 256"):
        packs.load_pack(str(tmp_path), device="cpu")


def test_two_recognisers_in_a_folder_are_one_too_many(tmp_path: Path) -> None:
    write_pack(tmp_path)
    shutil.copy(tmp_path / "embed.onnx", tmp_path / "embed2.onnx")

    with pytest.raises(ConfigurationError, match=r"one recogniser.*embed2\.onnx"):
        packs.find_pack(str(tmp_path))


def test_a_detector_without_points_is_none(tmp_path: Path) -> None:
    write_pack(tmp_path)
    model = onnx.load_from_string(square_detector())
    del model.graph.output[6:]
    (tmp_path / "det.onnx").write_bytes(model.SerializeToString())

    with pytest.raises(ConfigurationError, match="needs one detector"):
        packs.find_pack(str(tmp_path))


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "det.onnx").write_bytes(b"no model")

    with pytest.raises(ConfigurationError, match=r"det\.onnx is no ONNX model"):
        packs.find_pack(str(tmp_path))


@pytest.mark.parametrize("name", sorted(catalogue.PACKS))
def test_a_pack_that_is_not_there_says_how_to_get_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        packs.find_pack(name, root=tmp_path)

    told = str(caught.value)
    assert str(tmp_path / name) in told
    assert f"faces_models fetch {name}" in told
    assert catalogue.PACKS[name].recogniser in told
    assert "\n" not in told


def test_what_clients_hear_of_it_names_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        packs.find_pack("buffalo_l", root=tmp_path)

    assert str(tmp_path) not in caught.value.detail


def test_a_pack_that_lacks_a_file_names_it(tmp_path: Path) -> None:
    write_pack(tmp_path / "buffalo_l", detector="det_10g.onnx")

    with pytest.raises(ConfigurationError, match=r"lacks w600k_r50\.onnx"):
        packs.find_pack("buffalo_l", root=tmp_path)


def test_another_file_under_a_published_name_is_refused(tmp_path: Path) -> None:
    write_pack(
        tmp_path / "buffalo_l", detector="det_10g.onnx", recogniser="w600k_r50.onnx"
    )

    with pytest.raises(ConfigurationError, match=r"expected 5838f7fe0536.*fetch"):
        packs.find_pack("buffalo_l", root=tmp_path)


@pytest.mark.parametrize(
    "place", ["buffalo_s", "models/buffalo_s", "buffalo_s/buffalo_s"]
)
def test_a_pack_is_found_wherever_its_archive_was_unpacked(
    tmp_path: Path, place: str
) -> None:
    folder = tmp_path / place
    write_pack(folder, detector="det_500m.onnx", recogniser="w600k_mbf.onnx")

    pack = packs.find_pack("buffalo_s", root=tmp_path)

    assert pack.recogniser.path == folder / "w600k_mbf.onnx"
    assert pack.licence == catalogue.INSIGHTFACE_LICENCE


def test_a_recorded_hash_is_held_against_the_file(tmp_path: Path) -> None:
    folder = write_pack(
        tmp_path / "buffalo_s", detector="det_500m.onnx", recogniser="w600k_mbf.onnx"
    )
    (folder / folders.HASHES).write_text(f"{'0' * 64}  w600k_mbf.onnx\n")

    with pytest.raises(ConfigurationError, match="has changed"):
        packs.find_pack("buffalo_s", root=tmp_path)


def test_the_published_threshold_comes_with_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_pack(
        tmp_path / "buffalo_m", detector="det_2.5g.onnx", recogniser="w600k_r50.onnx"
    )
    published = catalogue.PACKS["buffalo_m"]
    found = hashlib.sha256((folder / "det_2.5g.onnx").read_bytes()).hexdigest()
    monkeypatch.setattr(
        catalogue,
        "PACKS",
        {
            "buffalo_m": catalogue.Published(
                name="buffalo_m",
                url=published.url,
                detector=published.detector,
                recogniser=published.recogniser,
                threshold=published.threshold,
                threshold_source=published.threshold_source,
                sha256=MappingProxyType({"det_2.5g.onnx": found}),
            )
        },
    )

    pack = packs.find_pack("buffalo_m", root=tmp_path)

    assert (pack.threshold, pack.calibrated) == (0.408, True)
    assert "FAR 1e-6" in pack.threshold_source


def test_the_embedded_pack_needs_no_insightface() -> None:
    script = (
        "import sys; sys.modules['insightface'] = None\n"
        "from faces.engine import packs; packs.load_pack('sface', device='cpu')"
    )

    done = subprocess.run([sys.executable, "-c", script], check=False)  # noqa: S603

    assert done.returncode == 0
