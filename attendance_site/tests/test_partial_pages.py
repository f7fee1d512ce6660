"""A page has two forms: the whole one, and the part that htmx swaps into it."""

import pytest
from django.test import Client

from accounts.models import User
from classroom.models import Classroom, Student

HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(alice: User, maths: Classroom, students: list[Student]) -> str:
    return f"/app/classes/{maths.pk}/"


def test_htmx_gets_the_content_without_the_frame(
    client: Client, alice: User, page: str
) -> None:
    client.force_login(alice)
    whole, part = client.get(page), client.get(page, headers=HTMX)
    assert "skip-link" in whole.text
    assert "skip-link" not in part.text
    assert "Cleo Castro" in part.text
    assert "<title>Maths" in part.text


def test_a_cache_keeps_the_two_forms_apart(
    client: Client, alice: User, page: str
) -> None:
    client.force_login(alice)
    for answer in (client.get(page), client.get(page, headers=HTMX)):
        assert "HX-Request" in answer.headers["Vary"]


def test_a_part_is_not_replaced_by_the_login_page(client: Client, page: str) -> None:
    answer = client.get(page, headers=HTMX)
    assert answer.status_code == 200
    assert answer.headers["HX-Redirect"].startswith("/accounts/login/?next=")
    assert answer.content == b""
    assert client.get(page).status_code == 302


def test_a_stranger_gets_no_part_either(
    client: Client, stranger: User, page: str
) -> None:
    client.force_login(stranger)
    assert client.get(page, headers=HTMX).status_code == 404


def test_the_api_has_one_form(client: Client) -> None:
    assert "HX-Request" not in client.get("/health/live").headers.get("Vary", "")
