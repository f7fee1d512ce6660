"""One photo against a class of 30: our engine and our HTTP call beside verifyface.

    .venv/bin/python -m benchmarks.verify [--rounds 60]

The three take turns in one run; ratios of medians count, not milliseconds. Afterwards
four clients call at once and the worker's memory is read. Writes `verify.md` and
`verify.json` beside this file; exits with 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.machine import this_machine
from benchmarks.material import PEOPLE, frame, jpeg, unit_vectors
from benchmarks.serving import Client, Site, site
from benchmarks.turns import Times, take_turns, timed, timed_elsewhere
from faces.engine.packs import load_pack
from faces.engine.pipeline import FaceEngine
from faces.engine.types import Image
from faces.matching import Gallery, match

HERE: Final = Path(__file__).resolve().parent
WARM_UP: Final = 10  # rounds that do not count
CLIENTS: Final = 4
CALLS: Final = 300  # of all clients together
# One worker, so that its memory is what a worker takes.
ONE_WORKER: Final = {"WEB_CONCURRENCY": "1", "THREADS": "4"}


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and the most it may be."""

    name: str
    figure: float
    most: float

    @property
    def met(self) -> bool:
        return self.figure <= self.most


def engine_call(image: Image) -> Callable[[], None]:
    """Detect, take the largest face, embed it and match it: as /face/verify does."""
    engine = FaceEngine(load_pack("sface", device="cpu", threads=2))
    pack = engine.pack
    person = engine.analyse(image, max_faces=1)[0].embedding
    others = unit_vectors(PEOPLE - 1, pack.dimension)
    gallery = Gallery.build(list(enumerate([person, *others])))

    def call() -> None:
        face = engine.describe(image, engine.detect(image)[:1])[0]
        (found,) = match(
            face.embedding[None], gallery, threshold=pack.threshold, margin=pack.margin
        )
        assert found.student_id == 0

    return call


def verifyface_call(image: Image, vault: Path) -> Callable[[], None]:
    """The same with the peer's own class, from the same pixels."""
    from verifyface import Verifier

    verifier = Verifier(vault=vault, allow_download=False)
    verifier.enroll("Person", image)
    for number, vector in enumerate(unit_vectors(PEOPLE - 1, 128)):
        verifier.vault.save(f"Somebody {number}", [vector])

    def call() -> None:
        assert verifier.identify(image).identity == "Person"

    return call


def under_load(server: Site, photo: bytes) -> float:
    """The worker's most memory in megabytes, with four clients calling at once."""

    def client(_: int) -> None:
        device = Client(server, photo)
        for _ in range(CALLS // CLIENTS):
            assert device.verify()

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, range(CLIENTS)))
    return server.memory_mb("VmHWM")


def measure(rounds: int) -> tuple[dict[str, Times], list[Target]]:
    image = frame()
    photo = jpeg(image)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine, peer = engine_call(image), verifyface_call(image, folder / "vault")
        with site(folder, photo, ONE_WORKER) as server:
            http = Client(server, photo).verify
            calls = {
                "engine": timed(engine),
                "verifyface": timed(peer),
                "HTTP": timed_elsewhere(http),
            }
            times = take_turns(calls, rounds=rounds, warm_up=WARM_UP)
            memory = under_load(server, photo)
    peer_ms = times["verifyface"].median
    return times, [
        Target("engine / verifyface", times["engine"].median / peer_ms, 0.75),
        Target("HTTP / verifyface", times["HTTP"].median / peer_ms, 1.4),
        Target("worker's memory, MB", memory, 450),
    ]


def report(times: dict[str, Times], targets: list[Target], machine: str) -> str:
    rounds = times["engine"].rounds
    lines = [
        f"# One photo against a class of {PEOPLE}",
        "",
        "Made with `.venv/bin/python -m benchmarks.verify`: a JPEG of 640 x 480 pixels",
        "with one person. The three take turns in one run.",
        "",
        f"| {rounds} rounds | median, ms | 5 %, ms | 95 %, ms |",
        "|---|---|---|---|",
        *(
            f"| {name} | {t.median:.1f} | {t.low:.1f} | {t.high:.1f} |"
            for name, t in times.items()
        ),
        "",
        "| | measured | target |",
        "|---|---|---|",
        *(f"| {t.name} | {t.figure:.2f} | at most {t.most} |" for t in targets),
        "",
        machine,
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    machine = this_machine({"verifyface": version("verifyface")}).sentence()
    times, targets = measure(rounds)
    text = report(times, targets, machine)
    print(text)
    figures = {
        "machine": machine,
        "times": {name: asdict(value) for name, value in times.items()},
        "targets": [asdict(target) for target in targets],
    }
    (HERE / "verify.md").write_text(text, encoding="utf-8")
    (HERE / "verify.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    sys.exit(not all(target.met for target in targets))


if __name__ == "__main__":
    main()
