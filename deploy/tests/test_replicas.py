"""Two replicas behind nginx, on PostgreSQL and Redis: parts die, no mark is lost."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.tests import trouble
from deploy.tests.cluster import Cluster, cluster, missing

MARKS = 40  # between one trouble and the next
LONGEST = 5.0  # seconds until the service is back, as promised

pytestmark = pytest.mark.skipif(
    bool(missing()), reason=f"apt-get install {' '.join(missing())}"
)


@pytest.fixture(scope="module")
def replicas() -> Iterator[Cluster]:
    # Not pytest's own folder: PostgreSQL's user has to pass through.
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as running:
        yield running


@pytest.fixture(scope="module")
def school(replicas: Cluster) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(replicas.manage("-m", "deploy.tests.school"))
    return made


def test_a_face_that_one_enrols_is_known_to_the_other_at_once(
    replicas: Cluster, school: dict[str, Any]
) -> None:
    before, after = trouble.enrolled_here_matched_there(replicas, school)
    assert (before, after) == (False, True)


@pytest.fixture(scope="module")
def outcome(replicas: Cluster, school: dict[str, Any]) -> trouble.Outcome:
    return trouble.in_trouble(replicas, school, each=MARKS)


def test_every_mark_that_was_answered_is_there_once(outcome: trouble.Outcome) -> None:
    assert outcome.faults == []
    assert len(outcome.marked) >= 4 * MARKS
    assert (outcome.missing, outcome.doubled, outcome.strangers) == (0, 0, 0)


def test_nothing_is_half_written(outcome: trouble.Outcome) -> None:
    assert outcome.half_written == 0


def test_the_service_is_back_soon(outcome: trouble.Outcome) -> None:
    assert len(outcome.back_after) == 3
    late = {what: took for what, took in outcome.back_after.items() if took > LONGEST}
    assert late == {}


def test_without_redis_people_log_in_and_strangers_run_out_of_tries(
    outcome: trouble.Outcome,
) -> None:
    assert outcome.after_redis == {
        "log in": 302,
        "a page": 200,
        "log out": 302,
        "a page after it": 302,
        "the last of many tries": 429,
    }


def test_a_replica_says_once_that_redis_is_gone(
    replicas: Cluster, outcome: trouble.Outcome
) -> None:
    for number in range(2):
        assert replicas.log(number).count("Redis does not answer") == 1
