"""Packs of InsightFace's kind are found by name, by manifest or by shape."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import onnx
import pytest

from faces.engine import (
    catalogue,
    folders,
    packs,
)
from faces.engine.errors import ConfigurationError
from faces.tests.insightface_pack import (
    DIMENSION,
    square_detector,
    write_pack,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("packs") / "ours")


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
