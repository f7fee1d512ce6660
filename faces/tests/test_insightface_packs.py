"""Packs of InsightFace's kind, once found, run on our terms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from faces.engine import (
    arcface,
    optimise,
    packs,
    scrfd,
    sessions,
)
from faces.engine.pipeline import FaceEngine
from faces.tests.insightface_pack import (
    DIMENSION,
    SQUARE,
    box_at,
    photo_with_squares,
    points_at,
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


def test_memory_that_is_kept_for_large_photos_keeps_nothing_of_them(
    engine: FaceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LARGE_RUN", 100)
    detector = engine._detector
    assert isinstance(detector, scrfd.Scrfd)
    rounds = [((16, 32), 416, 640), ((112, 96), 200, 240), ((48, 64), 250, 300)]

    for corner, height, width in rounds:
        photo = photo_with_squares(corner, height=height, width=width)
        assert [one.box for one in detector.look(photo)] == [box_at(*corner)]
        assert detector.look(np.zeros_like(photo)) == []


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
    assert "its rewritten network differs" in caplog.text


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
