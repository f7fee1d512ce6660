"""What the figures were taken on."""

from __future__ import annotations

import datetime as dt
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import cv2
import onnxruntime

PACKAGES: Final = ("django", "gunicorn", "insightface", "numpy")


@dataclass(frozen=True, slots=True)
class Machine:
    """Processor, memory, versions, and what else the machine did at the start."""

    date: str
    processor: str
    cores: int
    memory_gb: float
    load_at_start: float
    python: str
    versions: dict[str, str]

    def sentence(self) -> str:
        """All of it in one line."""
        versions = ", ".join(
            f"{name} {number}" for name, number in self.versions.items()
        )
        return (
            f"{self.date}: {self.processor}, {self.cores} cores, {self.memory_gb} GB, "
            f"load {self.load_at_start} at the start; Python {self.python}, {versions}."
        )


def this_machine(peers: dict[str, str]) -> Machine:
    """Describe the machine; ``peers`` adds their versions."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gb=round(pages / 1024**3, 1),
        load_at_start=round(os.getloadavg()[0], 2),
        python=platform.python_version(),
        versions={name: version(name) for name in PACKAGES}
        # These two come under several names.
        | {"onnxruntime": onnxruntime.__version__, "opencv": cv2.__version__}
        | peers,
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
