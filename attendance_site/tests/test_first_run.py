"""`.env` is written once, with fresh keys, for its owner alone."""

import base64
import stat
from pathlib import Path

import pytest

from attendance_site.environment import BASE_DIR
from attendance_site.first_run import write_env

EXAMPLE = BASE_DIR / ".env.example"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    assert write_env(path, example=EXAMPLE)
    return path


def values(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if not line.startswith("#"))
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def test_only_its_owner_may_read_it(written: Path) -> None:
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_both_keys_are_filled_in(written: Path) -> None:
    keys = values(written)
    assert len(keys["SECRET_KEY"]) > 50
    assert len(base64.urlsafe_b64decode(keys["FACE_TEMPLATE_KEY"])) == 32


def test_everything_else_is_as_in_the_example(written: Path) -> None:
    blank = {"SECRET_KEY": "", "FACE_TEMPLATE_KEY": ""}
    assert values(written) | blank == values(EXAMPLE)


def test_a_comment_is_not_taken_for_a_key(written: Path) -> None:
    comments = [
        line
        for line in written.read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    ]
    assert all(line in EXAMPLE.read_text(encoding="utf-8") for line in comments)


def test_two_installations_have_different_keys(written: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_env(other, example=EXAMPLE)
    assert values(other)["SECRET_KEY"] != values(written)["SECRET_KEY"]
    assert values(other)["FACE_TEMPLATE_KEY"] != values(written)["FACE_TEMPLATE_KEY"]


def test_one_that_exists_is_never_touched(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("SECRET_KEY=mine\n", encoding="utf-8")
    assert not write_env(path, example=EXAMPLE)
    assert path.read_text(encoding="utf-8") == "SECRET_KEY=mine\n"
