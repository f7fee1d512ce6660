"""manage.py faces_evaluate: real photos in, a report, charts and scores out."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from faces import runtime
from faces.engine import packs
from faces.engine.pipeline import FaceEngine
from faces.engine.types import Image
from faces.evaluation import photos
from faces.evaluation.classes import enrolment, identify
from faces.evaluation.photos import EvaluationError, Photos
from faces.evaluation.rates import pairs_of, rates_at
from faces.tests import beside
from faces.tests.beside import LFW, PACK
from faces.tests.photos import jpeg
from faces.tests.real_engine import astronaut, close_ups, read, real_engine

PEOPLE = 7  # six of the packaged photo, and the astronaut
PHOTOS = 3  # of each


def views(photo: Image) -> list[bytes]:
    """Three photos of one person: as it is, mirrored, and smaller and darker."""
    small = cv2.resize(photo, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    darker = cv2.convertScaleAbs(small, alpha=0.75)
    return [jpeg(photo), jpeg(_image(cv2.flip(photo, 1))), jpeg(_image(darker))]


def _image(pixels: object) -> Image:
    return np.asarray(pixels, dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder a person with three photos in each."""
    made = tmp_path_factory.mktemp("people")
    originals = [read(photo) for photo in close_ups()] + [astronaut()]
    for number, original in enumerate(originals):
        person = made / f"person-{number}"
        person.mkdir()
        for view, photo in enumerate(views(original)):
            (person / f"{view}.jpg").write_bytes(photo)
    return made


@pytest.fixture(autouse=True)
def engine() -> Iterator[FaceEngine]:
    with runtime.use_engine(real_engine()):
        yield real_engine()


def evaluate(folder: Path, *options: str) -> str:
    out = StringIO()
    call_command("faces_evaluate", folder, *options, stdout=out, verbosity=0)
    return out.getvalue()


