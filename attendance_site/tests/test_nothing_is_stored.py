"""A day's use of a real server leaves nothing of a photo behind, in no file and log."""

import base64
import io
import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pillow_heif
import pytest
from django.test import override_settings
from PIL import Image

from attendance_site.tests.live import TEMPLATE_KEY, Browser, Installation
from faces import vault
from faces.tests.photos import (
    astronaut,
    group_photo,
    jpeg,
    six_close_ups,
    upload,
)

PASSWORD = "plum-orchard-47"
PHOTOS_AND_ALL = (
    rb"\xff\xd8\xff[\xdb\xe0\xe1\xee]"  # JPEG
    rb"|\x89PNG\r\n\x1a\n"
    rb"|RIFF.{4}WEBP"
    rb"|ftyp(?:heic|heix|hevc|mif1|msf1|avif)"
    rb"|data:image/(?:jpeg|png|webp|hei[cf])"
    rb"|/9j/4[AS]"  # JPEG in base64
)
SIGNATURE = re.compile(PHOTOS_AND_ALL, re.DOTALL)
SLICE = 24  # bytes of a photo or an embedding that occur nowhere by chance


def as_format(kind: str) -> bytes:
    """Return the astronaut's photo as PNG or WEBP."""
    stream = io.BytesIO()
    picture().save(stream, kind)
    return stream.getvalue()


def heic() -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(picture()).save(stream)
    return stream.getvalue()


def picture() -> Image.Image:
    return Image.open(io.BytesIO(astronaut()))


def big() -> bytes:
    """Return a JPEG of more megabytes than one photo may have."""
    noise = np.random.default_rng(1).integers(0, 256, (2600, 2600, 3), np.uint8)
    photo = bytes(cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 100])[1])
    assert len(photo) > 11_000_000
    return photo


def all_photos() -> dict[str, bytes]:
    close_ups = {f"person {n}": photo for n, photo in enumerate(six_close_ups())}
    return close_ups | {
        "group": group_photo(),
        "stranger": astronaut(),
        "png": as_format("PNG"),
        "webp": as_format("WEBP"),
        "heic": heic(),
        "big": big(),
        "bad": b"\xff\xd8\xff\xe0 this is no photo " + bytes(range(256)),
        "dark": jpeg(np.full((300, 300, 3), 7, np.uint8)),
    }


@dataclass(frozen=True)
class Evidence:
    """What there was to see after the day, while the server ran and afterwards."""

    answers: list[tuple[str, int]]
    new_files: set[str]
    touched_folders: set[str]
    contents: dict[str, bytes]  # of the database's files and of the server's log
    embeddings: list[bytes]
    secrets: dict[str, str]  # what would be as good as a login


@pytest.fixture(scope="module")
def photos() -> dict[str, bytes]:
    return all_photos()


@pytest.fixture(scope="module")
def evidence(
    tmp_path_factory: pytest.TempPathFactory, photos: dict[str, bytes]
) -> Evidence:
    installation = Installation.make(tmp_path_factory.mktemp("school"))
    before = files(installation)
    installation.manage("migrate", "--noinput")
    words = ["--teacher-id=admin001", "--full-name=Ada", "--email=ada@school.example"]
    installation.manage("create_admin", *words, ADMIN_PASSWORD=PASSWORD)
    with installation.serving() as url:
        Browser(url).get("/health/ready")
        warm = folders(installation)
        secrets: dict[str, str] = {"the password": PASSWORD}
        answers = a_day(url, photos, secrets)
        touched = {
            name for name, at in folders(installation).items() if at != warm[name]
        }
        seen = files(installation)
        contents = of_the_database(installation, "while it runs")
    contents |= of_the_database(installation, "afterwards")
    contents["the log"] = b"".join(installation.log)
    return Evidence(
        answers,
        new_files={
            path
            for shot in (seen, files(installation))
            for path, state in shot.items()
            if before.get(path) != state
        },
        touched_folders=touched,
        contents=contents,
        embeddings=stored_embeddings(installation),
        secrets=secrets,
    )


def files(installation: Installation) -> dict[str, tuple[int, int]]:
    """Return all files of an installation with their size and time of change."""
    found = {}
    for path in installation.folder.rglob("*"):
        if path.is_file() and ".venv" not in path.parts:
            state = path.stat()
            found[where(path, installation)] = (state.st_size, state.st_mtime_ns)
    return found


