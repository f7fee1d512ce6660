"""Hundreds of damaged photos: each is refused in words, and the server goes on.

`make reliability` sends thousands.
"""

from pathlib import Path

import pytest

from attendance_site.tests.barrage import Seen, barrage
from attendance_site.tests.mutants import DAMAGES, mutants

NUMBER = 500
LONGEST = 5.0  # seconds, the product's promise and not a measurement
MORE_MEMORY = 100  # MB

pytestmark = pytest.mark.skipif(
    not Path("/proc").is_dir(), reason="memory is read from /proc"
)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return barrage(tmp_path_factory.mktemp("barrage"), number=NUMBER, seed=1)


def test_all_kinds_were_sent(seen: Seen) -> None:
    assert {kind.rpartition(" ")[0] for kind in seen.kinds} == set(DAMAGES)
    assert seen.kinds.total() == NUMBER
    # Most are refused, and for many reasons; some are photos still.
    assert len(seen.answers) > 4, seen.answers


def test_none_broke_the_server(seen: Seen) -> None:
    assert seen.faults == []


def test_none_was_refused_for_coming_too_fast(seen: Seen) -> None:
    assert not [answer for answer in seen.answers if answer.startswith("429")]


def test_none_took_longer_than_promised(seen: Seen) -> None:
    assert seen.slowest < LONGEST, seen.slowest_kind


def test_its_memory_comes_back(seen: Seen) -> None:
    assert seen.memory_after - seen.memory_before < MORE_MEMORY, seen


def test_the_same_seed_makes_the_same_files() -> None:
    first, again = (list(mutants(30, seed=3)) for _ in range(2))
    assert first == again
    assert len({mutant.content for mutant in first}) > 20
