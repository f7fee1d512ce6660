"""(d) Many devices at once: throughput, waiting times, errors and memory."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.serving import Client, Site
from benchmarks.turns import announce

CLIENTS: Final = (1, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class Load:
    """What so many clients got.

    ``cpu_ms`` is the server's processor time for a call. Memory sums all workers:
    ``memory_mb`` after the calls, ``peak_mb`` at most since their start.
    """

    clients: int
    calls: int
    errors: int
    seconds: float
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    memory_mb: float
    peak_mb: float

    @property
    def per_second(self) -> float:
        """Right answers a second."""
        return (self.calls - self.errors) / self.seconds


def run(site: Site, photo: bytes, *, calls: int) -> list[Load]:
    """Every number of clients in turn, ``calls`` calls in all for each of them."""
    for client in (Client(site, photo) for _ in range(4)):
        for _ in range(5):
            client.verify()  # every worker and most threads have run once
    return [_one(site, photo, clients, calls) for clients in CLIENTS]


def _one(site: Site, photo: bytes, clients: int, calls: int) -> Load:
    def device(_: int) -> list[tuple[float, bool]]:
        client, answers = Client(site, photo), []
        for _ in range(calls // clients):
            start = time.perf_counter()
            right = client.verify()
            answers.append(((time.perf_counter() - start) * 1000, right))
        return answers

    announce(f"{calls} calls to a server by {clients} clients")
    start, cpu_start = time.perf_counter(), site.processors_ms()
    with ThreadPoolExecutor(clients) as pool:
        answers = [answer for one in pool.map(device, range(clients)) for answer in one]
    seconds = time.perf_counter() - start
    p50, p95 = np.quantile([took for took, _ in answers], [0.5, 0.95])
    return Load(
        clients=clients,
        calls=len(answers),
        errors=sum(not right for _, right in answers),
        seconds=seconds,
        p50_ms=float(p50),
        p95_ms=float(p95),
        cpu_ms=(site.processors_ms() - cpu_start) / len(answers),
        memory_mb=site.memory_mb("VmRSS"),
        peak_mb=site.memory_mb("VmHWM"),
    )
