"""The photos that an evaluation reads, the tables and the charts that it writes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faces.evaluation import charts, tables
from faces.evaluation.photos import EvaluationError, find
from faces.tests.score_sets import many_pairs, unit

ANNA, BEN = range(2)


# --- Folders -------------------------------------------------------------------------


def make_files(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def test_photos_are_found_one_folder_a_person(tmp_path: Path) -> None:
    names = ["anna/1.jpg", "anna/2.JPEG", "ben/1.png"]
    folder = make_files(tmp_path, *names, "ben/notes.txt", "readme.md")

    assert [str(path.relative_to(folder)) for path in find(folder)] == names


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "holds no photos"),
        (["anna.jpg", "ben.jpg"], "lie in .* itself"),
        (["anna/1.txt", "ben/1.txt"], "holds no photos"),
        (["anna/1.jpg", "anna/2.jpg"], "photos of one person"),
        (["anna/1.jpg", "ben/1.jpg"], "has one photo"),
    ],
)
def test_a_folder_of_another_shape_is_refused(
    tmp_path: Path, names: list[str], words: str
) -> None:
    with pytest.raises(EvaluationError, match=words):
        find(make_files(tmp_path, *names))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="not a folder"):
        find(tmp_path / "nowhere")


# --- Files ---------------------------------------------------------------------------


def read_scores(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_scores_name_both_photos_of_every_pair(tmp_path: Path) -> None:
    vectors = np.stack([unit(1, 0), unit(0.6, 0.8), unit(0, 1)])
    path = tmp_path / "scores.csv"

    tables.write_scores(path, vectors, np.array([ANNA, ANNA, BEN]), ["a", "b", "c"])

    assert read_scores(path) == [
        {"first": "a", "second": "b", "genuine": "1", "similarity": "0.600000"},
        {"first": "a", "second": "c", "genuine": "0", "similarity": "0.000000"},
        {"first": "b", "second": "c", "genuine": "0", "similarity": "0.800000"},
    ]


def test_of_too_many_impostors_the_highest_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAX_IMPOSTOR_ROWS", 1)
    vectors = np.stack([unit(1, 0), unit(0.6, 0.8), unit(0, 1)])
    path = tmp_path / "scores.csv"

    tables.write_scores(path, vectors, np.array([ANNA, ANNA, BEN]), ["a", "b", "c"])

    rows = read_scores(path)
    assert [(row["first"], row["second"]) for row in rows] == [("a", "b"), ("b", "c")]


def test_the_table_marks_the_threshold_in_use() -> None:
    lines = tables.error_rates(many_pairs(), used=0.408)

    bold = [line for line in lines if "**" in line]
    assert len(bold) == 1
    assert bold[0].startswith("| **0.408** |")


def test_charts_are_small_pictures(tmp_path: Path) -> None:
    tables.draw(many_pairs(), tmp_path, title="made", threshold=0.4)

    for name in (tables.SCORES_PNG, tables.CURVE_PNG):
        path = tmp_path / name
        with Image.open(path) as picture:
            assert picture.size == (charts.WIDTH, charts.HEIGHT)
        assert path.stat().st_size < 150_000


def test_a_dot_is_drawn_where_its_numbers_say(tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    axis = charts.linear("x", 0, 1, step=0.5)
    chart = charts.Chart("A dot", axis, charts.decades("y", 1, 100))
    chart.dots([(0.5, 10)], charts.ORANGE)
    chart.save(path)

    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    near = np.abs(pixels - charts.ORANGE).sum(axis=2) < 30
    rows, columns = np.nonzero(near)
    # The middle of both axes, of which the upper one is logarithmic.
    assert columns.mean() == pytest.approx((88 + 960 - 32) / 2, abs=1)
    assert rows.mean() == pytest.approx((112 + 600 - 72) / 2, abs=1)


def test_bars_grow_with_their_values(tmp_path: Path) -> None:
    path = tmp_path / "bars.png"
    rows = [charts.Bar("a", 1, 1, 1, ours=True), charts.Bar("b", 4, 4, 4)]
    charts.bars("Bars", rows, path, unit="ms")

    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)

    def area(colour: charts.Colour) -> int:
        return int((np.abs(pixels - colour).sum(axis=2) < 30).sum())

    assert area(charts.GREY) == pytest.approx(4 * area(charts.BLUE), rel=0.1)
