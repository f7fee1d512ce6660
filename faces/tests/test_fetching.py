"""A pack arrives whole and unchanged, or not at all."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from faces.engine import fetching, folders
from faces.engine.catalogue import Published
from faces.engine.fetching import FetchError, fetch
from faces.tests.file_server import FileServer, serving

CONTENTS = {
    "det.onnx": b"a detector" * 400,
    "embed.onnx": b"a recogniser" * 400,
    "landmarks.onnx": b"not wanted",
}


def archive(contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, data in contents.items():
            opened.writestr(name, data)
    return buffer.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(archive(CONTENTS)) as made:
        yield made


@pytest.fixture
def published(server: FileServer) -> Published:
    return Published(
        name="ours",
        url=server.url,
        detector="det.onnx",
        recogniser="embed.onnx",
        archive_sha256=sha256(server.data),
    )


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write every 50 bytes, so that a cut in so small a file loses little."""
    monkeypatch.setattr(fetching, "_PIECE", 50)


def left_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_detector_and_recogniser_arrive_with_their_hashes(
    published: Published, tmp_path: Path
) -> None:
    fetched = fetch(published, tmp_path, quiet=True)

    assert left_in(fetched.folder) == {"det.onnx", "embed.onnx", folders.HASHES}
    assert folders.recorded(fetched.folder) == {
        name: sha256(CONTENTS[name]) for name in ("det.onnx", "embed.onnx")
    }
    assert not fetched.recorded


def test_nothing_else_is_left_behind(published: Published, tmp_path: Path) -> None:
    fetch(published, tmp_path, quiet=True)

    assert {path.name for path in tmp_path.iterdir()} == {"ours"}


def test_a_cut_connection_goes_on_where_it_stopped(
    server: FileServer, published: Published, tmp_path: Path
) -> None:
    server.cuts = [1000, 500]

    fetched = fetch(published, tmp_path, quiet=True)

    assert server.ranges == ["", "bytes=1000-", "bytes=1500-"]
    assert (fetched.folder / "det.onnx").read_bytes() == CONTENTS["det.onnx"]


def test_a_later_command_goes_on_too(
    server: FileServer, published: Published, tmp_path: Path
) -> None:
    server.cuts = [100] * fetching.ATTEMPTS
    with pytest.raises(FetchError, match="it goes on from there"):
        fetch(published, tmp_path, quiet=True)
    server.ranges.clear()

    fetch(published, tmp_path, quiet=True)

    assert server.ranges == [f"bytes={100 * fetching.ATTEMPTS}-"]


def test_a_server_without_ranges_sends_it_all_again(
    server: FileServer, published: Published, tmp_path: Path
) -> None:
    server.understands_ranges = False
    server.cuts = [1000]

    fetched = fetch(published, tmp_path, quiet=True)

    assert (fetched.folder / "embed.onnx").read_bytes() == CONTENTS["embed.onnx"]


def test_a_file_that_changed_in_between_is_sent_whole(
    server: FileServer, tmp_path: Path
) -> None:
    target = tmp_path / "pack.zip"
    server.cuts = [50] * fetching.ATTEMPTS
    with pytest.raises(FetchError):
        fetching.download(server.url, target, quiet=True)
    server.data, server.tag = archive({"det.onnx": b"newer"}), '"two"'

    fetching.download(server.url, target, quiet=True)

    assert target.read_bytes() == server.data


def test_what_was_whole_already_is_not_sent_again(
    server: FileServer, tmp_path: Path
) -> None:
    target = tmp_path / "pack.zip"
    target.with_name("pack.zip.part").write_bytes(server.data)

    fetching.download(server.url, target, sha256=sha256(server.data), quiet=True)

    assert target.read_bytes() == server.data


def test_another_file_than_the_published_one_is_deleted(
    published: Published, tmp_path: Path
) -> None:
    wrong = replace(published, archive_sha256="0" * 64)

    with pytest.raises(FetchError, match="not the published file"):
        fetch(wrong, tmp_path, quiet=True)

    assert left_in(tmp_path) == set()


def test_without_a_published_hash_the_first_seen_is_recorded(
    published: Published, tmp_path: Path
) -> None:
    fetched = fetch(replace(published, archive_sha256=""), tmp_path, quiet=True)

    assert fetched.recorded
    assert folders.recorded(fetched.folder)["det.onnx"] == sha256(CONTENTS["det.onnx"])


