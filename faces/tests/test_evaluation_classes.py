"""Classes drawn for an evaluation, and students who look alike."""

from __future__ import annotations

import numpy as np
import pytest

from faces.evaluation.classes import ClassResult, enrolment, identify, sizes_for
from faces.evaluation.look_alikes import look_alikes, odd_templates
from faces.evaluation.rates import FloatArray, IntArray
from faces.tests.score_sets import random_photos, unit

ANNA, BEN, CARA, DAN, STRANGER = range(5)


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
