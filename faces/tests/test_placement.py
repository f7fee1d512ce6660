"""Helpers keep off the caller's core while that helps, and go free afterwards."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from faces.engine import placement, sessions
from faces.engine.placement import Helpers
from faces.tests.test_sessions import MODEL

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux lets threads be placed"
)


@pytest.fixture
def helper() -> Iterator[int]:
    """The number of a thread that waits."""
    ready, done = threading.Barrier(2), threading.Event()

    def wait() -> None:
        ready.wait(timeout=20)
        done.wait(timeout=60)

    thread = threading.Thread(target=wait)
    thread.start()
    ready.wait(timeout=20)
    assert thread.native_id is not None
    yield thread.native_id
    done.set()
    thread.join()


@pytest.fixture
def cores() -> set[int]:
    found = os.sched_getaffinity(0)
    if len(found) < 2:
        pytest.skip("one core is all there is")
    return found


def test_brief_work_of_one_caller_leaves_its_core_alone(
    helper: int, cores: set[int]
) -> None:
    with Helpers([helper]).at_work(brief=True):
        assert len(os.sched_getaffinity(helper)) == len(cores) - 1


def test_long_work_and_several_callers_are_left_to_the_system(
    helper: int, cores: set[int]
) -> None:
    helpers = Helpers([helper])

    with helpers.at_work(brief=True), helpers.at_work(brief=True):
        assert os.sched_getaffinity(helper) == cores
    with helpers.at_work(brief=True):
        pass
    with helpers.at_work(brief=False):
        assert os.sched_getaffinity(helper) == cores


def test_a_system_that_forbids_it_is_asked_once(
    helper: int, cores: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def forbidden(thread: int, _cores: set[int]) -> None:
        asked.append(thread)
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    helpers = Helpers([helper])

    for _ in range(3):
        with helpers.at_work(brief=True):
            pass

    assert asked == [helper]


def test_the_threads_of_a_session_are_found(cores: set[int]) -> None:
    before = placement.threads_now()
    session = sessions.create_session(MODEL, device="cpu", threads=2)
    (thread,) = placement.threads_now() - before

    session.run(None, {"x": np.zeros((1, 4, 8, 8), np.float32)})

    assert len(os.sched_getaffinity(thread)) == len(cores) - 1