def folders(installation: Installation) -> dict[str, int]:
    """Return when a file was last made or removed in each folder but the database's."""
    places = [installation.home, installation.temp, installation.project]
    within = [path for place in places for path in [place, *place.rglob("*")]]
    return {
        where(path, installation): path.stat().st_mtime_ns
        for path in within
        if path.is_dir() and ".venv" not in path.parts
    }


def where(path: Path, installation: Installation) -> str:
    return path.relative_to(installation.folder).as_posix()


def of_the_database(installation: Installation, when: str) -> dict[str, bytes]:
    return {
        f"{path.name} {when}": path.read_bytes() for path in installation.data.iterdir()
    }


def a_day(
    url: str, photos: dict[str, bytes], secrets: dict[str, str]
) -> list[tuple[str, int]]:
    """Do over HTTP what a school does in a day; return what was answered."""
    answers: list[tuple[str, int]] = []
    client = Browser(url)
    login = {"email": "ada@school.example", "password": PASSWORD}
    first = client.post("/auth/login", login)[1]
    refresh = {"refresh_token": first["refresh_token"]}
    pair = client.post("/auth/refresh", refresh)[1]
    client.token = pair["access_token"]
    secrets |= {"the first refresh token": first["refresh_token"]}
    secrets |= {f"the {name}": pair[name] for name in ("access_token", "refresh_token")}
    me = client.get("/auth/me")[1]["id"]
    body = {"class_name": "Maths", "class_code": "MAT", "teacher_id": me}
    class_id = client.post("/classes", body)[1]["id"]

    def show(path: str, name: str, **fields: object) -> None:
        form = {**fields, "file": upload(photos[name], f"{name}.jpg")}
        answers.append((f"{path} {name}", client.send_photos(path, form)[0]))

    for number in range(6):
        body = {"student_id": f"S{number}", "full_name": f"Person {number}"}
        student = client.post("/students", {**body, "class_id": class_id})[1]["id"]
        show("/face/register", f"person {number}", student_id=student)
    show("/face/register", "bad", student_id=student)
    show("/face/register", "dark", student_id=student)
    for name in photos:
        show("/face/verify", name, class_id=class_id)
    for name in ("group", "heic", "big"):
        show("/attendance/group", name, class_id=class_id)
    answers.append(("summary", client.get(f"/attendance/summary/{class_id}")[0]))
    answers.append(("half a photo", half_a_photo(client, class_id, photos["stranger"])))
    answers += on_pages(url, class_id, photos, secrets)
    return answers


