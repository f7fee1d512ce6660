"""A photo's threads share its faces, and a busy one is not waited for."""

from __future__ import annotations

import threading

import pytest

from faces.engine.crew import Crew, Network, chunks


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_answers_come_in_the_order_of_what_was_asked(threads: int, count: int) -> None:
    crew = Crew(threads)

    assert crew.map(lambda number: number * 10, range(count)) == [
        number * 10 for number in range(count)
    ]


def test_two_threads_work_at_the_same_time() -> None:
    meeting = threading.Barrier(2)

    found = Crew(2).map(lambda _: meeting.wait(timeout=20) >= 0, range(2))

    assert found == [True, True]


def test_one_thread_never_works_beside_itself() -> None:
    caller = threading.get_ident()

    assert Crew(1).map(lambda _: threading.get_ident(), range(3)) == [caller] * 3


def test_a_helper_that_is_busy_with_another_photo_is_not_waited_for() -> None:
    crew, begun, free = Crew(2), threading.Barrier(3), threading.Event()

    def hold(_number: int) -> bool:
        begun.wait(timeout=20)
        return free.wait(timeout=20)

    other = threading.Thread(target=crew.map, args=(hold, range(2)))
    other.start()
    begun.wait(timeout=20)

    mine = crew.map(lambda number: (number, threading.get_ident()), range(3))

    assert mine == [(number, threading.get_ident()) for number in range(3)]
    free.set()
    other.join()


@pytest.mark.parametrize("bad", [0, 1, 5])
def test_a_fault_reaches_the_caller_and_the_crew_works_on(bad: int) -> None:
    crew = Crew(2)

    def work(number: int) -> int:
        if number == bad:
            raise ValueError("this one")
        return number

    with pytest.raises(ValueError, match="this one"):
        crew.map(work, range(6))
    assert crew.map(work, [7, 8, 9]) == [7, 8, 9]


def test_one_item_gets_all_threads_and_several_get_one_each() -> None:
    network = Network("all threads", "one thread", Crew(2))

    assert network.each(lambda model, item: (model, item), ["a"]) == [
        ("all threads", "a")
    ]
    assert network.each(lambda model, item: (model, item), ["a", "b"]) == [
        ("one thread", "a"),
        ("one thread", "b"),
    ]


def test_one_item_gets_one_thread_while_another_photo_is_worked_on() -> None:
    crew = Crew(2)
    network = Network("alone", "apart", crew)

    with crew.photo():
        first = network.each(lambda model, _: model, [1])
        with crew.photo():
            both = network.each(lambda model, _: model, [1])
        after = network.each(lambda model, _: model, [1])

    assert (first, both, after) == (["alone"], ["apart"], ["alone"])


def test_the_last_chunk_holds_the_rest() -> None:
    assert [list(part) for part in chunks(range(5), 2)] == [[0, 1], [2, 3], [4]]
