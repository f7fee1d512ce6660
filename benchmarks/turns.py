"""Let several contestants take turns and sum up their times."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

WARM_UP: Final = 3  # rounds that do not count
# With its defaults a thread of ONNX Runtime spins for 33 to 66 ms after a call (seen in
# /proc of FaceAnalysis, two cores); whoever comes next must not pay for it.
PAUSE: Final = 0.08  # seconds


@dataclass(frozen=True, slots=True)
class Sample:
    """One call: milliseconds on the clock, and of all processors together if known."""

    ms: float
    cpu_ms: float | None


Call = Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of one contestant: median, 5 % and 95 % quantile, fastest.

    ``cpu`` is the median of the processors' time, which waiting for others who use
    them does not lengthen; None for a server.
    """

    rounds: int
    median: float
    low: float
    high: float
    fastest: float
    cpu: float | None


def timed(call: Callable[[], object]) -> Call:
    """Make ``call`` return what it takes of this process."""

    def measured() -> Sample:
        start, cpu_start = time.perf_counter(), time.process_time()
        call()
        cpu = (time.process_time() - cpu_start) * 1000
        return Sample((time.perf_counter() - start) * 1000, cpu)

    return measured


def timed_elsewhere(call: Callable[[], object]) -> Call:
    """As ``timed`` for a call whose work another process does."""
    inner = timed(call)
    return lambda: Sample(inner().ms, None)


def announce(what: str) -> None:
    """Say what is measured now, so that nobody takes a long run for a hung one."""
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


def take_turns(
    calls: Mapping[str, Call], *, rounds: int, warm_up: int = WARM_UP
) -> dict[str, Times]:
    """Run each of ``calls`` once a round; who goes first changes every round.

    What else the machine does meets all of them alike, so that their ratios hold
    where their milliseconds do not.
    """
    names = list(calls)
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for number in range(-warm_up, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            sample = calls[name]()
            if number >= 0:
                samples[name].append(sample)
            time.sleep(PAUSE)
    return {name: summed_up(values) for name, values in samples.items()}


def summed_up(samples: list[Sample]) -> Times:
    """The figures of one contestant."""
    values = [sample.ms for sample in samples]
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    cpu = [sample.cpu_ms for sample in samples if sample.cpu_ms is not None]
    return Times(
        rounds=len(values),
        median=float(middle),
        low=float(low),
        high=float(high),
        fastest=min(values),
        cpu=float(np.median(cpu)) if cpu else None,
    )
