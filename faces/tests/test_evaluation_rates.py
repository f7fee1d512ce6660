"""Error rates of an evaluation and the advice from them, on scores that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from faces.evaluation import advice, report
from faces.evaluation.rates import (
    Pairs,
    curve,
    equal_error,
    impostor_tail,
    pairs_of,
    rate,
    rates_at,
)
from faces.tests.score_sets import known_pairs, many_pairs, random_photos, scores

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
