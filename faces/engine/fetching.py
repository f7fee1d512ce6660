"""Fetching a pack: a download that goes on where it stopped, verified before it counts.

Nothing here runs while a photo is being looked at: only `manage.py faces_models fetch`
calls it.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

import requests
from tqdm import tqdm

from faces.engine.catalogue import Published
from faces.engine.contracts import sha256_of
from faces.engine.folders import HASHES, MANIFEST

ATTEMPTS: Final = 5  # connections for one archive
_TIMEOUT: Final = (10, 60)  # seconds: to connect, and between two pieces
_PIECE = 1 << 16  # bytes; a cut loses at most as many
_MOST: Final = 4 << 30  # bytes of one unpacked archive: ten times the largest pack
_MANIFEST_SUFFIXES: Final = (".onnx", ".json", ".license")


class FetchError(Exception):
    """A pack could not be fetched; one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Where a pack lies, and whether its archive had the published hash.

    ``recorded`` tells that no hash is published: that of the first archive was kept.
    """

    folder: Path
    files: tuple[Path, ...]
    recorded: bool


def fetch(
    published: Published, parent: Path, *, url: str = "", quiet: bool = False
) -> Fetched:
    """Bring a pack into a folder of its name in ``parent``.

    An archive that was put there by hand, ``NAME.zip``, is used instead of a download.
    Raises FetchError.
    """
    folder, archive = parent / published.name, parent / f"{published.name}.zip"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        if not archive.is_file():
            download(
                url or published.url,
                archive,
                sha256=published.archive_sha256,
                quiet=quiet,
            )
        _verify(archive, published.archive_sha256)
        files = unpack(archive, folder, published)
        archive.unlink()
    except OSError as error:
        raise FetchError(
            f"Writing to {parent} failed ({error.strerror or error}): make room, or "
            "set FACE_MODEL_ROOT to a folder that can be written."
        ) from error
    return Fetched(folder, tuple(files), recorded=not published.archive_sha256)


def download(url: str, target: Path, *, sha256: str = "", quiet: bool = False) -> None:
    """Write what is at ``url`` to ``target``, which appears when it is whole.

    What came before a cut stays in ``target`` + ".part" and is not asked for again.
    Raises FetchError for a server that does not answer, and for another hash than
    ``sha256``.
    """
    part = target.with_name(target.name + ".part")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _receive(url, part, quiet=quiet)
            break
        except requests.exceptions.HTTPError as error:
            status, way = error.response.status_code, _by_hand(url, target)
            raise FetchError(f"{url} answers {status}: {way}") from error
        except requests.exceptions.RequestException as error:
            if attempt < ATTEMPTS and _size(part):
                continue
            raise FetchError(_why(url, part, target)) from error
    _tag_of(part).unlink(missing_ok=True)
    _verify(part, sha256)
    part.replace(target)


def unpack(archive: Path, folder: Path, published: Published) -> list[Path]:
    """The pack's files from ``archive`` in ``folder``, with their hashes beside them.

    Only the detector and the recogniser come out, or what a manifest's package needs.
    Raises FetchError for an archive that is damaged, lacks a file, or reaches outside.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _members(opened, published)
            with _new_folder(folder) as fresh:
                for name, member in members.items():
                    _extract(opened, member, fresh / name)
                _write_hashes(fresh, members)
                _move(fresh, folder)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        archive.unlink()
        raise FetchError(
            f"{archive} was damaged ({error}) and is deleted: fetch again."
        ) from error
    return [folder / name for name in members]


def _receive(url: str, part: Path, *, quiet: bool) -> None:
    """Append to ``part`` what it lacks; raises a RequestException."""
    have, tag = _size(part), _tag_of(part)
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if tag.is_file():  # another file by now is sent whole
            headers["If-Range"] = tag.read_text(encoding="ascii")
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
        if answer.status_code == 416:  # nothing is left, or the file is another one
            if answer.headers.get("Content-Range", "").endswith(f"/{have}"):
                return
            part.unlink()
            raise requests.exceptions.ConnectionError("the file has changed")
        answer.raise_for_status()
        starts_at = have if _continues(answer, have) else 0
        _keep_tag(tag, answer.headers.get("ETag", ""))
        length = int(answer.headers.get("Content-Length", 0))
        with (
            part.open("ab" if starts_at else "wb") as file,
            tqdm(
                total=starts_at + length or None,
                initial=starts_at,
                unit="B",
                unit_scale=True,
                desc=part.name.removesuffix(".part"),
                disable=quiet,
            ) as bar,
        ):
            for piece in answer.iter_content(_PIECE):
                file.write(piece)
                bar.update(len(piece))


