"""Does a worker's memory grow? Photos of random sizes, and a real server's workers.

    python -m benchmarks.growth photos --count 3000
    python -m benchmarks.growth threads --threads 16 --each 200
    python -m benchmarks.growth server --count 60

The first analyses as many photos of random sizes and kinds as asked for and reports the
resident memory along the way; the second compares every embedding that many threads
make at once with what a single thread made, bit by bit.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import requests

from benchmarks.material import frame, jpeg
from benchmarks.serving import Site, site
from faces.engine import packs, samples
from faces.engine.image import decode
from faces.engine.pipeline import FaceEngine
from faces.engine.types import Image

WARM_UP = 300  # photos; the largest sizes have come by then
LONGEST, SHORTEST = 3000, 160  # pixels of a photo's longer side
SMALL = 1000  # other formats than JPEG take long to write
THREADS = 4  # the product's default
MOST = 450  # MB of one worker after group photos; moments of more are reported
SIZES = (640, 640, 640, 1920)  # detection sizes: three of four photos show one person
KINDS = (".jpg", ".png", ".webp")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=packs.EMBEDDED)
    parser.add_argument("--root", type=Path, default=None)
    parts = parser.add_subparsers(dest="part", required=True)
    photos = parts.add_parser("photos")
    photos.add_argument("--count", type=int, default=3000)
    photos.add_argument("--threads", type=int, default=4)
    threads = parts.add_parser("threads")
    threads.add_argument("--threads", type=int, default=16)
    threads.add_argument("--each", type=int, default=200)
    server = parts.add_parser("server")
    server.add_argument("--count", type=int, default=60)
    options = parser.parse_args()
    if options.part == "server":
        sys.exit(of_a_worker(count=options.count, model=options.model))
    loaded = packs.load_pack(options.model, root=options.root, device="cpu", threads=2)
    engine = FaceEngine(loaded)
    engine.warm_up()
    if options.part == "photos":
        sys.exit(growth(engine, count=options.count, threads=options.threads))
    sys.exit(identical(engine, threads=options.threads, each=options.each))


def growth(engine: FaceEngine, *, count: int, threads: int) -> int:
    """Report the growth after the warm-up; 1 where it is 30 MB or more."""
    random = np.random.default_rng(1)
    photo = group_photo()
    plan = [
        (
            longest := int(random.integers(SHORTEST, LONGEST)),
            float(random.uniform(0.4, 1.0)),
            SIZES[int(random.integers(len(SIZES)))],
            KINDS[int(random.integers(len(KINDS)))] if longest < SMALL else KINDS[0],
        )
        for _ in range(count + WARM_UP)
    ]

    def work(step: tuple[int, float, int, str]) -> int:
        longest, share, detection_size, kind = step
        sent = as_sent(photo, longest=longest, share=share, kind=kind)
        image = decode(sent, max_bytes=99_000_000, max_pixels=99_000_000)
        return len(engine.analyse(image, detection_size=detection_size))

    with ThreadPoolExecutor(threads) as pool:
        sum(pool.map(work, plan[:WARM_UP]))
        before = resident()
        print(f"after {WARM_UP} photos of warm-up: {before:.0f} MB", flush=True)
        most, faces, rest = before, 0, plan[WARM_UP:]
        for start in range(0, count, 250):
            faces += sum(pool.map(work, rest[start : start + 250]))
            now = resident()
            most = max(most, now)
            done = min(start + 250, count)
            print(f"{done} photos, {faces} faces: {now:.0f} MB", flush=True)
    grown = resident() - before
    print(f"grown by {grown:.1f} MB over {count} photos, at most {most:.0f} MB")
    return int(grown >= 30)


def of_a_worker(*, count: int, model: str) -> int:
    """Report the memory of one worker under group photos; 1 where it keeps 450 MB."""
    photo = as_sent(group_photo(), longest=4000, share=1.0, kind=".jpg")
    settings = {"WEB_CONCURRENCY": "1", "THREADS": str(THREADS), "FACE_MODEL": model}
    with (
        TemporaryDirectory() as folder,
        site(Path(folder), jpeg(frame()), settings) as school,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        print(f"idle: {school.memory_mb('VmRSS'):.0f} MB", flush=True)
        answers = list(pool.map(lambda _: mark_room(school, photo), range(count)))
        most = school.memory_mb("VmHWM")
        kept = school.memory_mb("VmRSS")
        print(f"{count} photos of a room: {kept:.0f} MB, for moments {most:.0f} MB")
        print(f"answers: {sorted(set(answers))}")
    return int(kept >= MOST or set(answers) != {200})


def mark_room(school: Site, photo: bytes) -> int:
    """The status of one group photo's answer."""
    answer = requests.post(
        f"http://{school.address}/attendance/group",
        data={"class_id": school.class_id},
        files={"file": ("room.jpg", photo, "image/jpeg")},
        headers={"Authorization": f"Bearer {school.token}"},
        timeout=600,
    )
    return answer.status_code


def identical(engine: FaceEngine, *, threads: int, each: int) -> int:
    """Compare embeddings bit by bit; 1 where any differs."""
    whole = group_photo()
    photos = [whole, *(scaled(whole, factor) for factor in (0.5, 0.7, 1.3))]
    photos += [
        decode(photo, max_bytes=10**7, max_pixels=10**7)
        for photo in samples.close_ups(engine)
    ]
    alone = [embeddings(engine, photo) for photo in photos]

    def work(thread: int) -> int:
        different = 0
        for turn in range(each):
            index = (thread * 7 + turn) % len(photos)
            again = embeddings(engine, photos[index])
            different += again != alone[index]
        return different

    with ThreadPoolExecutor(threads) as pool:
        different = sum(pool.map(work, range(threads)))
    print(f"{threads} threads x {each} analyses: {different} differ from one thread's")
    return int(different > 0)


def embeddings(engine: FaceEngine, photo: Image) -> list[bytes]:
    return [face.embedding.tobytes() for face in engine.analyse(photo)]


def as_sent(photo: Image, *, longest: int, share: float, kind: str) -> bytes:
    """The photo with another longer side, cut to a share of its width, as a file."""
    width = max(int(photo.shape[1] * share), 1)
    scale = longest / max(photo.shape[0], width)
    sent = scaled(photo[:, :width], scale)
    pad = max(100 - min(sent.shape[:2]), 0)  # smaller ones are refused
    padded = cv2.copyMakeBorder(sent, 0, pad, 0, pad, cv2.BORDER_CONSTANT)
    return bytes(cv2.imencode(kind, padded)[1])


def scaled(photo: Image, factor: float) -> Image:
    return np.asarray(cv2.resize(photo, None, fx=factor, fy=factor), dtype=np.uint8)


def group_photo() -> Image:
    data = samples.packaged_group_photo().read_bytes()
    return decode(data, max_bytes=10**7, max_pixels=10**7)


def resident() -> float:
    """Resident memory of this process in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("resident memory is read from /proc: run this on Linux")


if __name__ == "__main__":
    main()
