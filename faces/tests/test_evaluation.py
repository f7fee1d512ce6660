"""Error rates, classes, advice and files of an evaluation, on scores that are known."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import beta

from faces.evaluation import advice, charts, report, tables
from faces.evaluation.classes import ClassResult, enrolment, identify, sizes_for
from faces.evaluation.look_alikes import look_alikes, odd_templates
from faces.evaluation.photos import EvaluationError, find
from faces.evaluation.rates import (
    FloatArray,
    IntArray,
    Pairs,
    curve,
    equal_error,
    impostor_tail,
    pairs_of,
    rate,
    rates_at,
)

ANNA, BEN, CARA, DAN, STRANGER = range(5)


def scores(*values: float) -> FloatArray:
    return np.array(sorted(values), np.float32)


def known_pairs() -> Pairs:
    return Pairs(genuine=scores(0.2, 0.5, 0.6, 0.9), impostor=scores(0.1, 0.2, 0.5))


def many_pairs() -> Pairs:
    """Genuine pairs around 0.7, impostors whose tail is exponential from 0 on."""
    random = np.random.default_rng(1)
    return Pairs(
        genuine=scores(*random.normal(0.7, 0.08, 2_000)),
        impostor=scores(*random.exponential(0.04, 20_000)),
    )


def unit(*numbers: float) -> FloatArray:
    vector = np.array(numbers, np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def random_photos(photos: int, people: int) -> tuple[FloatArray, IntArray]:
    random = np.random.default_rng(5)
    vectors = random.standard_normal((photos, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, random.integers(0, people, photos)


# --- Rates ---------------------------------------------------------------------------


def test_rates_count_pairs_on_the_wrong_side() -> None:
    rates = rates_at(known_pairs(), 0.55)

    assert (rates.fmr.errors, rates.fmr.trials) == (0, 3)
    assert (rates.fnmr.errors, rates.fnmr.trials) == (2, 4)
    assert rates.fnmr.value == 0.5


def test_a_score_that_equals_the_threshold_is_a_match() -> None:
    rates = rates_at(known_pairs(), 0.5)

    assert (rates.fmr.errors, rates.fnmr.errors) == (1, 1)


def test_a_threshold_that_float32_cannot_hold_still_equals_its_score() -> None:
    pairs = Pairs(genuine=scores(0.44), impostor=scores(0.44))

    rates = rates_at(pairs, 0.44)

    assert (rates.fmr.errors, rates.fnmr.errors) == (1, 0)


@pytest.mark.parametrize(("errors", "trials"), [(1, 50), (7, 450), (449, 450)])
def test_intervals_are_those_of_clopper_and_pearson(errors: int, trials: int) -> None:
    interval = rate(errors, trials)

    # Their definition by the beta distribution, 2.5 % at either end.
    assert interval.low == pytest.approx(beta.ppf(0.025, errors, trials - errors + 1))
    assert interval.high == pytest.approx(beta.ppf(0.975, errors + 1, trials - errors))


def test_no_error_seen_does_not_mean_none() -> None:
    interval = rate(0, 450)

    assert (interval.value, interval.low) == (0.0, 0.0)
    assert interval.high == pytest.approx(1 - 0.025 ** (1 / 450))


def test_without_trials_anything_is_possible() -> None:
    interval = rate(0, 0)

    assert (interval.low, interval.high) == (0.0, 1.0)
    assert np.isnan(interval.value)


def test_every_pair_counts_once_across_blocks() -> None:
    vectors, people = random_photos(1_100, 40)

    pairs = pairs_of(vectors, people)

    upper = np.triu_indices(len(people), 1)
    same = people[upper[0]] == people[upper[1]]
    expected = (vectors @ vectors.T)[upper]
    assert np.allclose(pairs.genuine, np.sort(expected[same]), atol=1e-6)
    assert np.allclose(pairs.impostor, np.sort(expected[~same]), atol=1e-6)


def test_the_curve_runs_from_one_error_to_the_other() -> None:
    fmr, fnmr = curve(known_pairs())

    # At 0.9, 0.6, 0.5, 0.2 and 0.1.
    assert fmr.tolist() == pytest.approx([0, 0, 1 / 3, 2 / 3, 1])
    assert fnmr.tolist() == pytest.approx([0.75, 0.5, 0.25, 0, 0])


def test_the_equal_error_rate_of_separate_scores_is_zero() -> None:
    assert equal_error(Pairs(scores(0.6, 0.7), scores(0.1, 0.2))) == 0


def test_the_equal_error_rate_of_equal_scores_is_a_half() -> None:
    same = scores(*np.linspace(0, 1, 101))

    assert equal_error(Pairs(same, same)) == pytest.approx(0.5, abs=0.01)


def test_the_tail_continues_what_the_highest_impostors_show() -> None:
    tail = impostor_tail(many_pairs().impostor)

    assert tail is not None
    assert tail.scale == pytest.approx(0.04, rel=0.2)
    # P(x > t) of this exponential distribution, far beyond the last sample.
    assert np.log(tail.fmr(0.6)) == pytest.approx(-0.6 / 0.04, abs=2)
    assert tail.threshold(float(tail.fmr(0.3))) == pytest.approx(0.3)


def test_few_impostors_have_no_tail() -> None:
    assert impostor_tail(scores(*np.linspace(0, 0.4, 150))) is None


# --- Classes -------------------------------------------------------------------------


def four_students() -> tuple[FloatArray, IntArray]:
    """A template of each, and of each a photo: right, wrong, between two, like none."""
    templates = np.eye(6, dtype=np.float32)[:4]
    photos = [
        unit(0.9, 0, 0, 0, 0, 0.1),  # ANNA as she is
        unit(0.9, 0.2, 0, 0, 0, 0.1),  # BEN, who looks like ANNA here
        unit(0, 0, 0.7, 0.69, 0, 0),  # CARA, between herself and DAN
        unit(0, 0, 0, 0.2, 1, 0),  # DAN, like nobody
    ]
    people = np.array([ANNA, BEN, CARA, DAN] * 2, np.int64)
    return np.vstack([templates, *photos]), people


def test_a_class_counts_right_wrong_ambiguous_and_unknown() -> None:
    vectors, people = four_students()
    enrolled = np.arange(8) < 4

    found = identify(vectors, people, enrolled, size=4, threshold=0.5, margin=0.05)

    assert found == ClassResult(
        size=4,
        classes=1,
        right=1,
        wrong=1,
        ambiguous=1,
        unknown=1,
        strangers=0,
        strangers_named=0,
    )


def test_a_stranger_who_is_named_counts_as_such() -> None:
    vectors = np.stack([unit(1, 0), unit(0, 1), unit(1, 0.1), unit(1, 0.2)])
    people = np.array([ANNA, BEN, ANNA, BEN], np.int64)
    enrolled = np.array([True, True, False, False])

    found = identify(vectors, people, enrolled, size=1, threshold=0.5, margin=0.05)

    # BEN's photo looks like ANNA: in her class he is named, hers is not in his.
    assert found.strangers == found.classes
    assert 0 < found.strangers_named < found.strangers
    assert found.right == found.strangers_named
    assert found.wrong == 0


def test_equal_seeds_draw_equal_classes() -> None:
    vectors, people = random_photos(120, 12)
    enrolled = enrolment(people, np.ones(120, dtype=bool))

    def results(seed: int) -> ClassResult:
        return identify(
            vectors, people, enrolled, size=6, threshold=0.3, margin=0.05, seed=seed
        )

    assert results(1) == results(1)
    assert results(1) != results(2)


def test_a_class_larger_than_the_people_is_refused() -> None:
    vectors, people = four_students()

    with pytest.raises(ValueError, match="class of 5"):
        identify(vectors, people, np.arange(8) < 4, size=5, threshold=0.5, margin=0.05)


@pytest.mark.parametrize(
    ("people", "sizes"),
    [(6, [6]), (10, [10]), (99, [10, 30]), (300, [10, 30, 100, 300])],
)
def test_classes_are_as_large_as_the_people_allow(
    people: int, sizes: list[int]
) -> None:
    assert sizes_for(people) == sizes


def test_the_first_accepted_photos_are_enrolled_and_one_is_left_to_show() -> None:
    people = np.array([ANNA] * 5 + [BEN] * 2 + [STRANGER], np.int64)
    accepted = np.array([0, 1, 1, 1, 1, 1, 1, 1], dtype=bool)

    chosen = enrolment(people, accepted)

    assert np.flatnonzero(chosen).tolist() == [1, 2, 3, 5]


# --- Advice --------------------------------------------------------------------------


def test_the_recommended_threshold_is_the_lowest_that_keeps_the_promise() -> None:
    pairs = many_pairs()

    found = advice.recommend(pairs, margin=0.05, sessions=100)

    assert found is not None
    assert found.sessions >= 100
    lower = advice.expect(pairs, threshold=found.threshold - 0.01, margin=0.05)
    assert lower is not None
    assert lower.sessions < 100


def test_wrong_marks_are_those_of_the_stranger_where_students_are_unlike() -> None:
    impostor = many_pairs().impostor
    tail = impostor_tail(impostor)
    assert tail is not None
    sure = Pairs(genuine=scores(*[0.99] * 50), impostor=impostor)

    marks = advice.wrong_marks(sure, tail, threshold=0.4, margin=0.05)

    # Ninety templates, one stranger a session; nobody reaches 0.99 + 0.05.
    assert marks == pytest.approx(90 * float(tail.fmr(0.4)), rel=1e-3)


def test_students_who_are_hard_to_recognise_add_wrong_marks() -> None:
    impostor = many_pairs().impostor
    tail = impostor_tail(impostor)
    assert tail is not None
    sure, hard = (
        advice.wrong_marks(
            Pairs(scores(*[value] * 50), impostor), tail, threshold=0.2, margin=0.05
        )
        for value in (0.9, 0.1)
    )

    # At most the threshold protects each of the thirty from 87 other templates.
    assert hard - sure == pytest.approx(
        30 * min(87 * float(tail.fmr(0.2)), 1), rel=0.01
    )


def test_the_sentence_says_how_often_a_wrong_mark_comes() -> None:
    seldom = advice.Advice(0.44, 131.7, rate(2, 450))
    always = advice.Advice(0.2, 0.2, rate(0, 450))

    assert "about one wrong mark in 130 sessions of 30 students" in seldom.sentence()
    assert "about 1 photo in 220" in seldom.sentence()
    assert "about 5 wrong marks in every session" in always.sentence()
    assert "less than 1 photo in 120" in always.sentence()


@pytest.mark.parametrize(
    ("used", "words"),
    [(0.1, "Raise the threshold to"), (0.9, "You could lower the threshold to")],
)
def test_the_report_says_which_way_to_turn(used: float, words: str) -> None:
    lines = report.in_words(many_pairs(), threshold=used, margin=0.05, sessions=100)

    assert words in lines[-1]


def test_too_few_pairs_foresee_nothing() -> None:
    lines = report.in_words(known_pairs(), threshold=0.4, margin=0.05, sessions=100)

    assert "too few pairs" in lines[-1]


# --- Look-alikes ---------------------------------------------------------------------


def test_look_alikes_count_with_their_closest_templates() -> None:
    vectors = np.stack([unit(1, 0, 0), unit(0.6, 0.8, 0), unit(0, 1, 0), unit(0, 0, 1)])
    people = np.array([BEN, BEN, ANNA, CARA], np.int64)

    found = look_alikes(vectors, people, at_least=0.5)

    assert [(one.first, one.second) for one in found] == [(ANNA, BEN)]
    assert found[0].similarity == pytest.approx(0.8)


def test_the_closest_look_alikes_come_first() -> None:
    vectors = np.stack([unit(1, 0), unit(1, 0.5), unit(1, 0.1)])

    found = look_alikes(vectors, np.array([ANNA, BEN, CARA]), at_least=0.5)

    assert [(one.first, one.second) for one in found] == [
        (ANNA, CARA),
        (BEN, CARA),
        (ANNA, BEN),
    ]


def test_a_template_unlike_the_others_is_odd() -> None:
    vectors = np.stack([unit(1, 0), unit(1, 0.1), unit(0, 1), unit(0, 1)])
    people = np.array([ANNA, ANNA, ANNA, BEN], np.int64)

    found = odd_templates(vectors, people, below=0.4)

    assert [(one.row, one.person) for one in found] == [(2, ANNA)]


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
