"""The queue in front of the engine: who comes when it is full is told to come again."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from faces.engine.errors import EngineBusy

DEFAULT_LENGTH: Final = 16
CORES: Final = os.cpu_count() or 1


class Queue:
    """Room for as many photos as there are cores, and ``length`` that wait.

    Which of them runs is decided run by run (``sessions.run``), so that a photo of one
    face does not wait for all thirty of another.
    """

    def __init__(self, length: int = DEFAULT_LENGTH) -> None:
        self._places = threading.BoundedSemaphore(CORES + length)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place; raises EngineBusy at once where there is none."""
        if not self._places.acquire(blocking=False):
            raise EngineBusy
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def kept_place(self) -> Iterator[None]:
        """Hold a place for work that has begun; waits where there is none."""
        with self._places:
            yield
