"""manage.py create_admin."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.management.commands import create_admin
from accounts.models import User

GOOD = "harvest-lantern-9"
OPTIONS = {
    "teacher_id": "admin001",
    "full_name": "Ada Admin",
    "email": "Ada@School.example",
}


@pytest.fixture(autouse=True)
def nobody_at_the_keyboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADMIN_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())


def create(**options: Any) -> str:
    out = io.StringIO()
    call_command("create_admin", **{**OPTIONS, **options}, stdout=out)
    return out.getvalue()


def type_at_the_prompt(monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
    answers = iter(typed)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(create_admin, "getpass", lambda prompt: next(answers))


def refused(**options: Any) -> str:
    with pytest.raises(CommandError) as caught:
        create(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_it_creates_an_admin_who_can_log_in(db: None) -> None:
    create(password=GOOD)
    admin = User.objects.get(email="ada@school.example")
    assert admin.is_admin
    assert admin.check_password(GOOD)
    assert (admin.teacher_id, admin.full_name) == ("admin001", "Ada Admin")


def test_it_says_what_it_created_but_never_the_password(db: None) -> None:
    said = create(password=GOOD)
    assert "Ada Admin <ada@school.example>" in said
    assert GOOD not in said


def test_it_reads_the_password_from_the_environment(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", GOOD)
    create()
    assert User.objects.get().check_password(GOOD)


def test_the_option_wins_over_the_environment(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", "quiet-harbour-77")
    create(password=GOOD)
    assert User.objects.get().check_password(GOOD)


def test_it_asks_twice_for_a_password(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_at_the_prompt(monkeypatch, GOOD, GOOD)
    create()
    assert User.objects.get().check_password(GOOD)


def test_it_refuses_two_passwords_that_differ(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_at_the_prompt(monkeypatch, GOOD, GOOD + "x")
    assert "differ" in refused()
    assert not User.objects.exists()


def test_it_says_how_to_give_a_password_when_nobody_can_be_asked(db: None) -> None:
    assert "--password" in refused()
    assert "ADMIN_PASSWORD" in refused()


@pytest.mark.parametrize("password", ["short", "8472910365", "password123", "admin001"])
def test_it_holds_to_the_password_rules(db: None, password: str) -> None:
    assert refused(password=password).startswith("password: ")
    assert not User.objects.exists()


def test_it_refuses_a_password_like_the_name(db: None) -> None:
    assert "too similar" in refused(password="ada@school.example")


def test_it_refuses_an_address_that_is_taken(admin: User) -> None:
    assert refused(password=GOOD, email="ADA@school.example").startswith("email: ")
    assert User.objects.count() == 1


def test_it_refuses_a_code_that_is_taken(stranger: User) -> None:
    said = refused(password=GOOD, teacher_id=stranger.teacher_id)
    assert said.startswith("teacher_id: ")


@pytest.mark.parametrize(
    ("field", "value"), [("email", "not-an-address"), ("full_name", " ")]
)
def test_it_names_a_value_that_is_wrong(db: None, field: str, value: str) -> None:
    assert refused(**{"password": GOOD, field: value}).startswith(f"{field}: ")


def test_it_asks_for_the_options_it_needs(db: None) -> None:
    with pytest.raises(CommandError, match="--teacher-id"):
        call_command("create_admin", password=GOOD)
