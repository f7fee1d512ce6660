"""The processes of a server that a test has started, found in /proc."""

import os
from pathlib import Path


def children(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").iterdir()
    text = " ".join((task / "children").read_text("ascii") for task in tasks)
    return [int(number) for number in text.split()]


def our_gunicorns() -> list[int]:
    """Return the servers that this test's process has started."""
    return [
        pid
        for pid in children(os.getpid())
        if b"attendance_site.serve" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def megabytes(process: int, figure: str = "VmRSS") -> float:
    """Return VmRSS (memory now) or VmHWM (at most)."""
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields[figure].split()[0]) / 1024