def half_a_photo(client: Browser, class_id: int, photo: bytes) -> int:
    """Hang up in the middle of an upload; return how the server is afterwards."""
    address = urlsplit(client.url)
    with socket.create_connection((str(address.hostname), address.port or 80)) as line:
        line.sendall(
            b"POST /face/verify HTTP/1.1\r\nHost: localhost\r\n"
            + f"Authorization: Bearer {client.token}\r\n".encode()
            + b"Content-Type: multipart/form-data; boundary=cut\r\n"
            + f"Content-Length: {len(photo) + 1000}\r\n\r\n".encode()
            + b'--cut\r\nContent-Disposition: form-data; name="class_id"\r\n\r\n'
            + f"{class_id}\r\n".encode()
            + b'--cut\r\nContent-Disposition: form-data; name="file"; filename="p.jpg"'
            + b"\r\nContent-Type: image/jpeg\r\n\r\n"
            + photo[: len(photo) // 2]
        )
    return client.get("/health/ready")[0]


def on_pages(
    url: str, class_id: int, photos: dict[str, bytes], secrets: dict[str, str]
) -> list[tuple[str, int]]:
    browser = Browser(url)
    login = {"username": "ada@school.example", "password": PASSWORD}
    answers = [("log in", browser.submit("/accounts/login/", login)[0])]
    page = f"/app/classes/{class_id}/take/"
    for name in ("group", "bad", "heic"):
        form = {"file": upload(photos[name], f"{name}.jpg")}
        answers.append((f"page {name}", browser.submit(page, form)[0]))
    secrets |= {f"the cookie {name}": value for name, value in browser.cookies.items()}
    return answers


def stored_embeddings(installation: Installation) -> list[bytes]:
    """Open the sealed templates with the installation's key; return float32 bytes."""
    columns = "sealed_embedding, key_id, student_id, model_id, dimension"
    with closing(sqlite3.connect(installation.database)) as database:
        rows = database.execute(f"SELECT {columns} FROM faces_facetemplate").fetchall()  # noqa: S608
    with override_settings(FACE_TEMPLATE_KEYS=(TEMPLATE_KEY,)):
        return [
            vault.open_sealed(
                sealed,
                key_id=key_id,
                student_id=student_id,
                model_id=model_id,
                dimension=dimension,
            ).tobytes()
            for sealed, key_id, student_id, model_id, dimension in rows
        ]


def slices(content: bytes) -> Iterator[bytes]:
    """Yield pieces from all over a photo or embedding; a copy would hold each."""
    step = max(4, len(content) // 64 // 4 * 4)
    for start in range(0, len(content) - SLICE, step):
        piece = content[start : start + SLICE]
        if len(set(piece)) > SLICE // 2:  # a run of one value proves nothing
            yield piece


def holders_of(content: bytes, places: dict[str, bytes]) -> set[str]:
    return {
        name
        for piece in slices(content)
        for name, held in places.items()
        if piece in held
    }


def test_the_day_was_a_full_one(evidence: Evidence) -> None:
    answers = dict(evidence.answers)
    assert [answers[f"/face/register person {n}"] for n in range(6)] == [201] * 6
    assert answers["/attendance/group group"] == 200
    assert answers["/face/verify stranger"] == 200
    assert answers["/face/verify heic"] == 200
    assert answers["/face/verify big"] == 413
    assert answers["/face/verify bad"] == 422
    assert answers["/face/register dark"] == 422
    assert answers["half a photo"] == 200
    assert answers["summary"] == 200
    assert (answers["page group"], answers["page bad"]) == (200, 422)


def test_no_file_but_the_database_was_written(evidence: Evidence) -> None:
    # The last one is empty: its lock keeps a second migration waiting.
    ends = ("", "-wal", "-shm", "-migrating")
    database = {f"data/db.sqlite3{end}" for end in ends}
    assert evidence.new_files <= database
    assert "data/db.sqlite3" in evidence.new_files


def test_no_temporary_file_came_and_went(evidence: Evidence) -> None:
    assert evidence.touched_folders == set()


def test_no_photo_is_in_the_database_or_the_log(evidence: Evidence) -> None:
    found = {name for name, held in evidence.contents.items() if SIGNATURE.search(held)}
    assert found == set()
    assert len(evidence.contents) > 2


def test_no_piece_of_a_photo_is_in_the_database_or_the_log(
    evidence: Evidence, photos: dict[str, bytes]
) -> None:
    for name, photo in photos.items():
        assert holders_of(photo, evidence.contents) == set(), name


def test_no_embedding_can_be_read_from_the_database_or_the_log(
    evidence: Evidence,
) -> None:
    assert len(evidence.embeddings) == 6
    for embedding in evidence.embeddings:
        assert holders_of(embedding, evidence.contents) == set()


def test_no_password_token_or_cookie_is_in_the_database_or_the_log(
    evidence: Evidence,
) -> None:
    assert {"the access_token", "the refresh_token", "the cookie sessionid"} <= set(
        evidence.secrets
    )
    found = {
        (secret, place)
        for secret, word in evidence.secrets.items()
        for place, held in evidence.contents.items()
        if word.encode() in held or word.split(".")[-1].encode() in held
    }
    assert found == set()


def test_the_log_names_no_photo_and_no_person(evidence: Evidence) -> None:
    log = evidence.contents["the log"].decode(errors="replace")
    assert "Listening" in log
    assert not re.search(r"Person \d|person \d|Ada|ada@|\.jpg|Traceback", log), log


def test_the_log_has_every_request_and_no_secret(evidence: Evidence) -> None:
    log = evidence.contents["the log"].decode(errors="replace")
    assert log.count("POST /face/verify ") >= len(all_photos())
    # A token as it begins, the password, a cookie, and who may be told by an address.
    assert not re.search(rf"eyJ|{PASSWORD}|sessionid|127\.0\.0\.1 ", log), log


@pytest.mark.parametrize(
    "name", ["stranger", "group", "person 0", "png", "webp", "heic", "big", "bad"]
)
def test_the_search_would_find_a_photo(photos: dict[str, bytes], name: str) -> None:
    hidden = {"a page": b"x" * 1000 + photos[name] + b"x" * 1000, "another": b"x" * 99}
    assert SIGNATURE.search(hidden["a page"])
    assert holders_of(photos[name], hidden) == {"a page"}


def test_the_search_would_find_an_embedding(evidence: Evidence) -> None:
    for embedding in evidence.embeddings:
        assert holders_of(embedding, {"a row": b"\0" * 5 + embedding}) == {"a row"}


def test_the_search_would_find_base64(photos: dict[str, bytes]) -> None:
    assert SIGNATURE.search(base64.b64encode(photos["stranger"]))
