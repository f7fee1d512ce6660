"""The queue in front of the engine: who comes when it is full is told to come again."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from faces.engine.errors import EngineBusy

DEFAULT_LENGTH: Final = 16
# Photos that a process has decoded at once. It bounds the memory: 12 megapixels are
# 36 MB, and as much again for a moment. On two cores it is four, so that some are read
# while others run.
IN_HAND: Final = max(4, os.cpu_count() or 1)


class Queue:
    """``in_hand`` photos are worked on, and ``length`` wait as the bytes that came.

    Which of those in hand runs is decided run by run (``sessions.run``), so that a
    photo of one face does not wait for all thirty of another.
    """

    def __init__(
        self,
        length: int = DEFAULT_LENGTH,
        *,
        in_hand: int = IN_HAND,
        patience: float = 0.0,
        count: Callable[[int], None] | None = None,
    ) -> None:
        """``count`` hears of each photo that comes (1) and goes (-1).

        A photo that finds the queue full waits ``patience`` seconds for a place before
        it is refused: a rush that is over by then is nobody's fault.
        """
        self._room = in_hand + length
        self._in_hand = in_hand
        self._patience = patience
        self._inside = 0
        self._place_left = threading.Condition()
        self._turns = threading.BoundedSemaphore(in_hand)
        self._mine = threading.local()
        self._count = count or (lambda change: None)

    @property
    def waiting(self) -> int:
        """Photos that wait for their turn now."""
        return max(self._inside - self._in_hand, 0)

    @contextmanager
    def turn(self, *, refuse: bool = True) -> Iterator[None]:
        """Work on a photo, from its bytes to its faces, once it is its turn.

        Who has a turn and asks again goes on at once. Raises EngineBusy where the queue
        stays full; without ``refuse`` such a photo waits all the same.
        """
        if getattr(self._mine, "turn", False):
            yield
            return
        self._enter(refuse=refuse)
        try:
            with self._turns:
                self._mine.turn = True
                try:
                    yield
                finally:
                    self._mine.turn = False
        finally:
            self._leave()

    def _enter(self, *, refuse: bool) -> None:
        with self._place_left:
            if refuse and not self._place_left.wait_for(self._has_room, self._patience):
                raise EngineBusy
            self._inside += 1
        self._count(1)

    def _leave(self) -> None:
        with self._place_left:
            self._inside -= 1
            self._place_left.notify()
        self._count(-1)

    def _has_room(self) -> bool:
        return self._inside < self._room
