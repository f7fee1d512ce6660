"""Killed at any moment, a command leaves all old or all new, and can go on.

The import of photos has a file of its own (`test_killed_worker.py`); `make reliability`
kills all three fifty times.
"""

from pathlib import Path

import pytest

from attendance_site.tests import power_cut
from attendance_site.tests.live import TEMPLATE_KEY
from faces import vault

KILLS = 5


@pytest.mark.parametrize("command", ["rotation", "backup"])
def test_a_killed_command_leaves_nothing_half_done(
    command: str, tmp_path: Path
) -> None:
    cuts: power_cut.Cuts = getattr(power_cut, command)(
        tmp_path / "school", kills=KILLS, seed=1
    )
    assert cuts.faults == []
    assert (cuts.kills, cuts.finished) == (KILLS, True)
    assert cuts.old + cuts.between + cuts.new == KILLS


def test_a_template_that_was_written_halfway_would_be_seen(tmp_path: Path) -> None:
    installation = power_cut.school(tmp_path / "school")
    cuts = power_cut.Cuts()
    whole = power_cut.states(installation, cuts)
    assert whole == {vault.key_id(TEMPLATE_KEY): power_cut.TEMPLATES}
    assert cuts.faults == []
    power_cut.tear(installation)
    power_cut.states(installation, cuts)
    assert len(cuts.faults) == 1
