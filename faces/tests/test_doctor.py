"""manage.py faces_doctor proves that the engine is well, or says what to change."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from classroom.models import Student
from faces import diagnosis, runtime
from faces.diagnosis import diagnose
from faces.engine import packs, sessions
from faces.engine.pipeline import FaceEngine
from faces.models import FaceTemplate
from faces.status import Timing
from faces.tests.factories import make_template
from faces.tests.insightface_pack import write_pack

pytestmark = pytest.mark.django_db


def doctor() -> str:
    said = StringIO()
    try:
        call_command("faces_doctor", stdout=said)
    finally:
        told = said.getvalue()
    return told


def test_a_sound_engine_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    told = doctor()

    for part in ("fb143eea0783", "CPUExecutionProvider", "6 faces", "ms a face", "MB"):
        assert part in told
    assert "is well" in told
    assert "Wrong" not in told


def test_the_diagnosis_carries_the_figures() -> None:
    found = diagnose()

    assert found.healthy
    assert found.timing is not None
    assert found.timing.faces == 6
    assert found.timing.detection > 0
    assert found.timing.embedding_per_face > 0
    assert found.running == ("CPUExecutionProvider",)


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_engine", None)


def test_an_engine_that_does_not_start_is_a_fault(
    settings: Settings, no_engine: None, tmp_path: Path
) -> None:
    settings.FACE_MODEL, settings.FACE_MODEL_ROOT = "buffalo_l", str(tmp_path)

    found = diagnose()

    assert not found.healthy
    assert "faces_models fetch buffalo_l" in found.faults[0]
    assert (found.pack, found.timing) == (None, None)


def test_the_exit_code_tells_that_something_is_wrong(
    settings: Settings, no_engine: None
) -> None:
    settings.FACE_MODEL = "nonesuch"

    with pytest.raises(CommandError, match="Found wrong: 1"):
        doctor()


def test_cuda_that_is_not_there_is_a_fault(
    settings: Settings, no_engine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FACE_DEVICE = "cuda"
    monkeypatch.setattr(sessions, "_has_cuda_driver", lambda: False)

    found = diagnose()

    assert "no NVIDIA driver" in found.faults[0]
    assert "FACE_DEVICE=cpu" in found.faults[0]


def test_a_detector_that_finds_other_things_than_people_is_a_fault(
    tmp_path: Path,
) -> None:
    loaded = packs.load_pack(str(write_pack(tmp_path / "squares")), device="cpu")

    with runtime.use_engine(FaceEngine(loaded)):
        found = diagnose()

    assert any("of the 6 people" in fault for fault in found.faults)
    assert any("faces_calibrate" in line for line in found.advice)


def test_a_driver_without_libraries_is_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "cuda_problem", lambda: "")

    found = diagnose()

    assert found.healthy
    assert any("requirements-gpu.txt" in line for line in found.advice)


def test_more_threads_than_cores_are_advice(settings: Settings) -> None:
    settings.FACE_THREADS = 200

    assert any("FACE_THREADS=200" in line for line in diagnose().advice)


@pytest.mark.parametrize(
    ("name", "words"), [("sface", "what else this machine does"), ("ours", "a GPU")]
)
def test_a_slow_engine_is_advice_that_fits_the_model(name: str, words: str) -> None:
    slow = Timing(
        faces=6, width=64, height=64, detection=1, second_look=1, embedding=6000
    )

    (line,) = diagnosis.timing_advice(slow, name=name)

    assert "1000 ms" in line
    assert words in line


def test_packages_that_overwrite_each_other_are_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = [
        SimpleNamespace(metadata={"Name": name})
        for name in ("opencv-python", "OpenCV-Python-Headless", "onnxruntime")
    ]
    monkeypatch.setattr(diagnosis, "distributions", lambda: here)

    (fault,) = diagnosis.clashes()

    assert "opencv-python-headless" in fault


def test_templates_that_cannot_be_opened_are_a_fault(students: list[Student]) -> None:
    make_template(students[0], 1)
    FaceTemplate.objects.update(sealed_embedding=b"\0" * 40)

    assert any("1 template can't be opened" in fault for fault in diagnose().faults)


def test_students_of_another_model_are_advice(students: list[Student]) -> None:
    make_template(students[0], 1, model_id="older:0123456789ab")

    assert any("1 student was enrolled" in line for line in diagnose().advice)


def test_a_database_that_is_not_migrated_is_a_fault() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE faces_facetemplate RENAME TO gone")

    assert any("database" in fault for fault in diagnose().faults)
