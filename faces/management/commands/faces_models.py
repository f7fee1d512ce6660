"""Look at face models, fetch one, and choose the one that recognises."""

import os
import re
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from faces import runtime
from faces.engine import catalogue, folders
from faces.engine.errors import ConfigurationError, EngineError
from faces.engine.fetching import FetchError, fetch
from faces.engine.packs import Pack, find_pack, load_pack
from faces.models import FaceTemplate
from faces.services import needs_new_photo

LINE = re.compile(r"^\s*(export\s+)?FACE_MODEL\s*=.*$", re.MULTILINE)


class Command(BaseCommand):
    help = "List, explain, fetch and choose face models."
    requires_system_checks = []  # it is there to mend what they find

    def add_arguments(self, parser: ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        parts.add_parser("list", help="all models, and which are here")
        info = parts.add_parser("info", help="what a model promises")
        info.add_argument("name")
        get = parts.add_parser("fetch", help="download a model, resumable")
        get.add_argument("name", choices=sorted(catalogue.PACKS))
        get.add_argument(
            "--accept-licence",
            action="store_true",
            help="you have read the licence and may use the model under it",
        )
        get.add_argument("--url", default="", help="a mirror of the archive")
        use = parts.add_parser("use", help="write FACE_MODEL to .env")
        use.add_argument("name", help="a model, or a folder with one")
        use.add_argument("--env-file", type=Path, default=settings.BASE_DIR / ".env")

    def handle(self, *args: Any, **options: Any) -> None:
        part = {
            "list": self.list,
            "info": self.info,
            "fetch": self.fetch,
            "use": self.use,
        }[options["part"]]
        try:
            part(options)
        except (EngineError, FetchError) as error:
            raise CommandError(str(error)) from error

    def list(self, options: dict[str, Any]) -> None:
        names = list(catalogue.NAMES)
        if settings.FACE_MODEL not in names:
            names.append(settings.FACE_MODEL)
        for name in names:
            mark = "*" if name == settings.FACE_MODEL else " "
            self.stdout.write(f"{mark} {name:<12} {self.state_of(name)}")
        self.stdout.write("* is in use (FACE_MODEL).")

    def state_of(self, name: str) -> str:
        try:
            pack = find_pack(name, root=runtime.pack_root())
        except ConfigurationError as error:
            folder = folders.place(name, root=runtime.pack_root())
            return f"broken: {error}" if folder.is_dir() else not_here(name)
        return f"{enrolled(pack)} enrolled; {pack.licence}"

    def info(self, options: dict[str, Any]) -> None:
        name = options["name"]
        published = catalogue.PACKS.get(name)
        try:
            pack = find_pack(name, root=runtime.pack_root())
        except ConfigurationError as error:
            if published is None:
                raise
            self.stdout.write(f"{error}\n{catalogue.LICENCE_TEXT}")
            self.stdout.write(f"From {published.url} ({published.megabytes or '?'} MB)")
            return
        for label, value in facts_of(pack).items():
            self.stdout.write(f"{label:<11} {value}")

    def fetch(self, options: dict[str, Any]) -> None:
        published = catalogue.PACKS[options["name"]]
        self.stdout.write(catalogue.LICENCE_TEXT)
        if not options["accept_licence"]:
            raise CommandError("Run it again with --accept-licence if you may use it.")
        if is_whole(published.name):
            self.stdout.write(f"{published.name} is here already, as it should be.")
            self.stdout.write(f"Next: manage.py faces_models use {published.name}")
            return
        parent = runtime.pack_root() or folders.HOME.expanduser()
        fetched = fetch(
            published, parent, url=options["url"], quiet=options["verbosity"] == 0
        )
        find_pack(published.name, root=runtime.pack_root())
        kind = "first seen, now recorded" if fetched.recorded else "as published"
        self.stdout.write(f"{published.name} is in {fetched.folder} (hash {kind}).")
        self.stdout.write(f"Next: manage.py faces_models use {published.name}")

    def use(self, options: dict[str, Any]) -> None:
        name, env_file = options["name"], options["env_file"]
        if "/" in name or "\\" in name:
            name = str(Path(name).expanduser().resolve())
        pack = find_pack(name, root=runtime.pack_root())
        load_pack(name, root=runtime.pack_root(), device="cpu")
        written = written_model(env_file)
        overruled = written is not None and written != settings.FACE_MODEL
        write_model(env_file, name)
        self.stdout.write(f"{env_file} says FACE_MODEL={name} now; restart the server.")
        for line in consequences(pack):
            self.stdout.write(line)
        if overruled:
            self.stdout.write(
                self.style.WARNING(
                    f"The environment sets FACE_MODEL={settings.FACE_MODEL}, which "
                    "wins over the file: change it there too."
                )
            )


def not_here(name: str) -> str:
    """Say what it would take to have a pack that isn't here."""
    published = catalogue.PACKS.get(name)
    if published is None:
        return "not here"
    size = f" ({published.megabytes} MB)" if published.megabytes else ""
    return f"not here{size}; {catalogue.INSIGHTFACE_LICENCE}"


def is_whole(name: str) -> bool:
    """Say whether a pack's files are here, with the hashes that are known of them."""
    try:
        find_pack(name, root=runtime.pack_root())
    except ConfigurationError:
        return False
    return True


def facts_of(pack: Pack) -> dict[str, object]:
    return {
        "model id": pack.model_id,
        "detector": f"{pack.detector.path} (sha256 {pack.detector.sha256})",
        "recogniser": f"{pack.recogniser.path} (sha256 {pack.recogniser.sha256})",
        "embedding": f"{pack.dimension} numbers from {pack.input_size} px",
        "threshold": f"{pack.threshold} ({pack.threshold_source})",
        "margin": pack.margin,
        "licence": pack.licence,
        "source": pack.source,
        "enrolled": enrolled(pack),
    }


def enrolled(pack: Pack) -> str:
    """Say how many students a pack knows; it may be asked before the first migrate."""
    try:
        count = FaceTemplate.objects.of_model(pack.model_id).students().count()
    except DatabaseError:
        return "? students"
    return f"{count} students"


def consequences(pack: Pack) -> list[str]:
    """Say what a choice of ``pack`` means for the faces that are enrolled."""
    try:
        waiting = str(needs_new_photo(model_id=pack.model_id).count())
    except DatabaseError:
        waiting = "?"
    lines = [
        f"With a face for {pack.name}: {enrolled(pack)}; in need of a new photo: "
        f"{waiting}.",
        "Templates of other models stay until `manage.py faces_prune`; switching back "
        "works at once.",
    ]
    if settings.FACE_SIMILARITY_THRESHOLD is not None:
        lines.append(
            f"FACE_SIMILARITY_THRESHOLD={settings.FACE_SIMILARITY_THRESHOLD} was set "
            f"for another model: empty it ({pack.name} brings {pack.threshold})."
        )
    if not pack.calibrated:
        lines.append(
            f"Its threshold {pack.threshold} is a careful guess: run `manage.py "
            "faces_calibrate` once faces are enrolled."
        )
    return lines


def written_model(env_file: Path) -> str | None:
    """Return what a .env file says, None where it says nothing."""
    text = env_file.read_text(encoding="utf-8") if env_file.is_file() else ""
    lines = [found.group() for found in LINE.finditer(text)]
    if not lines:
        return None
    return lines[-1].partition("=")[2].strip().strip("'\"") or catalogue.EMBEDDED


def write_model(env_file: Path, name: str) -> None:
    """Put FACE_MODEL into a .env file and leave the rest as it is; all or nothing."""
    text = env_file.read_text(encoding="utf-8") if env_file.is_file() else ""
    plain = re.fullmatch(r"[\w./:\\-]+", name)
    line = f"FACE_MODEL={name}" if plain else f"FACE_MODEL='{name}'"
    if LINE.search(text):
        text = LINE.sub(lambda _match: line, text)
    else:
        text += ("" if not text or text.endswith("\n") else "\n") + line + "\n"
    mode = env_file.stat().st_mode & 0o777 if env_file.is_file() else 0o600
    handle, temporary = tempfile.mkstemp(dir=env_file.parent, prefix=".env-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(mode)
        Path(temporary).replace(env_file)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
