"""Several e-mail addresses of a family in one field, however they are written."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from classroom.contacts import MAX_ADDRESSES, addresses, validate_addresses
from classroom.models import Student
from conftest import ApiFactory


@pytest.mark.parametrize(
    "text",
    [
        "a@home.example, b@home.example",
        "a@home.example;b@home.example",
        " a@home.example\n b@home.example a@home.example ",
    ],
)
def test_addresses_are_parted_by_what_people_type(text: str) -> None:
    assert addresses(text) == ["a@home.example", "b@home.example"]


def test_a_wrong_address_among_good_ones_is_named() -> None:
    with pytest.raises(ValidationError, match="b@home is no e-mail address"):
        validate_addresses("a@home.example, b@home")


def test_more_addresses_than_a_family_has_are_refused() -> None:
    many = [f"{number}@home.example" for number in range(MAX_ADDRESSES + 1)]
    validate_addresses(", ".join(many[:-1]))
    with pytest.raises(ValidationError) as caught:
        validate_addresses(", ".join(many))
    assert caught.value.code == "too_many"


@pytest.mark.django_db
def test_addresses_are_stored_in_one_spelling() -> None:
    student = Student.objects.create(
        student_id="S-1", full_name="Fay", email="a@home.example;b@home.example"
    )
    assert student.email == "a@home.example, b@home.example"
    student.refresh_from_db()
    assert student.email == "a@home.example, b@home.example"


@pytest.mark.django_db
def test_the_api_takes_several_and_names_a_wrong_one(
    api: ApiFactory, admin: User
) -> None:
    body = {"student_id": "S-1", "full_name": "Fay"}
    answer = api(admin).post("/students", {**body, "email": "a@home.example, b"})
    assert answer.status_code == 400
    assert "b is no e-mail address." in str(answer.json()["errors"]["email"])
    good = "a@home.example,b@home.example"
    answer = api(admin).post("/students", {**body, "email": good})
    assert answer.json()["email"] == "a@home.example, b@home.example"
