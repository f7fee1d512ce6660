"""manage.py faces_models: what is there, getting more, and choosing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from classroom.models import Student
from faces import runtime
from faces.engine import catalogue
from faces.engine.packs import find_pack
from faces.tests.factories import make_template
from faces.tests.file_server import serving
from faces.tests.insightface_pack import write_pack

pytestmark = pytest.mark.django_db

Run = Callable[..., str]


@pytest.fixture
def run() -> Run:
    """Call the command and return what it says."""

    def call(*arguments: str) -> str:
        said = StringIO()
        call_command("faces_models", *arguments, stdout=said, verbosity=0)
        return said.getvalue()

    return call


@pytest.fixture
def root(tmp_path: Path, settings: Settings) -> Path:
    settings.FACE_MODEL_ROOT = str(tmp_path / "models")
    return tmp_path / "models"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_pack(tmp_path / "ours")


def test_the_list_marks_what_is_in_use_and_what_is_not_here(
    run: Run, root: Path
) -> None:
    lines = {line[2:].split()[0]: line for line in run("list").splitlines()[:-1]}

    assert set(lines) == set(catalogue.NAMES)
    assert lines["sface"].startswith("*")
    assert "not here (289 MB)" in lines["buffalo_l"]
    assert "Non-commercial research only" in lines["buffalo_l"]


def test_the_list_names_a_broken_pack(run: Run, root: Path) -> None:
    write_pack(root / "buffalo_l", detector="det_10g.onnx")

    assert "broken" in run("list")


def test_the_list_counts_who_is_enrolled(
    run: Run, root: Path, students: list[Student]
) -> None:
    make_template(students[0], 1)

    assert "1 students enrolled" in run("list")


def test_info_tells_the_contract(run: Run) -> None:
    told = run("info", "sface")

    for part in ("sface:fb143eea0783", "0.44", "Apache-2.0", "128 numbers"):
        assert part in told


def test_info_of_a_pack_that_is_not_here_shows_its_licence(
    run: Run, root: Path
) -> None:
    told = run("info", "buffalo_l")

    assert "non-commercial research only" in told
    assert "faces_models fetch buffalo_l" in told


def test_info_of_an_unknown_pack_is_one_line(run: Run) -> None:
    with pytest.raises(CommandError, match="unknown") as caught:
        run("info", "nonesuch")

    assert "\n" not in str(caught.value)


def test_nothing_is_fetched_before_the_licence_is_accepted(
    run: Run, root: Path
) -> None:
    with serving(b"") as server:
        with pytest.raises(CommandError, match="--accept-licence"):
            run("fetch", "buffalo_s", "--url", server.url)

        assert server.ranges == []
    assert not root.exists()


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[str]:
    """The address of a pack with buffalo_s's file names."""
    folder = write_pack(
        tmp_path / "made", detector="det_500m.onnx", recogniser="w600k_mbf.onnx"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for path in folder.iterdir():
            opened.write(path, path.name)
    with serving(buffer.getvalue()) as server:
        yield server.url


def test_a_fetched_pack_is_ready_to_be_used(run: Run, root: Path, archive: str) -> None:
    told = run("fetch", "buffalo_s", "--accept-licence", "--url", archive)

    assert "non-commercial research only" in told
    assert "first seen, now recorded" in told
    assert "faces_models use buffalo_s" in told
    assert find_pack("buffalo_s", root=root).dimension == 512


def test_a_pack_that_is_here_is_not_fetched_again(
    run: Run, root: Path, archive: str
) -> None:
    run("fetch", "buffalo_s", "--accept-licence", "--url", archive)

    with serving(b"") as server:
        told = run("fetch", "buffalo_s", "--accept-licence", "--url", server.url)
        assert server.ranges == []

    assert "is here already" in told


def test_a_pack_with_a_changed_file_is_fetched_again(
    run: Run, root: Path, archive: str
) -> None:
    run("fetch", "buffalo_s", "--accept-licence", "--url", archive)
    (root / "buffalo_s" / "w600k_mbf.onnx").write_bytes(b"changed")

    run("fetch", "buffalo_s", "--accept-licence", "--url", archive)

    assert find_pack("buffalo_s", root=root).dimension == 512


def test_an_unreachable_server_is_one_line(run: Run, root: Path) -> None:
    with serving(b"") as gone:
        url = gone.url

    with pytest.raises(CommandError, match="on another machine") as caught:
        run("fetch", "buffalo_l", "--accept-licence", "--url", url)

    assert "\n" not in str(caught.value)


def test_use_writes_the_one_line_and_keeps_the_rest(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("# ours\nFACE_MODEL=sface\nSECRET_KEY=a=b#c\n")
    env_file.chmod(0o640)

    run("use", str(folder), "--env-file", str(env_file))

    assert env_file.read_text() == (f"# ours\nFACE_MODEL={folder}\nSECRET_KEY=a=b#c\n")
    assert env_file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("before", ["", "TIME_ZONE=UTC", "# FACE_MODEL=old\n"])
def test_use_adds_the_line_where_there_is_none(
    run: Run, tmp_path: Path, before: str
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(before)

    run("use", "sface", "--env-file", str(env_file))

    lines = env_file.read_text().splitlines()
    assert lines == [*before.splitlines(), "FACE_MODEL=sface"]


def test_use_changes_nothing_for_a_pack_that_does_not_load(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    (folder / "embed.onnx").unlink()
    env_file = tmp_path / ".env"
    env_file.write_text("FACE_MODEL=sface\n")

    with pytest.raises(CommandError, match="needs one recogniser"):
        run("use", str(folder), "--env-file", str(env_file))

    assert env_file.read_text() == "FACE_MODEL=sface\n"


def test_use_says_what_becomes_of_the_enrolled_faces(
    run: Run, folder: Path, tmp_path: Path, students: list[Student]
) -> None:
    make_template(students[0], 1)
    make_template(students[1], 2)
    make_template(students[1], 2, model_id=find_pack(str(folder)).model_id)

    told = run("use", str(folder), "--env-file", str(tmp_path / ".env"))

    assert "a face for ours: 1 students; in need of a new photo: 1." in told
    assert "faces_prune" in told
    assert "faces_calibrate" in told


def test_use_warns_of_a_threshold_that_was_set_for_another_model(
    run: Run, folder: Path, tmp_path: Path, settings: Settings
) -> None:
    settings.FACE_SIMILARITY_THRESHOLD = 0.44

    told = run("use", str(folder), "--env-file", str(tmp_path / ".env"))

    assert "FACE_SIMILARITY_THRESHOLD=0.44" in told


def test_use_warns_where_the_environment_wins(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("FACE_MODEL=buffalo_l\n")

    told = run("use", str(folder), "--env-file", str(env_file))

    assert "wins over the file" in told


def test_use_works_before_the_database_is_made(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE faces_facetemplate RENAME TO gone")

    told = run("use", str(folder), "--env-file", str(tmp_path / ".env"))

    assert "FACE_MODEL=" in told


def test_a_careful_guess_of_a_threshold_is_announced(folder: Path) -> None:
    (line,) = runtime.warnings_of(find_pack(str(folder)))

    assert "faces_calibrate" in line


@pytest.mark.parametrize(("chosen", "lines"), [(0.6, 1), (0.46, 0), (None, 0)])
def test_a_threshold_far_from_the_calibrated_one_is_announced(
    settings: Settings, chosen: float | None, lines: int
) -> None:
    settings.FACE_SIMILARITY_THRESHOLD = chosen

    assert len(runtime.warnings_of(find_pack("sface"))) == lines
