"""Who is who: threshold, margin, one student a face, and strangers left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from faces.matching import Candidate, Gallery, Match, match, similarities

Array = NDArray[np.float32]

ANNA, BEN, CARA = 11, 5, 99
THRESHOLD, MARGIN = 0.4, 0.05


def axis(index: int, *, of: int = 4) -> Array:
    return np.asarray(np.eye(of)[index], dtype=np.float32)


def school(*students: int) -> Gallery:
    """A gallery in which student i has the axis i, so that scores can be chosen."""
    size = len(students) + 1
    return Gallery.build(
        [(student, axis(i, of=size)) for i, student in enumerate(students)]
    )


def probe(*scores: float) -> Array:
    """A unit vector with these similarities to the students of `school`."""
    rest = 1 - float(np.sum(np.square(scores)))
    assert rest >= 0
    return np.array([*scores, np.sqrt(rest)], np.float32)


def answers(*probes: Array, to: Gallery) -> list[Match]:
    return match(np.stack(probes), to, threshold=THRESHOLD, margin=MARGIN)


def outcomes(found: list[Match]) -> list[tuple[str, int | None]]:
    return [(one.outcome, one.student_id) for one in found]


def test_a_clear_face_is_matched() -> None:
    found = answers(probe(0.8, 0.1), to=school(ANNA, BEN))[0]

    assert (found.outcome, found.student_id) == ("matched", ANNA)
    assert found.similarity == pytest.approx(0.8)
    assert found.margin == pytest.approx(0.7)


def test_a_stranger_is_unknown() -> None:
    found = answers(probe(0.3, 0.2), to=school(ANNA, BEN))[0]

    assert (found.outcome, found.student_id) == ("unknown", None)
    assert found.similarity == pytest.approx(0.3)


def test_a_similarity_at_the_threshold_matches() -> None:
    gallery = school(ANNA, BEN)

    at, below = answers(probe(0.4, 0), probe(0, 0.3999), to=gallery)

    assert (at.outcome, below.outcome) == ("matched", "unknown")


def test_two_look_alikes_are_ambiguous() -> None:
    found = answers(probe(0.62, 0.6), to=school(ANNA, BEN))[0]

    assert (found.outcome, found.student_id) == ("ambiguous", None)
    assert [one.student_id for one in found.candidates] == [ANNA, BEN]
    assert found.margin == pytest.approx(0.02, abs=1e-6)


PAIR = frozenset({frozenset({ANNA, BEN})})


def test_look_alikes_need_twice_the_margin_between_them() -> None:
    probes = np.stack([probe(0.6, 0.51, 0.1)])
    everybody = school(ANNA, BEN, CARA)

    before = match(probes, everybody, threshold=THRESHOLD, margin=MARGIN)[0]
    after = match(
        probes, everybody, threshold=THRESHOLD, margin=MARGIN, look_alikes=PAIR
    )[0]

    assert (before.outcome, before.student_id) == ("matched", ANNA)
    assert (after.outcome, after.student_id) == ("ambiguous", None)


def test_both_look_alikes_are_offered_though_a_third_student_is_nearer() -> None:
    probes = np.stack([probe(0.6, 0.51, 0.54)])

    found = match(
        probes,
        school(ANNA, BEN, CARA),
        threshold=THRESHOLD,
        margin=MARGIN,
        look_alikes=PAIR,
    )[0]

    assert [one.student_id for one in found.candidates] == [ANNA, BEN]
    assert found.candidates[1].similarity == pytest.approx(0.51)


def test_twice_the_margin_is_enough_between_look_alikes() -> None:
    probes = np.stack([probe(0.6, 0.5, 0)])

    found = match(
        probes,
        school(ANNA, BEN, CARA),
        threshold=THRESHOLD,
        margin=MARGIN,
        look_alikes=PAIR,
    )[0]

    assert (found.outcome, found.student_id) == ("matched", ANNA)


def test_a_pair_changes_nothing_for_others_or_where_one_of_them_is_not_enrolled() -> (
    None
):
    probes = np.stack([probe(0.1, 0.51, 0.6), probe(0.6, 0.1, 0.51)])

    found = match(
        probes,
        school(ANNA, BEN, CARA),
        threshold=THRESHOLD,
        margin=MARGIN,
        look_alikes=[frozenset({ANNA, BEN}), frozenset({CARA, 12345})],
    )

    assert outcomes(found) == [("matched", CARA), ("matched", ANNA)]


def test_a_lead_of_exactly_the_margin_is_enough() -> None:
    found = answers(probe(0.6, 0.55), to=school(ANNA, BEN))[0]

    assert found.outcome == "matched"


def test_the_runner_up_counts_even_below_the_threshold() -> None:
    found = answers(probe(0.41, 0.39), to=school(ANNA, BEN))[0]

    assert found.outcome == "ambiguous"


def test_a_single_student_has_no_margin() -> None:
    found = answers(probe(0.7), to=school(ANNA))[0]

    assert (found.outcome, found.student_id, found.margin) == ("matched", ANNA, None)
    assert found.candidates == (Candidate(ANNA, float(probe(0.7)[0])),)


def test_the_better_of_two_faces_gets_the_student() -> None:
    found = answers(probe(0.6, 0.1), probe(0.9, 0.1), to=school(ANNA, BEN))

    assert outcomes(found) == [("unknown", None), ("matched", ANNA)]


def test_a_loser_who_is_near_somebody_else_is_ambiguous() -> None:
    found = answers(probe(0.6, 0.5), probe(0.9, 0.1), to=school(ANNA, BEN))

    assert outcomes(found) == [("ambiguous", None), ("matched", ANNA)]


def test_a_sure_face_is_not_pushed_on_to_free_its_student() -> None:
    # By the plain sum of scores, face one as BEN and face two as ANNA is worth more.
    found = answers(probe(0.8, 0.5), probe(0.6, 0.1), to=school(ANNA, BEN))

    assert outcomes(found) == [("matched", ANNA), ("unknown", None)]


def test_the_margin_counts_whatever_the_assignment() -> None:
    # ANNA is taken by the first face; the second still looks as much like her.
    found = answers(probe(0.95, 0.1), probe(0.62, 0.6), to=school(ANNA, BEN))

    assert outcomes(found) == [("matched", ANNA), ("ambiguous", None)]


def test_everybody_on_a_photo_is_matched() -> None:
    gallery = school(CARA, ANNA, BEN)

    found = answers(
        probe(0.1, 0.7, 0.1), probe(0.1, 0.1, 0.6), probe(0.9, 0, 0), to=gallery
    )

    assert [one.student_id for one in found] == [ANNA, BEN, CARA]


def test_candidates_are_the_two_closest_best_first() -> None:
    found = answers(probe(0.2, 0.1, 0.3), to=school(ANNA, BEN, CARA))[0]

    assert [one.student_id for one in found.candidates] == [CARA, ANNA]
    assert [one.similarity for one in found.candidates] == pytest.approx([0.3, 0.2])


def test_nobody_enrolled_leaves_every_face_unknown() -> None:
    found = answers(probe(0.5), probe(0.9), to=Gallery.build([]))

    assert found == [Match("unknown", None, None, None, ())] * 2


def test_no_face_gets_no_answer() -> None:
    empty = np.empty((0, 3), np.float32)

    assert match(empty, school(ANNA, BEN), threshold=0.4, margin=0.05) == []


def test_a_student_counts_with_the_best_template() -> None:
    gallery = Gallery.build([(ANNA, axis(0)), (BEN, axis(1)), (ANNA, axis(2))])

    ids, scores = similarities(np.stack([axis(2), axis(1)]), gallery)

    assert ids.tolist() == [BEN, ANNA]
    assert scores.tolist() == [[0, 1], [1, 0]]


def test_a_gallery_holds_its_templates_by_student() -> None:
    gallery = Gallery.build([(ANNA, axis(0)), (BEN, axis(1)), (ANNA, axis(2))])

    assert gallery.owners.tolist() == [BEN, ANNA, ANNA]
    assert gallery.embeddings.tolist() == [
        axis(1).tolist(),
        axis(0).tolist(),
        axis(2).tolist(),
    ]


@pytest.mark.parametrize("name", ["embeddings", "owners", "student_ids", "starts"])
def test_a_gallery_cannot_be_changed(name: str) -> None:
    array = getattr(school(ANNA, BEN), name)

    with pytest.raises(ValueError, match="read-only"):
        array[0] = 0


def test_the_embeddings_are_contiguous_float32() -> None:
    gallery = school(ANNA, BEN)

    assert gallery.embeddings.dtype == np.float32
    assert gallery.embeddings.flags.c_contiguous


def test_a_gallery_leaves_the_callers_arrays_alone() -> None:
    embeddings, owners = np.eye(2, dtype=np.float32), np.array([1, 2])

    Gallery(embeddings, owners)

    embeddings[0, 0] = owners[0] = 7  # would raise if they had been frozen


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_probe_that_is_not_finite_is_refused(value: float) -> None:
    bad = probe(0.5, 0.1)
    bad[1] = value

    with pytest.raises(ValueError, match="NaN"):
        answers(bad, to=school(ANNA, BEN))


def test_a_probe_that_is_not_finite_is_refused_with_nobody_enrolled() -> None:
    with pytest.raises(ValueError, match="NaN"):
        answers(np.full(3, np.nan, np.float32), to=Gallery.build([]))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_template_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="NaN"):
        Gallery.build([(ANNA, np.array([value, 0], np.float32))])


def test_another_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="dimensions"):
        answers(np.ones(9, np.float32), to=school(ANNA, BEN))


def test_a_single_vector_is_refused_as_probes() -> None:
    with pytest.raises(ValueError, match="probes"):
        similarities(probe(0.5, 0.1), school(ANNA, BEN))


def test_templates_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        Gallery.build([(ANNA, np.ones(3, np.float32)), (BEN, np.ones(4, np.float32))])


def test_owners_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="owners"):
        Gallery(np.eye(3, dtype=np.float32), np.array([1, 2]))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    faces=st.integers(1, 8),
    students=st.integers(1, 6),
    templates=st.integers(1, 3),
)
def test_rules_hold_for_any_photo(
    seed: int, faces: int, students: int, templates: int
) -> None:
    random = np.random.default_rng(seed)
    people = random.normal(size=(students + 2, 8))

    def shot(person: int) -> Array:
        vector = people[person] + random.normal(0, 0.8, 8)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)

    gallery = Gallery.build(
        [(person, shot(person)) for person in range(students) for _ in range(templates)]
    )
    probes = np.stack([shot(int(p)) for p in random.integers(0, students + 2, faces)])

    found = match(probes, gallery, threshold=THRESHOLD, margin=MARGIN)

    named = [one.student_id for one in found if one.outcome == "matched"]
    assert len(named) == len(set(named))  # one to one
    ids, scores = similarities(probes, gallery)
    for one, row in zip(found, scores, strict=True):
        best = int(row.argmax())
        if one.outcome == "matched":
            others = np.delete(row, best)
            assert one.student_id == ids[best]  # never anybody but the closest
            assert row[best] >= THRESHOLD - 1e-5
            assert not others.size or row[best] - others.max() >= MARGIN - 1e-5
        else:
            assert one.student_id is None
        if row[best] < THRESHOLD - 1e-5:
            assert one.outcome == "unknown"


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_faces_changes_no_answer(seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(9, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    gallery = Gallery.build(list(enumerate(vectors[:4])))
    order = random.permutation(5)

    plain = match(vectors[4:], gallery, threshold=0.3, margin=0.05)
    shuffled = match(vectors[4:][order], gallery, threshold=0.3, margin=0.05)

    assert outcomes([plain[i] for i in order]) == outcomes(shuffled)
