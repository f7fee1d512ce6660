"""Measure everything and write results.md, results.json and the charts.

    make bench        or        .venv/bin/python -m benchmarks --only search

Exits with 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import (
    contests,
    load,
    machine,
    material,
    networks,
    peers,
    report,
    search,
    serving,
    targets,
)
from benchmarks.contests import Contest
from benchmarks.load import Load
from faces.engine import packs
from faces.tests.beside import PACK

SECTIONS = ("faces", "search", "load")
DETECTOR = "det_2.5g.onnx"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--calls", type=int, default=320, help="to the server, each")
    parser.add_argument("--pack", type=Path, default=PACK, help="an InsightFace pack")
    parser.add_argument(
        "--only", choices=SECTIONS, help="print one section and write no file"
    )
    options = parser.parse_args()
    wanted = [options.only] if options.only else SECTIONS
    described = machine.this_machine(peers.versions())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pack = options.pack if (options.pack / DETECTOR).is_file() else None
        buffalo = _buffalo_shape(folder, pack) if pack else None
        faces = (
            _faces(folder, pack, buffalo, options.rounds) if "faces" in wanted else []
        )
        searched = (
            search.run(folder, rounds=options.rounds // 4) if "search" in wanted else []
        )
        loads = _loads(folder, buffalo, options.calls) if "load" in wanted else {}
    results = report.Results(
        machine=described,
        contests=faces,
        search=searched,
        load=loads,
        targets=[
            *targets.of_contests(faces),
            *targets.of_search(searched),
            *targets.of_load(loads),
        ],
    )
    print(report.markdown(results) if options.only else report.write(results))
    sys.exit(0 if all(one.met for one in results.targets) else 1)


def _faces(
    folder: Path, pack: Path | None, buffalo: Path | None, rounds: int
) -> list[Contest]:
    engine = contests.load_engine(packs.EMBEDDED)
    scene = contests.prepare(folder, engine)
    found = contests.embedded(scene, engine, _made(folder / "site"), rounds=rounds)
    for model, title in ((pack, targets.SHARED), (buffalo, targets.BUFFALO)):
        if model is not None:
            found += contests.beside_insightface(scene, model, title, rounds=rounds)
    return found + contests.limit(scene, engine, folder, rounds=rounds)


def _loads(folder: Path, buffalo: Path | None, calls: int) -> dict[str, list[Load]]:
    photo = material.jpeg(material.frame())
    found: dict[str, list[Load]] = {}
    for name, model in ((targets.EMBEDDED, None), (targets.BUFFALO, buffalo)):
        if name == targets.BUFFALO and model is None:
            continue
        settings = {"FACE_MODEL": str(model)} if model else {}
        own = _made(folder / f"load-{len(found)}")
        with serving.site(own, photo, settings) as site:
            # A call to the large pack takes four times as long.
            found[name] = load.run(site, photo, calls=calls // 2 if model else calls)
    return found


def _buffalo_shape(folder: Path, pack: Path) -> Path:
    """A pack that costs what `buffalo_m` costs: its detector, random IResNet-50."""
    made = _made(folder / "buffalo_m_shape")
    shutil.copy(pack / DETECTOR, made)
    networks.write_iresnet50(made / "w600k_r50.onnx")
    return made


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
