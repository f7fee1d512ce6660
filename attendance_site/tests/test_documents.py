"""What the documents name exists: pages, headings, files, commands, settings."""

import re
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from attendance_site.environment import BASE_DIR

DOCUMENTS = [
    *sorted(BASE_DIR.glob("*.md")),
    *sorted((BASE_DIR / "docs").glob("*.md")),
]
HEAVIEST = 150_000  # bytes of a picture
COMPOSE_PROFILES = {"tls", "plain", "replicas"}


def content(document: Path) -> str:
    return document.read_text("utf-8")


def without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def anchors(document: Path) -> set[str]:
    """Return a page's headings in the form that links use."""
    headings = re.findall(r"^#+ (.+)$", without_code(content(document)), re.MULTILINE)
    kept = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in kept}


def code(document: Path) -> str:
    """Return all that a page writes as code, a line or a word a line."""
    text = content(document)
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", without_code(text))])


by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


@by_name
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", without_code(content(document)))
    broken = []
    for link in links:
        if link.startswith(("http://", "https://")):
            continue
        path, _, heading = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (heading and heading not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_picture_is_used_and_light() -> None:
    pictures = sorted((BASE_DIR / "docs" / "images").iterdir())
    words = "".join(content(document) for document in DOCUMENTS)
    assert [one.name for one in pictures if f"images/{one.name}" not in words] == []
    assert [one.name for one in pictures if one.stat().st_size >= HEAVIEST] == []
    shown = set(re.findall(r"images/([\w-]+\.png)", words))
    assert shown == {one.name for one in pictures}


@by_name
def test_every_command_of_the_project_exists(document: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", code(document)))
    named |= set(re.findall(r"run --rm manage ([a-z_]+)", code(document)))
    assert named - set(get_commands()) == set()


@by_name
def test_every_target_of_make_exists(document: Path) -> None:
    rules = re.findall(r"^([a-z0-9-]+):", content(BASE_DIR / "Makefile"), re.MULTILINE)
    lines = re.findall(r"^(?:\$ )?(?:sudo )?make ([^#\n]+)", code(document), re.M)
    named = {word for line in lines for word in line.split() if "=" not in word}
    assert named - set(rules) == set()


@by_name
def test_every_file_that_is_run_or_copied_exists(document: Path) -> None:
    named = set(re.findall(r"(?<![\w./])((?:deploy|docs)/[\w./-]+)", code(document)))
    own = ("deploy/secrets", "deploy/certificates")
    made = {name for name in named if name.startswith(own)}
    assert {name for name in named - made if not (BASE_DIR / name).exists()} == set()


@by_name
def test_every_module_that_is_started_exists(document: Path) -> None:
    named = re.findall(r"-m (attendance_site\.\w+)", code(document))
    files = [BASE_DIR / f"{name.replace('.', '/')}.py" for name in named]
    assert [file for file in files if not file.is_file()] == []


@by_name
def test_every_service_of_compose_exists(document: Path) -> None:
    compose = yaml.safe_load(content(BASE_DIR / "compose.yaml"))
    options = r'(?: -T| -e \w+| -v "[^"]+")*'
    words = rf"docker compose (?:exec|run --rm|restart){options} ([\w-]+)"
    assert set(re.findall(words, code(document))) - set(compose["services"]) == set()
    profiles = set(re.findall(r"COMPOSE_PROFILES=(\w+)", code(document)))
    assert profiles <= COMPOSE_PROFILES
    for profile in COMPOSE_PROFILES:
        assert any(
            profile in service.get("profiles", [])
            for service in compose["services"].values()
        )


def test_the_readme_explains_every_setting_of_the_example() -> None:
    example = content(BASE_DIR / ".env.example").splitlines()
    names = {line.removeprefix("# ").partition("=")[0] for line in example}
    rows = re.findall(r"^\| (`[^|]+) \|", content(BASE_DIR / "README.md"), re.MULTILINE)
    explained = set(re.findall(r"`([A-Z_]+)`", " ".join(rows)))
    assert {name for name in names if name.isupper()} - explained == set()


def test_the_readme_explains_no_setting_that_is_not_there() -> None:
    table = content(BASE_DIR / "README.md").split("## Configuration")[1]
    rows = re.findall(r"^\| (`[^|]+) \|", table.split("\n## ")[0], re.MULTILINE)
    explained = set(re.findall(r"`([A-Z_]+)`", " ".join(rows)))
    read = "".join(
        content(BASE_DIR / name)
        for name in ("attendance_site/settings.py", "gunicorn.conf.py")
    )
    read += '"FACE_TEMPLATE_KEY"'  # read by a function of its own
    assert {name for name in explained if f'"{name}"' not in read} == set()