def test_offline_it_says_where_to_put_which_file(
    published: Published, tmp_path: Path
) -> None:
    with serving(b"") as gone:
        url = gone.url

    with pytest.raises(FetchError) as caught:
        fetch(published, tmp_path, url=url, quiet=True)

    told = str(caught.value)
    assert url in told
    assert str(tmp_path / "ours.zip") in told
    assert "\n" not in told


def test_an_archive_that_was_put_there_by_hand_is_used(
    server: FileServer, published: Published, tmp_path: Path
) -> None:
    (tmp_path / "ours.zip").write_bytes(server.data)

    fetched = fetch(published, tmp_path, quiet=True)

    assert server.ranges == []
    assert (fetched.folder / "det.onnx").is_file()


def test_a_server_that_refuses_is_quoted(
    server: FileServer, published: Published, tmp_path: Path
) -> None:
    server.status = 404

    with pytest.raises(FetchError, match="answers 404"):
        fetch(published, tmp_path, quiet=True)


@pytest.mark.parametrize(
    "name",
    ["../outside.onnx", "/outside.onnx", "ours/../../outside.onnx", "C:\\x.onnx"],
)
def test_an_archive_that_reaches_outside_is_refused(
    server: FileServer, published: Published, tmp_path: Path, name: str
) -> None:
    server.data = archive({**CONTENTS, name: b"evil"})
    sly = replace(published, archive_sha256="")

    with pytest.raises(FetchError, match="reaches outside"):
        fetch(sly, tmp_path / "packs", quiet=True)

    assert not list(tmp_path.rglob("*outside*"))
    assert not (tmp_path / "packs" / "ours").exists()


def test_a_link_in_an_archive_is_refused(
    server: FileServer, published: Published, tmp_path: Path
) -> None:
    buffer = io.BytesIO(server.data)
    with zipfile.ZipFile(buffer, "a") as opened:
        link = zipfile.ZipInfo("link.onnx")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    server.data = buffer.getvalue()

    with pytest.raises(FetchError, match="reaches outside"):
        fetch(replace(published, archive_sha256=""), tmp_path, quiet=True)


def test_what_is_no_archive_is_deleted(
    server: FileServer, published: Published, tmp_path: Path
) -> None:
    server.data = b"<html>Log in to the school's network first</html>"

    with pytest.raises(FetchError, match="fetch again"):
        fetch(replace(published, archive_sha256=""), tmp_path, quiet=True)

    assert left_in(tmp_path) == set()


def test_an_archive_without_the_recogniser_says_so(
    server: FileServer, published: Published, tmp_path: Path
) -> None:
    server.data = archive({"det.onnx": b"a detector"})

    with pytest.raises(FetchError, match=r"holds no embed\.onnx"):
        fetch(replace(published, archive_sha256=""), tmp_path, quiet=True)


def test_a_folder_inside_the_archive_is_left_out(
    server: FileServer, published: Published, tmp_path: Path
) -> None:
    inside = {f"ours/{name}": data for name, data in CONTENTS.items()}
    server.data = archive(inside)

    fetched = fetch(replace(published, archive_sha256=""), tmp_path, quiet=True)

    assert (fetched.folder / "embed.onnx").is_file()


def test_a_package_with_a_manifest_arrives_whole(
    server: FileServer, published: Published, tmp_path: Path
) -> None:
    package = {"manifest.json": b"{}", "MODEL.LICENSE": b"Ours.", "net/a.onnx": b"a"}
    server.data = archive({**package, "notes.txt": b"not wanted"})
    named = replace(published, archive_sha256="", detector="", recogniser="")

    fetched = fetch(named, tmp_path, quiet=True)

    assert {path.relative_to(fetched.folder).as_posix() for path in fetched.files} == (
        set(package)
    )


def test_a_pack_is_repaired_in_place(published: Published, tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "det.onnx").write_bytes(b"damaged")
    (folder / "notes.txt").write_text("kept")

    fetch(published, tmp_path, quiet=True)

    assert (folder / "det.onnx").read_bytes() == CONTENTS["det.onnx"]
    assert (folder / "notes.txt").read_text() == "kept"


def test_a_place_that_cannot_be_written_is_named(
    published: Published, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()

    with pytest.raises(FetchError, match="FACE_MODEL_ROOT"):
        fetch(published, blocked, quiet=True)
