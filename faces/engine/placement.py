"""Keeping the threads of one photo on different cores.

Linux wakes a thread on the core of the one that wakes it, and moves it milliseconds
later: after 80 ms of idleness two threads took 11 ms for a frame that takes one 8. Told
to keep off that core they take 5 (YuNet at 640 x 480, Linux 6.18).
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)

_TASKS = Path("/proc/self/task")


class Helpers:
    """Threads that work for whoever calls, on other cores while that is brief.

    Long work, and that of several callers at once, the system places better. Does
    nothing where the system is not Linux or lets no process say where its threads run.
    """

    def __init__(self, threads: Iterable[int] = ()) -> None:
        self._threads = set(threads)
        self._callers = 0
        self._lock = threading.Lock()
        self._library = ctypes.CDLL(None) if sys.platform == "linux" else None

    def add(self) -> None:
        """Make the calling thread one of them."""
        self._threads.add(threading.get_native_id())

    @contextmanager
    def at_work(self, *, brief: bool) -> Iterator[None]:
        """Let them work for the calling thread, ``brief`` for some 20 milliseconds."""
        with self._lock:
            self._callers += 1
            self._place(apart=brief and self._callers == 1)
        try:
            yield
        finally:
            with self._lock:
                self._callers -= 1

    def _place(self, *, apart: bool) -> None:
        if self._library is None or not self._threads:
            return
        allowed = os.sched_getaffinity(0)
        others = allowed - {self._library.sched_getcpu()}
        try:
            for thread in self._threads:
                os.sched_setaffinity(thread, others if apart and others else allowed)
        except (OSError, AttributeError) as error:
            logger.debug("threads run where the system puts them: %s", error)
            self._library = None


def threads_now() -> set[int]:
    """Numbers of this process' threads, none where the system does not tell."""
    try:
        return {int(entry.name) for entry in _TASKS.iterdir()}
    except OSError:
        return set()
