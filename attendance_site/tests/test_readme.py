"""The README's worked examples run as they are written, against a real server."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attendance_site.environment import BASE_DIR
from attendance_site.tests.live import LONGEST_WAIT, Installation

README = BASE_DIR / "README.md"
HEADING = "## The API in ten calls"
ADDRESS = "http://localhost:8000"
PHOTOS = "/tmp/rollbook-photos"  # noqa: S108  what the README says


def section(text: str) -> str:
    """Return what stands under the heading, up to the next one."""
    return text.split(f"\n{HEADING}\n")[1].split("\n## ")[0]


def bash_blocks(text: str) -> list[str]:
    return re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def answers_in(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of an output, whatever stands between them."""
    decoder = json.JSONDecoder()
    position = text.find("{")
    while position >= 0:
        answer, end = decoder.raw_decode(text, position)
        yield answer
        position = text.find("{", end)


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run the section's blocks in one shell; return what they print."""
    assert shutil.which("curl"), "the README's examples need curl: install it"
    installation = Installation.make(tmp_path_factory.mktemp("reader"))
    installation.manage("migrate", "--noinput")
    blocks = bash_blocks(section(README.read_text("utf-8")))
    assert len(blocks) > 5
    with installation.serving() as url:
        script = "\n".join(blocks).replace(ADDRESS, url)
        script = script.replace(PHOTOS, str(installation.temp / "photos"))
        return run(script, installation)


def run(script: str, installation: Installation) -> str:
    ended = subprocess.run(  # noqa: S603  our own README
        [str(shutil.which("bash")), "-eu", "-o", "pipefail", "-c", script],
        cwd=installation.project,
        env=installation.environment(),
        capture_output=True,
        text=True,
        timeout=LONGEST_WAIT,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def answers(output: str) -> list[dict[str, Any]]:
    return list(answers_in(output))


def with_field(answers: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [answer for answer in answers if name in answer]


def test_no_call_is_answered_with_an_error(answers: list[dict[str, Any]]) -> None:
    assert with_field(answers, "code") == []
    assert len(answers) == 10


def test_the_first_admin_is_created(output: str) -> None:
    assert "Created the admin Ada Admin <ada@school.example>." in output


def test_all_six_are_enrolled(answers: list[dict[str, Any]]) -> None:
    enrolled = with_field(answers, "face_enrolled")
    assert [answer["face_enrolled"] for answer in enrolled] == [True] * 6
    # Nobody was asked for consent, and the default is to say so.
    codes = [[one["code"] for one in answer["warnings"]] for answer in enrolled]
    assert codes == [["consent_missing"]] * 6


def test_the_person_at_the_camera_is_marked(answers: list[dict[str, Any]]) -> None:
    (verified,) = with_field(answers, "matched")
    assert verified["matched"] is True
    assert verified["student"]["full_name"] == "Student 1"
    assert verified["attendance"]["status"] == "present"


def test_the_whole_room_is_marked(answers: list[dict[str, Any]]) -> None:
    (room,) = with_field(answers, "recognized")
    assert len(room["recognized"]) == 6
    assert (room["ambiguous"], room["unknown"], room["not_seen"]) == ([], [], [])


def test_the_summary_shows_the_correction(answers: list[dict[str, Any]]) -> None:
    (correction,) = with_field(answers, "marked_by_id")
    assert (correction["status"], correction["source"]) == ("late", "manual")
    (summary,) = with_field(answers, "counts")
    counts = summary["counts"]
    assert (counts["present"], counts["late"], counts["rate"]) == (5, 1, 1.0)


def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text("utf-8"))
    local = [link for link in links if not link.startswith("http")]
    assert local
    assert [link for link in local if not Path(BASE_DIR, link).exists()] == []