def _continues(answer: requests.Response, have: int) -> bool:
    stated = answer.headers.get("Content-Range", "")
    return answer.status_code == 206 and stated.startswith(f"bytes {have}-")


def _keep_tag(file: Path, tag: str) -> None:
    # A weak one (W/…) may not be asked for.
    if tag.startswith('"') and tag.isascii():
        file.write_text(tag, encoding="ascii")
    else:
        file.unlink(missing_ok=True)


def _verify(file: Path, sha256: str) -> None:
    if not sha256:
        return
    found = sha256_of(file)
    if found != sha256:
        file.unlink()
        raise FetchError(
            f"What came is not the published file (sha256 {found[:12]}…, expected "
            f"{sha256[:12]}…) and was deleted: fetch again, or from another network."
        )


def _members(
    archive: zipfile.ZipFile, published: Published
) -> dict[str, zipfile.ZipInfo]:
    """What to take from an archive, by the name in the pack's folder."""
    files = [member for member in archive.infolist() if not member.is_dir()]
    if any(not _is_safe(member) for member in files):
        raise FetchError(f"{archive.filename} reaches outside its folder: not used.")
    if sum(member.file_size for member in files) > _MOST:
        raise FetchError(f"{archive.filename} unpacks to more than 4 GB: not used.")
    paths = {PurePosixPath(member.filename): member for member in files}
    top = _top(paths)
    names = {path.relative_to(top).as_posix(): paths[path] for path in paths}
    if not published.detector:
        found = {
            name: member
            for name, member in names.items()
            if name.lower().endswith(_MANIFEST_SUFFIXES)
        }
        missing = [] if MANIFEST in found else [MANIFEST]
    else:
        wanted = (published.detector, published.recogniser)
        found = {name: names[name] for name in wanted if name in names}
        missing = [name for name in wanted if name not in names]
    if missing:
        raise FetchError(f"{archive.filename} holds no {' and no '.join(missing)}.")
    return found


def _top(paths: dict[PurePosixPath, zipfile.ZipInfo]) -> PurePosixPath:
    """The one folder that everything lies in, where there is one."""
    tops = {path.parts[0] for path in paths if len(path.parts) > 1}
    alone = len(tops) == 1 and all(len(path.parts) > 1 for path in paths)
    return PurePosixPath(tops.pop()) if alone else PurePosixPath()


def _is_safe(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename)
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    odd = "\\" in member.filename or ":" in member.filename or "\0" in member.filename
    return not (path.is_absolute() or ".." in path.parts or is_link or odd)


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as file:
        while piece := source.read(_PIECE):
            file.write(piece)


def _write_hashes(folder: Path, names: dict[str, zipfile.ZipInfo]) -> None:
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in sorted(names)]
    (folder / HASHES).write_text("".join(lines), encoding="utf-8")


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    with TemporaryDirectory(
        prefix=f".{folder.name}-", dir=folder.parent, ignore_cleanup_errors=True
    ) as made:
        fresh = Path(made) / folder.name
        fresh.mkdir()
        yield fresh


def _move(fresh: Path, folder: Path) -> None:
    """``fresh`` as ``folder``: whole where there is none, else file by file."""
    if not folder.exists():
        fresh.rename(folder)
        return
    for source in sorted(path for path in fresh.rglob("*") if path.is_file()):
        target = folder / source.relative_to(fresh)
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _tag_of(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _why(url: str, part: Path, target: Path) -> str:
    have = _size(part)
    if have:
        return (
            f"The connection was cut after {have / 1e6:.0f} MB: run the command again, "
            "it goes on from there."
        )
    return f"{urlsplit(url).netloc} cannot be reached: {_by_hand(url, target)}"


def _by_hand(url: str, target: Path) -> str:
    return (
        f"download {url} on another machine, put it at {target} and run the command "
        "again."
    )
