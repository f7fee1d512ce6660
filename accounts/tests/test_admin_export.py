"""Lists as CSV, and the buttons of the teachers' list."""

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from accounts.admin_export import BYTE_ORDER_MARK, cell, lines
from accounts.models import User
from accounts.tests.factories import make_admin, make_user

LIST = "/admin/accounts/user/"


@pytest.fixture
def admin_client(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def act(client: Client, action: str, *users: User) -> Any:
    form = {"action": action, "_selected_action": [user.pk for user in users]}
    return client.post(LIST, form)


def said(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def rows(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK))))


@pytest.mark.parametrize(
    "text", ["=1+1", "+49 30", "-2", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(1)"]
)
def test_a_cell_that_a_spreadsheet_would_run_is_made_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (-0.5, "-0.5"),
        ("Ana-Maria", "Ana-Maria"),
        (dt.date(2026, 3, 2), "2026-03-02"),
    ],
)
def test_other_cells_stay_what_they_are(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_a_moment_is_given_in_local_time() -> None:
    with timezone.override("Asia/Tokyo"):
        moment = dt.datetime(2026, 3, 2, 20, 0, tzinfo=dt.UTC)
        assert cell(moment) == "2026-03-03 05:00:00"


def test_a_comma_stays_inside_its_cell() -> None:
    text = "".join(lines([("name", str)], ["Archer, Alice"]))
    assert list(csv.reader(io.StringIO(text)))[1] == ["Archer, Alice"]


def test_only_the_chosen_teachers_are_exported(
    admin_client: Client, alice: User, stranger: User
) -> None:
    response = act(admin_client, "export_csv", alice)
    heading, *found = rows(response)
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    assert heading[:3] == ["name", "teacher ID", "e-mail address"]
    assert [row[0] for row in found] == [alice.full_name]


def test_no_password_is_exported(admin_client: Client, alice: User) -> None:
    heading, row = rows(act(admin_client, "export_csv", alice))
    assert alice.password not in row
    assert "password" not in heading


def test_a_teacher_is_deactivated_and_let_in_again(
    admin_client: Client, alice: User, stranger: User
) -> None:
    act(admin_client, "deactivate", alice)
    alice.refresh_from_db()
    assert not alice.is_active
    act(admin_client, "activate", alice)
    alice.refresh_from_db()
    stranger.refresh_from_db()
    assert alice.is_active and stranger.is_active


def test_nobody_locks_themselves_out(admin_client: Client, admin: User) -> None:
    make_admin("Second")
    response = act(admin_client, "deactivate", admin)
    admin.refresh_from_db()
    assert admin.is_active
    assert "lock yourself out" in said(response)


def test_another_admin_can_be_deactivated_but_not_the_last(
    admin_client: Client, admin: User
) -> None:
    second = make_admin("Second")
    act(admin_client, "deactivate", second)
    assert list(User.objects.active_admins()) == [admin]


def test_a_password_is_reset_for_a_teacher(admin_client: Client, alice: User) -> None:
    form = {
        "usable_password": "true",
        "password1": "harvest-lantern-9",
        "password2": "harvest-lantern-9",
    }
    response = admin_client.post(f"{LIST}{alice.pk}/password/", form)
    assert response.status_code == 302
    alice.refresh_from_db()
    assert alice.check_password("harvest-lantern-9")


def test_two_different_passwords_are_refused(admin_client: Client) -> None:
    form = {
        "full_name": "Nina New",
        "teacher_id": "t-new",
        "email": "nina@school.example",
        "password1": "harvest-lantern-9",
        "password2": "harvest-lantern-8",
        "role": "teacher",
    }
    admin_client.post(f"{LIST}add/", form)
    assert not User.objects.filter(email="nina@school.example").exists()


def test_a_search_for_a_class_teacher_offers_active_people_only(
    admin_client: Client, alice: User
) -> None:
    make_user("Alice Gone", is_active=False)
    query = {
        "term": "alice",
        "app_label": "classroom",
        "model_name": "classroom",
        "field_name": "teacher",
    }
    found = admin_client.get("/admin/autocomplete/", query).json()["results"]
    assert [row["text"] for row in found] == [alice.full_name]


def test_tokens_have_no_page(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()
    assert "token_blacklist" not in page
