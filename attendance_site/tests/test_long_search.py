"""A search of any length is answered, by pages, lists and the admin."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from classroom.models import Classroom, Student

pytestmark = pytest.mark.django_db

LONG = {"one word": "x" * 60_000, "many words": "~7 " * 20_000}
SEARCHED = [model for model, one in admin.site._registry.items() if one.search_fields]


@pytest.mark.parametrize("words", LONG.values(), ids=LONG.keys())
def test_lists_are_searched_for_what_they_can_take(
    words: str, alice: User, maths: Classroom, students: list[Student]
) -> None:
    for rows in (User.objects, Classroom.objects, Student.objects):
        assert not rows.all().search(words)
    assert students[0] in Student.objects.all().search(f"{students[0].full_name}  ")


@pytest.mark.parametrize("words", LONG.values(), ids=LONG.keys())
@pytest.mark.parametrize("model", SEARCHED, ids=lambda model: model.__name__)
def test_the_admin_says_that_a_search_is_too_long(
    model: type, words: str, admin: User, client: Client
) -> None:
    client.force_login(admin)
    meta = model._meta  # type: ignore[attr-defined]
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    answer = client.get(address, {"q": words})
    assert answer.status_code == 200
    assert "at most 200 characters" in answer.content.decode()


@pytest.mark.parametrize("words", LONG.values(), ids=LONG.keys())
def test_the_admin_completes_nothing_so_long(
    words: str, admin: User, client: Client
) -> None:
    client.force_login(admin)
    asked = {"app_label": "classroom", "model_name": "classroom"}
    asked |= {"field_name": "teacher", "term": words}
    answer = client.get("/admin/autocomplete/", asked)
    assert answer.json()["results"] == []