def rows_of(report: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    part = report.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_it_reports_detection_pairs_classes_and_advice(folder: Path) -> None:
    report = evaluate(folder)

    assert f"on {PEOPLE} people" in report
    assert f"found on {PEOPLE * PHOTOS} of {PEOPLE * PHOTOS} photos" in report
    pairs = {row[0]: row[1] for row in rows_of(report, "Pairs of photos")[:2]}
    assert pairs == {"genuine": "21", "impostor": "189"}
    assert "too few pairs" in report.split("## In plain words")[1]


def test_people_of_a_class_are_told_apart(folder: Path) -> None:
    size, classes, shown, right, wrong, *_ = rows_of(evaluate(folder), "In classes")[-1]

    assert (size, classes) == (str(PEOPLE), "1")
    assert right == f"{shown} (100.0%)"
    assert wrong.startswith("0 ")


def test_the_threshold_given_is_the_one_that_counts(folder: Path) -> None:
    report = evaluate(folder, "--threshold", "0.999")

    missed = rows_of(report, "In classes")[-1]
    assert missed[3].startswith("0 ")
    assert missed[6] == f"{missed[2]} (100.0%)"


def test_it_writes_report_scores_and_charts(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "deep" / "report"

    report = evaluate(folder, "--output", str(output))

    assert {path.name for path in output.iterdir()} == {
        "report.md",
        "scores.csv",
        "scores.png",
        "det.png",
    }
    assert (output / "report.md").read_text("utf-8").strip() in report
    with (output / "scores.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 210
    assert rows[0]["first"] == "person-0/0.jpg"
    for row in rows:
        same = row["first"].split("/")[0] == row["second"].split("/")[0]
        assert row["genuine"] == str(int(same))


def test_it_names_photos_without_a_face_and_broken_ones(
    folder: Path, tmp_path: Path
) -> None:
    for person in ("person-0", "person-1"):
        (tmp_path / person).mkdir()
        for view in range(PHOTOS):
            photo = (folder / person / f"{view}.jpg").read_bytes()
            (tmp_path / person / f"{view}.jpg").write_bytes(photo)
    blank = jpeg(np.full((200, 200, 3), 127, np.uint8))
    (tmp_path / "person-0" / "wall.jpg").write_bytes(blank)
    (tmp_path / "person-1" / "broken.jpg").write_bytes(b"\xff\xd8 no photo")

    report = evaluate(tmp_path)

    assert "found on 6 of 7 photos" in report
    assert "No face found: person-0/wall.jpg." in report
    assert "Unreadable: person-1/broken.jpg." in report


def test_photos_without_any_face_are_refused(tmp_path: Path) -> None:
    blank = jpeg(np.full((200, 200, 3), 127, np.uint8))
    for name in ("a/1.jpg", "a/2.jpg", "b/1.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(blank)

    with pytest.raises(CommandError, match="too few to compare"):
        evaluate(tmp_path)


def test_a_wrong_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no photos"):
        evaluate(tmp_path)


def test_an_unknown_model_is_one_line(folder: Path) -> None:
    with pytest.raises(CommandError, match="nonsense"):
        evaluate(folder, "--model", "nonsense")


def test_a_file_in_the_place_of_the_output_is_one_line(
    folder: Path, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")

    with pytest.raises(CommandError, match="taken"):
        evaluate(folder, "--output", str(taken))


def test_the_largest_face_of_a_photo_counts(folder: Path, tmp_path: Path) -> None:
    beside = read((folder / "person-0" / "0.jpg").read_bytes())
    stranger = cv2.resize(astronaut()[:300, 100:400], (200, 200))
    photo = np.zeros((480, 700, 3), np.uint8)
    photo[:, :480], photo[:200, 500:] = beside, stranger
    for person, content in (("anna", jpeg(photo)), ("ben", jpeg(astronaut()))):
        (tmp_path / person).mkdir()
        (tmp_path / person / "1.jpg").write_bytes(content)
    (tmp_path / "anna" / "2.jpg").write_bytes(jpeg(beside))

    found = photos.read(real_engine(), photos.find(tmp_path))

    assert found.several == 1
    assert found.accepted.tolist() == [False, True, True]
    assert float(found.embeddings[0] @ found.embeddings[1]) > 0.8


def test_nothing_of_a_photo_without_people_is_read(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError):
        photos.read(real_engine(), [])


# --- Ten people of LFW, where they lie beside the project ----------------------------


@cache
def ten_people() -> Photos:
    return photos.read(real_engine(), photos.find(LFW))


@pytest.mark.skipif(not LFW.is_dir(), reason=f"the photos of LFW are not in {LFW}")
def test_the_embedded_pack_tells_ten_people_apart() -> None:
    found = ten_people()

    assert (len(found.paths), found.readable) == (100, 100)
    pairs = pairs_of(found.embeddings, found.people)
    rates = rates_at(pairs, real_engine().threshold)
    assert rates.fmr.errors == 0
    assert rates.fnmr.value <= 0.015


@pytest.mark.skipif(not LFW.is_dir(), reason=f"the photos of LFW are not in {LFW}")
def test_the_standard_review_takes_photos_of_one_person() -> None:
    found = ten_people()

    of_one_person = len(found.paths) - found.several
    assert of_one_person >= 80
    assert found.accepted.sum() >= 0.95 * of_one_person


@pytest.mark.skipif(
    not (LFW.is_dir() and PACK.is_dir()), reason=f"no photos or pack in {beside.FOLDER}"
)
def test_an_insightface_pack_names_every_photo_right() -> None:
    engine = FaceEngine(packs.load_pack(str(PACK), device="cpu", threads=1))

    found = photos.read(engine, photos.find(LFW))

    assert (len(found.paths), found.readable) == (100, 100)
    # The best match alone counts: no threshold, no margin.
    result = identify(
        found.embeddings,
        found.people,
        enrolment(found.people, np.ones(100, dtype=bool)),
        size=10,
        threshold=-1,
        margin=0,
    )
    assert (result.right, result.shown) == (70, 70)
