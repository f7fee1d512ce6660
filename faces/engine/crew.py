"""Sharing the threads of one photo: a run takes them all, or several runs one each.

A run on two threads waits for both after every layer. Many small runs side by side need
not: thirty faces through SFace take 155 ms one to a thread, 216 two at a time on both
threads, a single face 13 and 9 ms (2 cores, ONNX Runtime 1.31).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Generic, TypeVar

from faces.engine import sessions
from faces.engine.placement import Helpers

Item = TypeVar("Item")
Result = TypeVar("Result")
Model = TypeVar("Model")


class Crew:
    """The calling thread and, from the first need on, as many helpers as are allowed.

    Threads do not survive a fork: like a session, make it in the process that uses it.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._photos = 0
        self._lock = Lock()
        self._placed = Helpers()
        self._helpers = ThreadPoolExecutor(
            max(threads - 1, 1), "face-crew", initializer=self._placed.add
        )

    @contextmanager
    def photo(self) -> Iterator[None]:
        """Work on a photo: others that are worked on meanwhile share the cores."""
        with self._lock:
            self._photos += 1
        try:
            yield
        finally:
            with self._lock:
                self._photos -= 1

    @property
    def crowded(self) -> bool:
        """Whether several photos are worked on now."""
        return self._photos > 1

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> list[Result]:
        """``function`` of each item, in order, up to ``threads`` of them at a time.

        Helpers that are busy with another photo are not waited for. Raises what
        ``function`` raises; what was not begun by then is left out.
        """
        results: dict[int, Result] = {}
        waiting = deque(range(len(items)))

        def work() -> None:
            while waiting:
                try:
                    index = waiting.popleft()
                except IndexError:  # a helper was faster
                    return
                results[index] = function(items[index])

        count = min(self.threads, len(items)) - 1
        with self._placed.at_work(brief=len(items) <= 2 * self.threads):
            helpers = [self._helpers.submit(work) for _ in range(count)]
            try:
                work()
            finally:
                waiting.clear()
                started = [helper for helper in helpers if not helper.cancel()]
                faults = [helper.exception() for helper in started]
        for fault in faults:
            if fault is not None:
                raise fault
        return [results[index] for index in range(len(items))]


@dataclass(frozen=True, slots=True, eq=False)
class Network(Generic[Model]):
    """One network twice: ``alone`` takes all threads for a run, ``apart`` one.

    A photo that has the cores to itself gets its only face faster on all threads;
    several photos get more done with one each.
    """

    alone: Model
    apart: Model
    crew: Crew

    def each(
        self, function: Callable[[Model, Item], Result], items: Sequence[Item]
    ) -> list[Result]:
        """``function(model, item)`` of each item, in order, as fast as the crew can."""
        if len(items) == 1 and not self.crew.crowded:
            return [function(self.alone, items[0])]
        return self.crew.map(partial(function, self.apart), items)

    def within(self, wrap: Callable[[Model], Result]) -> Network[Result]:
        """The network with what ``wrap`` makes of its two models."""
        return Network(wrap(self.alone), wrap(self.apart), self.crew)


def load_network(
    model: sessions.Source, *, device: str, crew: Crew, spread: bool = True
) -> Network[sessions.Session]:
    """Sessions for ``model``; without ``spread`` every run takes all threads.

    A graphics card gets one session, and one run at a time. Raises ConfigurationError
    as ``sessions.create_session``.
    """
    alone = sessions.create_session(
        model, device=device, threads=crew.threads, spin=spread
    )
    if not spread or sessions.on_cuda(alone):
        return Network(alone, alone, Crew())
    if crew.threads == 1:
        return Network(alone, alone, crew)
    apart = sessions.create_session(model, device=device, threads=1)
    return Network(alone, apart, crew)


def chunks(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """``items`` in runs of at most ``size``."""
    return [items[start : start + size] for start in range(0, len(items), size)]
